#include "learners/tree_stream.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace everlearn {
namespace {

constexpr double kCategoryRows = 1000;  // the effect of a category follows the newest
constexpr double kCalmRows = 5;         // with an effect of 0, that every category begins with
constexpr double kErrorReach = 3;       // deviations of the target that are the largest error

}  // namespace

TreeStream::TreeStream(const StreamShape& shape) : classes_(shape.classes), early_columns_(shape.features()) {
  const size_t columns = shape.features();
  scale_.is_category.assign(shape.is_category.begin(), shape.is_category.end());
  scale_.mean.assign(columns, 0.0);
  scale_.deviation.assign(columns, 1.0);
  count_.assign(columns, 0.0);
  squares_.assign(columns, 0.0);
  const auto categories = static_cast<size_t>(std::count(shape.is_category.begin(), shape.is_category.end(), true));
  scale_.effects.assign(classes_ == 0 ? categories * kCategorySlots : 0, 0.0);
  category_count_ = scale_.effects;
}

double TreeStream::LearnTarget(double target) {
  if (classes_ > 0) return target;
  return targets_.Learn(target);
}

bool TreeStream::LearnColumns(const PreparedRow& row, double held_target) {
  const MomentArrays moments{count_.data(), scale_.mean.data(), squares_.data(), scale_.deviation.data()};
  AddToMoments(moments, row.values.data(), count_.size());
  numbers_.assign(row.values.begin(), row.values.end());
  for (size_t j = 0; j < numbers_.size(); ++j)
    if (scale_.is_category[j]) numbers_[j] = std::numeric_limits<double>::quiet_NaN();
  const bool absurd = early_columns_.Add(moments, numbers_.data()) || targets_.was_absurd();
  if (classes_ > 0) return absurd;
  if (targets_.was_absurd()) {
    for (auto* values : {&scale_.effects, &category_count_}) std::fill(values->begin(), values->end(), 0.0);
  }
  const double deviations = (held_target - targets_.mean()) / targets_.deviation();
  size_t first = 0;  // effect of the next category column
  for (size_t j = 0; j < count_.size(); ++j) {
    if (!scale_.is_category[j]) continue;
    const double x = row.values[j];
    const size_t at = first + (x == x ? static_cast<size_t>(x) : 0);
    first += kCategorySlots;
    if (x != x) continue;
    category_count_[at] = std::min(category_count_[at] + 1, kCategoryRows);
    scale_.effects[at] += (deviations - scale_.effects[at]) / (category_count_[at] + kCalmRows);
  }
  return absurd;
}

double TreeStream::ErrorOf(const double* said, double target) const {
  if (classes_ > 0) return LossOf(said, target);
  return std::min(std::abs(said[0] - target) / targets_.deviation() / kErrorReach, 1.0);
}

double TreeStream::LossOf(const double* said, double target) const {
  if (classes_ > 0) return std::max_element(said, said + classes_) - said == static_cast<ptrdiff_t>(target) ? 0 : 1;
  const double deviations = std::min(std::abs(said[0] - target) / targets_.deviation(), kOutlierDeviations);
  return deviations * deviations;
}

void TreeStream::LearnSharpness(const double* said, double target) {
  if (classes_ < 2) return;
  scores_.resize(classes_);
  for (size_t k = 0; k < classes_; ++k) scores_[k] = QuickLog(std::max(said[k], 1e-12));
  sharpened_.assign(said, said + classes_);
  Sharpen(sharpness(), classes_, sharpened_.data());
  temperature_.Add(scores_.data(), sharpened_.data(), classes_, static_cast<size_t>(target));
}

void TreeStream::Save(ByteWriter* out) const {
  for (const auto* values : {&count_, &scale_.mean, &squares_, &scale_.deviation}) out->PutAll(*values);
  out->PutAll(scale_.effects);
  out->PutAll(category_count_);
  targets_.Save(out);
  early_columns_.Save(out);
  temperature_.Save(out);
}

void TreeStream::Load(ByteReader* in) {
  const auto check = [](bool holds) {
    if (!holds) throw Error(ErrorKind::kDamaged, "a stored state of trees on a stream does not fit its columns");
  };
  const size_t columns = count_.size();
  for (auto* values : {&count_, &scale_.mean, &squares_, &scale_.deviation}) {
    *values = in->GetAll<double>();
    check(values->size() == columns && std::all_of(values->begin(), values->end(), [](double v) { return std::isfinite(v); }));
  }
  check(std::all_of(scale_.mean.begin(), scale_.mean.end(), [](double mean) { return std::abs(mean) <= 2 * kLargestStreamValue; }));
  check(std::all_of(scale_.deviation.begin(), scale_.deviation.end(), [](double d) { return d > 0 && d <= 2 * kLargestStreamValue; }));
  for (const auto* values : {&count_, &squares_}) check(std::all_of(values->begin(), values->end(), [](double v) { return v >= 0; }));
  const size_t effects = scale_.effects.size();
  for (auto* values : {&scale_.effects, &category_count_}) {
    *values = in->GetAll<double>();
    check(values->size() == effects && std::all_of(values->begin(), values->end(), [](double v) { return std::isfinite(v); }));
  }
  check(std::all_of(category_count_.begin(), category_count_.end(), [](double count) { return count >= 0; }));
  targets_.Load(in);
  early_columns_.Load(in);
  temperature_.Load(in);
}

}  // namespace everlearn
