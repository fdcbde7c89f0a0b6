// Which candidate a search tries next. A strategy sees what was tried so far; it is a file of its own that registers itself.
//
// One object belongs to one search and one thread. Deterministic: equal context, equal observations in equal order, equal calls give equal
// candidates, so under a budget in units `seconds` has to be the units' (0.01 s each), not a clock's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/registry.h"
#include "search/cost_model.h"
#include "search/cross_validation.h"
#include "search/data_description.h"
#include "search/experience.h"

namespace everlearn {

struct Observation {
  Candidate candidate;
  double loss = 0;     // mean over the folds, lower is better; NaN: failed or stopped
  double seconds = 0;  // of the whole trial
};

class Strategy {
 public:
  virtual ~Strategy() = default;
  // The next candidate; nothing: there is no other to try. `seen` only grows, in the order in which trials ended. May be called again
  // before the last candidate's trial has ended (when trials run side by side).
  virtual std::optional<Candidate> Next(std::span<const Observation> seen) = 0;
};

struct StrategyContext {
  const Experience* experience = nullptr;  // alive as long as the strategy; nullptr: none
  DataDescription data;
  size_t classes = 0;                      // 0: regression
  bool weights = false;                    // only learners that use them
  bool monotone = false;                   // only learners that obey FitOptions::monotone
  std::string metric = {};                 // results in it count more than in others; empty: all the same
  double budget_seconds = 0;               // 0: unknown. What is dear against it comes later
  std::vector<std::string> learners = {};  // allowed; empty: all batch learners but baselines that can do the task
  uint64_t seed = 0;
  std::vector<Candidate> first = {};  // tried before anything else
};

struct StrategyInfo {
  std::string summary;
  std::string paper;
  std::function<std::unique_ptr<Strategy>(const StrategyContext&)> make;
};

Registry<StrategyInfo>& Strategies();

// A registered strategy that begins with context.first and never gives a candidate twice. Throws kUsage where there is no such strategy.
std::unique_ptr<Strategy> MakeStrategy(const std::string& name, const StrategyContext& context);

// The learners that a search may use, in the order of their names.
std::vector<std::string> AllowedLearners(const StrategyContext& context);

}  // namespace everlearn
