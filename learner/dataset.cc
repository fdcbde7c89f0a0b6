// Holds the encoded rows of a task and bins them once.
#include "learner/dataset.h"

#include <cassert>

namespace everlearn {

Dataset::Dataset(std::vector<bool> category_features, std::vector<size_t> dictionary_sizes, std::vector<double> values,
                 std::vector<double> target, std::vector<double> weights, size_t classes)
    : is_category_(std::move(category_features)),
      dictionary_sizes_(std::move(dictionary_sizes)),
      values_(std::move(values)),
      target_(std::move(target)),
      weights_(std::move(weights)),
      classes_(classes) {
  assert(dictionary_sizes_.size() == is_category_.size());
  assert(values_.size() == target_.size() * is_category_.size());
  assert(weights_.empty() || weights_.size() == target_.size());
}

const BinnedTable& Dataset::binned() const {
  std::call_once(binned_once_,
                 [this] { binned_ = std::make_unique<BinnedTable>(BinRows(view(), is_category_, dictionary_sizes_, bin_rows_)); });
  return *binned_;
}

}  // namespace everlearn
