// For tests of members that learn online: one of them, begun with settings of its own.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "learner/learner.h"

namespace everlearn {

inline std::unique_ptr<OnlineModel> StartOnline(const std::string& learner, size_t classes, const std::vector<bool>& is_category,
                                                const std::map<std::string, std::string>& settings, uint64_t seed) {
  const LearnerInfo& info = Learners().Get(learner);
  ParameterValues parameters(info.parameters);
  for (const auto& [name, value] : settings) parameters.Set(learner, name, value);
  return info.start({is_category, classes}, parameters, seed);
}

}  // namespace everlearn
