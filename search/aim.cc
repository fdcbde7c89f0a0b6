#include "search/aim.h"

#include <algorithm>

#include "evaluation/metric.h"

namespace everlearn {

void TakeAim(const std::string& metric, bool monotone, Candidate* candidate) {
  const std::vector<Parameter>& declared = Learners().Get(candidate->learner).parameters;
  const auto loss = std::find_if(declared.begin(), declared.end(), [](const Parameter& p) { return p.name == "loss"; });
  if (loss == declared.end()) return;
  const std::string& now = candidate->parameters.Choice("loss");
  if (now != loss->choices.front() && now != "absolute" && now != "quantile") return;
  JsonObject parameters = candidate->parameters.ToJson().as_object();
  for (const char* name : {"loss", "quantile"}) parameters.erase(name);
  const std::map<std::string, std::string> aim =
      metric.empty() || monotone ? std::map<std::string, std::string>{} : Metrics().Get(metric).aim;
  const auto wanted = aim.find("loss");
  if (wanted != aim.end() && std::find(loss->choices.begin(), loss->choices.end(), wanted->second) != loss->choices.end())
    for (const auto& [name, value] : aim) parameters[name] = value;
  candidate->parameters = ParameterValues::FromJson(candidate->learner, declared, parameters);
}

}  // namespace everlearn
