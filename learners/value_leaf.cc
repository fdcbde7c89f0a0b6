#include "learners/value_leaf.h"

#include <algorithm>
#include <limits>

namespace everlearn {
namespace {

constexpr size_t kFirstRows = 50;
constexpr size_t kBins = 32;
constexpr double kLeastShare = 0.01, kLeastWeight = 5;  // on each side of a split
constexpr double kLargestSum = 1e250;                   // of squares of the largest targets of any number of rows
constexpr double kLargestCoefficient = 1e150;
constexpr double kErrorFading = 0.99;
constexpr double kLeastStep = 0.02;  // of the linear model

}  // namespace

LearningValueLeaf::LearningValueLeaf(ValueLeaf like, double weight, std::span<const uint32_t> columns,
                                     const std::vector<uint8_t>& is_category)
    : shown(std::move(like)), weight_(weight) {
  for (const uint32_t column : columns) (is_category[column] ? categories_ : numbers_).push_back(column);
  slots_.assign(categories_.size(), std::vector<Sums>(1));
  CountBytes();
}

void LearningValueLeaf::Learn(const PreparedRow& row, double target, double weight, bool may_grow) {
  if (rows_ == 0) shift_ = target;
  LearnModels(row, target, weight);
  if (!placed_ && !may_grow && rows_ >= kFirstRows - 1) return;
  seen_.Add(target - shift_, weight);
  ++rows_;
  if (placed_) return AddToBins(row.values.data(), target, weight, may_grow);
  for (const uint32_t column : numbers_) first_.push_back(row.values[column]);
  for (const uint32_t column : categories_) first_.push_back(row.values[column]);
  first_.push_back(target);
  first_.push_back(weight);
  if (rows_ >= kFirstRows) PlaceBins();
}

// The linear model takes a step of normalised least mean squares.
void LearningValueLeaf::LearnModels(const PreparedRow& row, double target, double weight) {
  const double linear_miss = target - (weight_ > 0 ? PredictLinear(shown, row.scaled.data()) : shown.mean), mean_miss = target - shown.mean;
  mean_error_ = kErrorFading * mean_error_ + mean_miss * mean_miss;
  linear_error_ = kErrorFading * linear_error_ + linear_miss * linear_miss;
  shown.linear = linear_error_ < mean_error_;
  if (weight_ == 0) {
    shown.low = shown.high = target;
    shown.weights.back() = target;
  }
  shown.low = std::min(shown.low, target);
  shown.high = std::max(shown.high, target);
  weight_ += weight;
  shown.mean += weight / weight_ * mean_miss;
  double length = 1, score = shown.weights.back();
  const size_t columns = shown.weights.size() - 1;
  for (size_t j = 0; j < columns; ++j) {
    length += row.scaled[j] * row.scaled[j];
    score += shown.weights[j] * row.scaled[j];
  }
  const double rate = weight * std::max(kLeastStep, 1 / std::sqrt(weight_));
  const double step = std::min(1.0, rate) / length * (target - score);
  for (size_t j = 0; j < columns; ++j) shown.weights[j] += step * row.scaled[j];
  shown.weights.back() += step;
}

void LearningValueLeaf::PlaceBins() {
  const size_t stride = numbers_.size() + categories_.size() + 2, rows = first_.size() / stride;
  edges_.assign(numbers_.size() * (kBins - 1), std::numeric_limits<double>::infinity());
  bins_.assign(numbers_.size() * (kBins + 1), Sums{});
  std::vector<double> known;
  for (size_t j = 0; j < numbers_.size(); ++j) {
    known.clear();
    for (size_t i = 0; i < rows; ++i)
      if (const double x = first_[i * stride + j]; x == x) known.push_back(x);
    std::sort(known.begin(), known.end());
    double* edge = edges_.data() + j * (kBins - 1);
    for (size_t b = 1, placed = 0; b < kBins; ++b) {
      const size_t at = b * known.size() / kBins;
      if (at == 0 || !(known[at - 1] < known[at])) continue;
      edge[placed++] = known[at - 1] + (known[at] - known[at - 1]) / 2;
    }
  }
  placed_ = true;
  uint32_t columns = 0;
  for (const uint32_t column : numbers_) columns = std::max(columns, column + 1);
  for (const uint32_t column : categories_) columns = std::max(columns, column + 1);
  std::vector<double> values(columns);
  for (size_t i = 0; i < rows; ++i) {
    const double* row = first_.data() + i * stride;
    for (size_t j = 0; j < numbers_.size(); ++j) values[numbers_[j]] = row[j];
    for (size_t j = 0; j < categories_.size(); ++j) values[categories_[j]] = row[numbers_.size() + j];
    AddToBins(values.data(), row[stride - 2], row[stride - 1], true);
  }
  first_ = {};
  CountBytes();
}

void LearningValueLeaf::AddToBins(const double* values, double target, double weight, bool may_grow) {
  for (size_t j = 0; j < numbers_.size(); ++j) {
    const double x = values[numbers_[j]];
    const double* edge = edges_.data() + j * (kBins - 1);
    const auto bin = x != x ? kBins : static_cast<size_t>(std::lower_bound(edge, edge + kBins - 1, x) - edge);
    bins_[j * (kBins + 1) + bin].Add(target - shift_, weight);
  }
  for (size_t j = 0; j < categories_.size(); ++j) {
    const double x = values[categories_[j]];
    const size_t slot = x != x ? 0 : 1 + static_cast<size_t>(x);
    if (slot >= slots_[j].size()) {
      if (!may_grow) continue;
      slots_[j].resize(std::min<size_t>(kCategorySlots + 1, std::max(slot + 1, slots_[j].size() * 2)));
      CountBytes();
    }
    slots_[j][slot].Add(target - shift_, weight);
  }
}

// Lowering of the variance: the share of both sides times the square of what lies between their means.
StreamSplit LearningValueLeaf::Split(const Sums& left, const Sums& missing, uint32_t feature, uint32_t flags, double threshold) const {
  Sums a = left, b = seen_ - left - missing;
  const double least = std::max(kLeastWeight, kLeastShare * seen_.weight);
  if (a.weight < least || b.weight < least) return {};
  bool missing_left = a.weight >= b.weight;
  if (missing.weight > 0) {
    const double mean = missing.sum / missing.weight;
    missing_left = std::abs(mean - a.sum / a.weight) <= std::abs(mean - b.sum / b.weight);
    (missing_left ? a : b) += missing;
  }
  const double between = a.sum / a.weight - b.sum / b.weight;
  const double merit = (a.weight / seen_.weight) * (b.weight / seen_.weight) * between * between;
  return {merit, feature, flags | (missing_left ? StreamNode::kMissingLeft : 0), threshold};
}

StreamSplit LearningValueLeaf::SearchNumber(size_t j) const {
  StreamSplit best;
  const Sums* bins = bins_.data() + j * (kBins + 1);
  const double* edge = edges_.data() + j * (kBins - 1);
  Sums left;
  for (size_t b = 0; b + 1 < kBins && std::isfinite(edge[b]); ++b) {
    left += bins[b];
    const StreamSplit split = Split(left, bins[kBins], numbers_[j], 0, edge[b]);
    if (split.merit > best.merit) best = split;
  }
  return best;
}

StreamSplit LearningValueLeaf::SearchCategory(size_t j) const {
  StreamSplit best;
  for (size_t slot = 1; slot < slots_[j].size(); ++slot) {
    const StreamSplit split = Split(slots_[j][slot], slots_[j][0], categories_[j], StreamNode::kCategory, static_cast<double>(slot - 1));
    if (split.merit > best.merit) best = split;
  }
  return best;
}

SplitSearch LearningValueLeaf::Search() const {
  SplitSearch search;
  for (size_t j = 0; j < numbers_.size(); ++j) search.Compare(SearchNumber(j));
  for (size_t j = 0; j < categories_.size(); ++j) search.Compare(SearchCategory(j));
  const double mean = seen_.sum / seen_.weight, variance = seen_.squares / seen_.weight - mean * mean;
  search.evidence = -seen_.weight * std::log(std::max(1 - search.best.merit / variance, 1e-300));
  return search;
}

void LearningValueLeaf::Divide(const StreamSplit& split, double weights[2], double means[2]) const {
  Sums left, missing;
  if ((split.flags & StreamNode::kCategory) != 0) {
    const auto j = static_cast<size_t>(std::find(categories_.begin(), categories_.end(), split.feature) - categories_.begin());
    left = slots_[j][1 + static_cast<size_t>(split.threshold)];
    missing = slots_[j][0];
  } else {
    const auto j = static_cast<size_t>(std::find(numbers_.begin(), numbers_.end(), split.feature) - numbers_.begin());
    for (size_t b = 0; b + 1 < kBins && edges_[j * (kBins - 1) + b] <= split.threshold; ++b) left += bins_[j * (kBins + 1) + b];
    missing = bins_[j * (kBins + 1) + kBins];
  }
  Sums right = seen_ - left - missing;
  ((split.flags & StreamNode::kMissingLeft) != 0 ? left : right) += missing;
  weights[0] = left.weight;
  weights[1] = right.weight;
  means[0] = shift_ + left.sum / left.weight;
  means[1] = shift_ + right.sum / right.weight;
}

// The first rows count from the start.
void LearningValueLeaf::CountBytes() {
  size_t sums = bins_.size();
  for (const auto& slots : slots_) sums += slots.size() + 1;
  const size_t first = placed_ ? 0 : kFirstRows * (numbers_.size() + categories_.size() + 2);
  bytes_ =
      sizeof *this + 8 * (shown.weights.size() + first + edges_.size()) + sizeof(Sums) * sums + 4 * (numbers_.size() + categories_.size());
}

void LearningValueLeaf::Save(ByteWriter* out) const {
  for (const double number : {shown.mean, shown.low, shown.high, weight_, mean_error_, linear_error_, shift_, next_attempt})
    out->Put(number);
  out->Put(shown.linear);
  out->PutAll(shown.weights);
  out->Put(rows_);
  out->Put(placed_);
  out->Put(seen_);
  out->PutAll(numbers_);
  out->PutAll(categories_);
  out->PutAll(first_);
  out->PutAll(edges_);
  out->PutAll(bins_);
  for (const auto& slots : slots_) out->PutAll(slots);
}

void LearningValueLeaf::Load(ByteReader* in, const std::vector<uint8_t>& is_category) {
  const auto check = [](bool holds) {
    if (!holds) throw Error(ErrorKind::kDamaged, "a stored leaf of a stream's tree is wrong");
  };
  for (double* number : {&shown.mean, &shown.low, &shown.high, &weight_, &mean_error_, &linear_error_, &shift_, &next_attempt}) {
    *number = in->Get<double>();
    check(std::abs(*number) <= kLargestSum);
  }
  shown.linear = in->Get<bool>();
  shown.weights = in->GetAll<double>();
  rows_ = in->Get<uint64_t>();
  placed_ = in->Get<bool>();
  seen_ = in->Get<Sums>();
  numbers_ = in->GetAll<uint32_t>();
  categories_ = in->GetAll<uint32_t>();
  first_ = in->GetAll<double>();
  edges_ = in->GetAll<double>();
  bins_ = in->GetAll<Sums>();
  for (const uint32_t column : numbers_) check(column < is_category.size() && !is_category[column]);
  for (const uint32_t column : categories_) check(column < is_category.size() && is_category[column]);
  slots_.assign(categories_.size(), {});
  for (auto& slots : slots_) {
    slots = in->GetAll<Sums>();
    check(slots.size() >= 1 && slots.size() <= kCategorySlots + 1);
  }
  const size_t stride = numbers_.size() + categories_.size() + 2;
  const auto right = [](const Sums& sums) {
    return sums.weight >= 0 && sums.weight <= kLargestSum && std::abs(sums.sum) <= kLargestSum && sums.squares >= 0 &&
           sums.squares <= kLargestSum;
  };
  check(right(seen_) && std::all_of(bins_.begin(), bins_.end(), right));
  for (const auto& slots : slots_) check(std::all_of(slots.begin(), slots.end(), right));
  for (const double coefficient : shown.weights) check(std::abs(coefficient) <= kLargestCoefficient);
  for (const double target : {shown.mean, shown.low, shown.high, shift_})
    check(std::abs(target) <= 2 * kLargestTreeNumber);  // with rounding
  check(weight_ >= 0 && mean_error_ >= 0 && linear_error_ >= 0 &&
        std::none_of(edges_.begin(), edges_.end(), [](double x) { return x != x; }));
  check(shown.low <= shown.high && shown.weights.size() == is_category.size() + 1 && first_.size() == (placed_ ? 0 : rows_ * stride));
  check(edges_.size() == (placed_ ? numbers_.size() * (kBins - 1) : 0) && bins_.size() == (placed_ ? numbers_.size() * (kBins + 1) : 0));
  for (size_t i = numbers_.size(); i < first_.size(); ++i)
    if (const size_t at = i % stride; at >= numbers_.size() && at < stride - 2) check(!(first_[i] < 0) && !(first_[i] >= kCategorySlots));
  for (size_t i = 0; i < first_.size(); ++i)
    check(i % stride < stride - 2 ? !(std::abs(first_[i]) > kLargestTreeNumber) : std::abs(first_[i]) <= kLargestTreeNumber);
  CountBytes();
}

}  // namespace everlearn
