// Holds the encoded rows of a task and bins them once.
#include "learner/dataset.h"

#include <cassert>

namespace everlearn {

namespace {

struct OwnArrays {
  std::vector<double> values, target, weights;
};

Dataset::Arrays Own(std::vector<double> values, std::vector<double> target, std::vector<double> weights) {
  const auto own = std::make_shared<const OwnArrays>(OwnArrays{std::move(values), std::move(target), std::move(weights)});
  return {own->values, own->target, own->weights, own};
}

}  // namespace

Dataset::Dataset(std::vector<bool> category_features, std::vector<size_t> dictionary_sizes, std::vector<double> values,
                 std::vector<double> target, std::vector<double> weights, size_t classes)
    : is_category_(std::move(category_features)),
      dictionary_sizes_(std::move(dictionary_sizes)),
      arrays_(Own(std::move(values), std::move(target), std::move(weights))),
      classes_(classes) {
  assert(dictionary_sizes_.size() == is_category_.size());
  assert(arrays_.values.size() == rows() * features());
  assert(arrays_.weights.empty() || arrays_.weights.size() == rows());
}

Dataset::Dataset(std::vector<bool> category_features, std::vector<size_t> dictionary_sizes, Arrays arrays, BinnedTable binned,
                 size_t classes)
    : is_category_(std::move(category_features)),
      dictionary_sizes_(std::move(dictionary_sizes)),
      arrays_(std::move(arrays)),
      classes_(classes) {
  std::call_once(binned_once_, [&] { binned_ = std::make_unique<BinnedTable>(std::move(binned)); });
}

const BinnedTable& Dataset::binned() const {
  std::call_once(binned_once_,
                 [this] { binned_ = std::make_unique<BinnedTable>(BinRows(view(), is_category_, dictionary_sizes_, bin_rows_)); });
  return *binned_;
}

}  // namespace everlearn
