// Encoded training data, shared read-only by every trial, fold and learner (design.md, contract 3).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "learner/binned.h"
#include "model/feature_space.h"

namespace everlearn {

class Dataset {
 public:
  // `values`: rows × space.size(); `target`: class index or value, no NaN; `weights`: one a row, or empty. `classes`: 0 for regression.
  Dataset(std::vector<bool> category_features, std::vector<size_t> dictionary_sizes, std::vector<double> values, std::vector<double> target,
          std::vector<double> weights, size_t classes);

  size_t rows() const { return arrays_.target.size(); }
  size_t features() const { return is_category_.size(); }
  size_t classes() const { return classes_; }
  size_t outputs() const { return classes_ == 0 ? 1 : classes_; }
  bool is_category(size_t feature) const { return is_category_[feature]; }
  size_t dictionary_size(size_t feature) const { return dictionary_sizes_[feature]; }
  const double* row(size_t i) const { return arrays_.values.data() + i * features(); }
  RowsView view() const { return {arrays_.values.data(), rows(), features()}; }
  std::span<const double> target() const { return arrays_.target; }
  std::span<const double> weights() const { return arrays_.weights; }  // empty: all 1
  double weight(size_t i) const { return arrays_.weights.empty() ? 1.0 : arrays_.weights[i]; }
  bool has_weights() const { return !arrays_.weights.empty(); }

  // The same numbers elsewhere: `values`, `target` and `weights` (or empty) lie in memory that `memory` keeps alive, and so do the codes of
  // `binned`.
  struct Arrays {
    std::span<const double> values, target, weights;
    std::shared_ptr<const void> memory;
  };
  Dataset(std::vector<bool> category_features, std::vector<size_t> dictionary_sizes, Arrays arrays, BinnedTable binned, size_t classes);

  // Bins fitted on `bin_rows` (default: all), made at the first call, then shared. Thread-safe.
  const BinnedTable& binned() const;
  // Time-ordered tasks: bins may be fitted on the first `rows` rows only. Call before binned().
  void FitBinsOnFirst(size_t rows) { bin_rows_ = rows; }

 private:
  std::vector<bool> is_category_;
  std::vector<size_t> dictionary_sizes_;
  Arrays arrays_;
  size_t classes_;
  size_t bin_rows_ = 0;
  mutable std::once_flag binned_once_;
  mutable std::unique_ptr<BinnedTable> binned_;
};

// Rows of a data set on which a model is fitted (ascending).
struct TrainingRows {
  const Dataset* data;
  std::span<const uint32_t> rows;
};

}  // namespace everlearn
