#include "learners/stream_features.h"

#include <unordered_set>

#include "kernels/running_moments.h"

namespace everlearn {
namespace {

constexpr double kNumberLimit = 3;  // of standardised numbers
constexpr double kJudgedNumbers = 256;

}  // namespace

StreamFeatures::StreamFeatures(const StreamShape& shape, int bits, bool sparse_zeros)
    : features_(shape.features()), bits_(bits), sparse_zeros_(sparse_zeros) {
  HashedFeatures table;
  table.bits = bits;
  std::unordered_set<uint32_t> places;
  for (uint32_t j = 0; j < features_; ++j) {
    if (shape.is_category[j]) {
      categories_.push_back(j);
      continue;
    }
    columns_.push_back(j);
    hashes_.push_back(FeatureHash(j, kHashedNumber));
    shared_.push_back(places.insert(PlaceOf(hashes_.back(), table.mask())).second ? 0 : 1);
  }
  if (places.size() == columns_.size()) shared_.clear();
  const size_t numbers = columns_.size();
  for (auto* array : {&count_, &mean_, &squares_, &raw_, &numbers_}) array->assign(numbers, 0.0);
  deviation_.assign(numbers, 1.0);
  early_ = EarlyMoments(numbers);
  if (!sparse_zeros) return;
  for (auto* array : {&judged_, &zeros_, &present_, &square_, &centre_}) array->assign(numbers, 0.0);
  scale_.assign(numbers, 1.0);
}

void StreamFeatures::Learn(const double* row) {
  for (size_t i = 0; i < columns_.size(); ++i) raw_[i] = row[columns_[i]];
  const MomentArrays moments{count_.data(), mean_.data(), squares_.data(), deviation_.data()};
  AddToMoments(moments, raw_.data(), columns_.size());
  early_.Add(moments, raw_.data());
  if (sparse_zeros_) LearnZeros();
}

void StreamFeatures::LearnZeros() {
  for (size_t i = 0; i < columns_.size(); ++i) {
    const double x = raw_[i];
    if (std::isnan(x)) continue;
    const bool judging = judged_[i] < kJudgedNumbers;
    if (judging) {
      judged_[i] += 1;
      zeros_[i] += x == 0 ? 1 : 0;
    }
    if (x != 0) {
      present_[i] += 1;
      double size = std::min(std::abs(x), kLargestStreamValue);
      if (present_[i] > kRowsBeforeOutliers) size = std::min(size, kOutlierDeviations * std::sqrt(square_[i]));
      square_[i] += (size * size - square_[i]) / present_[i];
    }
    if (2 * zeros_[i] < judged_[i]) {
      centre_[i] = mean_[i];
      scale_[i] = deviation_[i];
    } else if (judging || x != 0) {
      centre_[i] = 0;
      scale_[i] = square_[i] > 1e-200 ? std::sqrt(square_[i]) : 1.0;
    }
  }
}

void StreamFeatures::Read(const double* row) const {
  hashed_.clear();
  for (size_t i = 0; i < columns_.size(); ++i) {
    raw_[i] = row[columns_[i]];
    if (std::isnan(raw_[i])) hashed_.push_back({FeatureHash(columns_[i], kHashedMissing), 1.0, false});
  }
  Standardise(raw_.data(), centre().data(), scale().data(), kNumberLimit, columns_.size(), numbers_.data());
  for (size_t i = 0; i < shared_.size(); ++i) {
    if (shared_[i] == 0 || numbers_[i] == 0) continue;
    hashed_.push_back({hashes_[i], numbers_[i], true});
    numbers_[i] = 0;
  }
  for (const uint32_t j : categories_) hashed_.push_back({FeatureHash(j, CategoryCode(row[j])), 1.0, false});
}

HashedFeatures StreamFeatures::Features() const {
  HashedFeatures features;
  features.is_category.assign(features_, 0);
  features.mean.assign(features_, 0.0);
  features.scale.assign(features_, 1.0);
  for (const uint32_t j : categories_) features.is_category[j] = 1;
  for (size_t i = 0; i < columns_.size(); ++i) {
    features.mean[columns_[i]] = centre()[i];
    features.scale[columns_[i]] = scale()[i];
  }
  features.bits = bits_;
  features.limit = kNumberLimit;
  return features;
}

void StreamFeatures::Save(ByteWriter* out) const {
  out->PutAll(categories_);
  for (const auto* array : {&count_, &mean_, &squares_, &deviation_}) out->PutAll(*array);
  early_.Save(out);
  if (!sparse_zeros_) return;
  for (const auto* array : {&judged_, &zeros_, &present_, &square_, &centre_, &scale_}) out->PutAll(*array);
}

void StreamFeatures::Load(ByteReader* in) {
  const auto read = [&](std::vector<double>* array, bool positive) {
    const auto values = in->GetAll<double>();
    const bool fits = values.size() == columns_.size() && std::all_of(values.begin(), values.end(), [positive](double value) {
                        return std::isfinite(value) && (!positive || value > 0);
                      });
    if (!fits) throw Error(ErrorKind::kDamaged, "a stored state of an online learner does not fit its features");
    *array = values;
  };
  if (in->GetAll<uint32_t>() != categories_) throw Error(ErrorKind::kDamaged, "a stored state of an online learner has other categories");
  for (auto* array : {&count_, &mean_, &squares_}) read(array, false);
  read(&deviation_, true);
  early_.Load(in);
  if (!sparse_zeros_) return;
  for (auto* array : {&judged_, &zeros_, &present_, &square_, &centre_}) read(array, false);
  read(&scale_, true);
}

}  // namespace everlearn
