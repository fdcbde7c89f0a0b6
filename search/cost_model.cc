#include "search/cost_model.h"

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

constexpr double kSecondsPerUnit = 0.01;
// What the median of the learner counts for against timings of the same configuration on data just like this.
constexpr double kLearnerWeight = 0.1;

}  // namespace

CostModel::CostModel(const Experience& experience) {
  std::map<std::string, std::vector<double>> ratios;
  for (const ExperienceRun& run : experience.runs()) {
    for (const ExperienceTrial& trial : run.trials) {
      if (trial.seconds <= 0 || trial.status != "ok") continue;
      const auto candidate = CandidateFrom(trial.learner, trial.parameters);
      if (!candidate) continue;
      const double log_ratio = std::log(trial.seconds / (kSecondsPerUnit * std::max(1e-3, CandidateUnits(*candidate, run.data))));
      if (!std::isfinite(log_ratio)) continue;
      of_candidate_[CandidateKey(*candidate)].push_back({run.data, log_ratio});
      ratios[trial.learner].push_back(log_ratio);
    }
  }
  for (auto& [learner, values] : ratios) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    of_learner_[learner] = *middle;
  }
}

double CostModel::Seconds(const Candidate& candidate, const DataDescription& data) const {
  const double formula = kSecondsPerUnit * std::max(1e-3, CandidateUnits(candidate, data));
  const auto learner = of_learner_.find(candidate.learner);
  if (learner == of_learner_.end()) return formula;
  double sum = kLearnerWeight * learner->second, weights = kLearnerWeight;
  if (const auto timings = of_candidate_.find(CandidateKey(candidate)); timings != of_candidate_.end()) {
    for (const Timing& timing : timings->second) {
      const double weight = Similarity(timing.data, data);
      sum += weight * timing.log_ratio;
      weights += weight;
    }
  }
  return formula * std::exp(sum / weights);
}

}  // namespace everlearn
