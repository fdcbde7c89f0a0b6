// Fits trials of a search again on all rows, with the rounds that were best on their first fold, and at least on half of
// the folds.
//
// Belongs to the thread of the pool. With `units` the results do not depend on the clock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "search/trials.h"
#include "search/worker_pool.h"

namespace everlearn {

struct RefitOptions {
  uint64_t seed = 0;
  double units = 0;                           // declared cost that all fits together may have; 0: the clock counts
  std::function<double()> seconds_left = {};  // needed where the clock counts
  std::function<bool()> stop = {};
  std::function<void()> between = {};  // called while fits run
};

struct Refitted {
  // Of trials, ModelBytes. Not there are those that failed, that there was no time for (a fit that was cut takes nobody knows how long),
  // and whose rounds are not known or none.
  std::map<size_t, std::string> models;
  double fit_seconds = 0;
};

// In the order of `trials`, each with its first fold done; the pool has nothing to do. Does not throw for what goes wrong in a fit.
Refitted RefitTrials(const std::vector<size_t>& trials, const Trials& all, const Dataset& data, const std::vector<Fold>& folds,
                     WorkerPool* pool, const RefitOptions& options);

// What that is expected to take on so many workers at once.
double RefitSeconds(const std::vector<size_t>& trials, const Trials& all, const Dataset& data, const std::vector<Fold>& folds,
                    double workers);

}  // namespace everlearn
