// Greedy selection of an ensemble, with replacement, on out-of-fold predictions.
//
// Caruana, Niculescu-Mizil, Crew & Ksikes, Ensemble selection from libraries of models (ICML 2004). How many steps are made is chosen on
// rows that the steps were not chosen on (halves of the rows, crosswise), so that a small table is not fitted by its ensemble; none but
// the first means the best single candidate. Pure function; equal results on any number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace everlearn {

struct SelectionCandidate {
  std::span<const double> predictions;  // rows × outputs; NaN in rows without one
  double seconds_per_row = 0;           // of a prediction
};

struct SelectionOptions {
  size_t max_steps = 40;
  size_t max_rows = 50'000;        // a sample of them is used where there are more; at most 20,000 for measures that sort
  double max_seconds_per_row = 0;  // of the distinct members together; 0: no limit
  uint64_t seed = 0;
  int threads = 1;
  std::function<bool()> stop = {};  // asked between steps: true ends with what there is
};

struct Selection {
  std::vector<double> weights;  // one a candidate, sum 1
  double value = 0;             // of the metric, on all rows that were considered
  size_t best_single = 0;       // the candidate that is best alone (inside the limit of time)
  double single_value = 0;
  size_t members() const;  // candidates with a weight above 0
};

// `truth` is class index or value, `weights` one a row or empty. Considered are candidates with predictions for at least nine tenths of the
// rows of the one that has the most, on the rows that all of those have. Where none keeps the limit of time, the fastest is given.
// Throws kUsage where the metric is unknown, kInternal where no candidate has a prediction or sizes differ.
Selection SelectEnsemble(const std::string& metric, std::span<const double> truth, std::span<const double> weights, size_t classes,
                         std::span<const SelectionCandidate> candidates, const SelectionOptions& options);

}  // namespace everlearn
