#include "loop/roster_entry.h"

#include "base/error.h"
#include "learner/learner.h"

namespace everlearn {

RosterEntry ParseRosterEntry(const std::string& text, const std::map<std::string, std::string>& parameters) {
  if (text == kBlendName) return {text, text, "{}"};
  const size_t colon = text.find(':');
  RosterEntry entry{text, text.substr(0, colon), "{}"};
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
    values.Set(entry.learner, setting.substr(0, equals), setting.substr(equals + 1));
    at = end + 1;
  }
  entry.parameters = ToText(values.ToJson());
  return entry;
}

std::vector<std::string> DefaultRoster(size_t classes) {
  std::vector<std::string> names{"no_change", classes > 0 ? "running_majority" : "running_mean", "online_linear",
                                 "online_linear:forgetting=0.01", "online_crosses"};
  if (classes > 0) names.emplace_back("alma");
  names.insert(names.end(), {"gradient_boosting", kBlendName});
  return names;
}

}  // namespace everlearn
