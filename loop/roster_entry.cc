#include "loop/roster_entry.h"

#include "base/error.h"
#include "learner/learner.h"

namespace everlearn {

namespace {

bool SeesLags(const std::string& entry, const LearnerInfo& learner, const std::string& value) {
  if (!learner.online())
    throw Error(ErrorKind::kUsage, "the roster's entry '" + entry + "': only members that learn online choose whether they see lags");
  if (value != "yes" && value != "no") throw Error(ErrorKind::kUsage, "the roster's entry '" + entry + "': lags are yes or no");
  return value == "yes";
}

}  // namespace

bool RosterEntry::IsSameAs(const RosterEntry& other) const {
  if (learner != other.learner || sees_lags != other.sees_lags) return false;
  if (learner == kBlendName) return true;
  const auto values = [this](const std::string& text) {
    return ToText(ParameterValues::FromJson(learner, Learners().Get(learner).parameters, ParseJson(text, "parameters")).ToJson());
  };
  return values(parameters) == values(other.parameters);
}

RosterEntry ParseRosterEntry(const std::string& text, const std::map<std::string, std::string>& parameters) {
  if (text == kBlendName) return {.name = text, .learner = text, .parameters = "{}"};
  const size_t colon = text.find(':');
  RosterEntry entry{.name = text, .learner = text.substr(0, colon), .parameters = "{}"};
  const LearnerInfo& learner = Learners().Get(entry.learner);
  const auto given = parameters.find(entry.learner);
  if (given != parameters.end()) entry.parameters = given->second;
  if (colon == std::string::npos) return entry;
  ParameterValues values = ParameterValues::FromJson(entry.learner, learner.parameters, ParseJson(entry.parameters, "parameters"));
  for (size_t at = colon + 1; at <= text.size();) {
    const size_t end = std::min(text.find(';', at), text.size());
    const std::string setting = text.substr(at, end - at);
    const size_t equals = setting.find('=');
    if (equals == std::string::npos)
      throw Error(ErrorKind::kUsage, "the roster's entry '" + text + "' does not say a parameter and its value",
                  "write " + entry.learner + ":parameter=value, several with ; between them");
    const std::string name = setting.substr(0, equals), value = setting.substr(equals + 1);
    if (name == "lags") entry.sees_lags = SeesLags(text, learner, value);
    else values.Set(entry.learner, name, value);
    at = end + 1;
  }
  entry.parameters = ToText(values.ToJson());
  return entry;
}

std::vector<std::string> DefaultRoster(size_t classes, bool lag_features, bool quick) {
  std::vector<std::string> names{"no_change", classes > 0 ? "running_majority" : "running_mean", "online_linear:forgetting=0.01"};
  // Some members see rows better without lags, and some streams are better seen so.
  const auto add = [&](const std::string& name, bool with, bool without) {
    if (with || !lag_features) names.push_back(name);
    if (without && lag_features) names.push_back(name + ":lags=no");
  };
  add("online_linear", true, true);
  add("online_crosses", true, true);
  if (classes > 0) add("alma", true, true);
  if (!quick) {
    add("window_neighbours", true, true);
    add("adaptive_random_forest", true, true);
    add("streaming_random_patches", classes == 0, true);
    if (classes > 0) add("leveraging_bagging", true, false);
    add("streaming_gradient_boosting", true, true);
    add("mondrian_forest", false, true);
  }
  names.insert(names.end(), {"gradient_boosting", kBlendName});
  return names;
}

}  // namespace everlearn
