#include "learners/tree_ring.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace everlearn {

size_t TreeRing::Add(const std::vector<RingSplit>& splits) {
  const size_t place = Place(size_++);
  splits_.resize(std::max(splits_.size(), (place + 1) * splits_a_tree_));
  numbers_.resize(std::max(numbers_.size(), (place + 1) * leaves() * 2 * scores_));
  std::copy(splits.begin(), splits.end(), splits_.begin() + static_cast<ptrdiff_t>(place * splits_a_tree_));
  std::fill_n(Values(place, 0), leaves() * 2 * scores_, 0.0);
  return place;
}

void TreeRing::DropOldest() {
  oldest_ = Place(1);
  --size_;
}

size_t TreeRing::LeafOf(size_t place, const double* row) const {
  const RingSplit* splits = splits_.data() + place * splits_a_tree_;
  size_t node = 0;
  while (node < splits_a_tree_) {
    const RingSplit& split = splits[node];
    bool left = true;
    if (split.feature != BinSplit::kNone) {
      const double x = row[split.feature];
      if (split.is_category) {
        left = x >= 0 && x < static_cast<double>(kMostTreeBins - 1) && (split.codes >> static_cast<unsigned>(x) & 1) != 0;
      } else {
        left = std::isnan(x) ? split.missing_left != 0 : x <= split.threshold;
      }
    }
    node = 2 * node + (left ? 1 : 2);
  }
  return node - splits_a_tree_;
}

void TreeRing::AddScores(const double* row, double* values, double* steps) const {
  for (size_t age = 0; age < size_; ++age) {
    const size_t place = Place(age);
    const double* numbers = Values(place, LeafOf(place, row));
    for (size_t k = 0; k < scores_; ++k) {
      values[k] += numbers[k];
      steps[k] += numbers[scores_ + k];
    }
  }
}

void TreeRing::AppendTo(double factor, TreesParameters* model) const {
  if (model->category_offsets.empty()) model->category_offsets = {0};
  for (size_t age = 0; age < size_; ++age) AppendTree(Place(age), factor, model);
  if (model->category_offsets.size() == 1) model->category_offsets.clear();
}

void TreeRing::AppendTree(size_t place, double factor, TreesParameters* model) const {
  struct Open {
    size_t node;
    int32_t parent;
    bool is_left;
  };
  const RingSplit* splits = splits_.data() + place * splits_a_tree_;
  const size_t first = model->left.size();
  uint32_t leaf = 0;
  std::vector<Open> open{{0, -1, false}};
  while (!open.empty()) {
    Open o = open.back();
    open.pop_back();
    while (o.node < splits_a_tree_ && splits[o.node].feature == BinSplit::kNone) o.node = 2 * o.node + 1;
    const auto number = static_cast<int32_t>(model->left.size() - first);
    const bool is_leaf = o.node >= splits_a_tree_;
    if (o.parent >= 0) {
      std::vector<int32_t>& links = o.is_left ? model->left : model->right;
      links[first + static_cast<size_t>(o.parent)] = is_leaf ? ~static_cast<int32_t>(leaf) : number;
    }
    if (is_leaf) {
      const double* numbers = Values(place, o.node - splits_a_tree_);
      for (size_t k = 0; k < scores_; ++k) model->leaf_values.push_back(numbers[k] + factor * numbers[scores_ + k]);
      ++leaf;
      continue;
    }
    const RingSplit& split = splits[o.node];
    model->left.push_back(0);
    model->right.push_back(0);
    model->feature.push_back(split.feature);
    if (split.is_category) {
      model->threshold.push_back(static_cast<double>(model->category_offsets.size() - 1));
      model->flags.push_back(kSplitCategories);
      model->category_words.push_back(static_cast<uint32_t>(split.codes));
      model->category_words.push_back(static_cast<uint32_t>(split.codes >> 32));
      model->category_offsets.push_back(model->category_words.size());
    } else {
      model->threshold.push_back(split.threshold);
      model->flags.push_back(static_cast<uint8_t>(kSplitMissingNan | (split.missing_left ? kSplitDefaultLeft : 0)));
    }
    open.push_back({2 * o.node + 2, number, false});
    open.push_back({2 * o.node + 1, number, true});
  }
  model->leaves.push_back(leaf);
}

void TreeRing::Save(ByteWriter* out) const {
  out->PutVarint(oldest_);
  out->PutVarint(size_);
  out->PutVarint(splits_.size());
  for (const RingSplit& split : splits_) {
    out->Put(split.feature);
    out->Put(split.is_category);
    out->Put(split.missing_left);
    out->Put(split.codes);
    out->Put(split.threshold);
  }
  out->PutAll(numbers_);
}

void TreeRing::Load(const std::vector<BinnedFeature>& features, ByteReader* in) {
  const auto check = [](bool holds) {
    if (!holds) throw Error(ErrorKind::kDamaged, "stored trees of a stream are damaged");
  };
  oldest_ = in->GetVarint();
  size_ = in->GetVarint();
  const uint64_t splits = in->GetCount();
  const size_t places = splits / splits_a_tree_;
  check(splits % splits_a_tree_ == 0 && places <= most_ && size_ <= most_ && oldest_ < most_);
  check(places == most_ || (oldest_ == 0 && size_ <= places));
  splits_.assign(splits, RingSplit{});
  for (RingSplit& split : splits_) {
    split.feature = in->Get<uint32_t>();
    split.is_category = in->Get<uint8_t>();
    split.missing_left = in->Get<uint8_t>();
    split.codes = in->Get<uint64_t>();
    split.threshold = in->Get<double>();
    if (split.feature == BinSplit::kNone) continue;
    check(split.feature < features.size() && (split.is_category != 0) == features[split.feature].is_category);
    check(!std::isnan(split.threshold) && split.threshold != -std::numeric_limits<double>::infinity());
    check(split.is_category == 0 || split.codes >> (kMostTreeBins - 1) == 0);
  }
  numbers_ = in->GetAll<double>();
  check(numbers_.size() == places * leaves() * 2 * scores_);
  check(std::all_of(numbers_.begin(), numbers_.end(), [](double value) { return std::isfinite(value); }));
}

}  // namespace everlearn
