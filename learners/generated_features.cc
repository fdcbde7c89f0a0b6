#include "learners/generated_features.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"

namespace everlearn {

namespace {

constexpr size_t kMostRows = 10'000;                      // that are looked at
constexpr size_t kFewestRows = 100;                       // below, nothing can be told from chance
constexpr size_t kMostNumbers = 12, kMostCategories = 6;  // that others are made of: those that explain most
constexpr size_t kMostFeatures = 64;                      // that have a curve
constexpr size_t kBins = 32, kMostClasses = 12, kRounds = 4;
constexpr double kStep = 0.5, kPrior = 10;  // of a round; rows of the mean 0 in each bin
constexpr double kErrors = 3;               // standard errors by which a gain must differ from none

// A sample of the training rows and what is left to be explained of their targets; of each two rows the first fits, the second counts.
class Residuals {
 public:
  Residuals(const TrainingRows& training, uint64_t seed) : data_(*training.data), rows_(training.rows.begin(), training.rows.end()) {
    Random random(seed);
    random.Shuffle(std::span(rows_));
    rows_.resize(std::min(rows_.size(), kMostRows));
    const size_t classes = data_.classes();
    width_ = classes > 2 ? classes : 1;
    left_.assign(rows_.size() * width_, 0.0);
    if (classes == 0) {
      // By their order: a few huge targets would drown all else.
      std::vector<uint32_t> order(rows_.size());
      std::iota(order.begin(), order.end(), 0u);
      std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return Target(a) < Target(b); });
      for (size_t first = 0, end = 0; first < order.size(); first = end) {
        while (end < order.size() && Target(order[end]) == Target(order[first])) ++end;
        for (size_t i = first; i < end; ++i) left_[order[i]] = static_cast<double>(first + end) / static_cast<double>(order.size());
      }
    } else {
      for (size_t i = 0; i < rows_.size(); ++i)
        left_[i * width_ + (width_ > 1 ? static_cast<size_t>(Target(i)) : 0)] = width_ > 1 ? 1 : Target(i);
    }
    for (size_t k = 0; k < width_; ++k) {
      double mean = 0;
      for (size_t i = 0; i < rows_.size(); ++i) mean += left_[i * width_ + k] / static_cast<double>(rows_.size());
      for (size_t i = 0; i < rows_.size(); ++i) left_[i * width_ + k] -= mean;
    }
  }

  size_t rows() const { return rows_.size(); }
  const double* row(size_t i) const { return data_.row(rows_[i]); }

  // The bin of each row: categories' own (rare ones share the last), numbers by quantiles of the rows that fit; missing ones have their
  // own.
  std::vector<uint8_t> Bins(const std::vector<double>& values, bool category) const {
    std::vector<uint8_t> bins(values.size());
    std::vector<double> cuts;
    if (!category) {
      for (size_t i = 0; i < values.size(); i += 2)
        if (!std::isnan(values[i])) cuts.push_back(values[i]);
      std::sort(cuts.begin(), cuts.end());
      std::vector<double> quantiles;
      for (size_t q = 1; q < kBins && !cuts.empty(); ++q) quantiles.push_back(cuts[q * cuts.size() / kBins]);
      quantiles.erase(std::unique(quantiles.begin(), quantiles.end()), quantiles.end());
      cuts = std::move(quantiles);
    }
    for (size_t i = 0; i < values.size(); ++i) {
      const double x = values[i];
      if (std::isnan(x)) bins[i] = kBins;
      else if (category) bins[i] = static_cast<uint8_t>(std::min(x, static_cast<double>(kBins - 1)));
      else bins[i] = static_cast<uint8_t>(std::upper_bound(cuts.begin(), cuts.end(), x) - cuts.begin());
    }
    return bins;
  }

  struct Gain {
    double mean = 0, error = 0;  // of the squared deviations that it takes away, a row
  };

  // The curve over bins that explains most, fitted on the rows that fit. `step` > 0: what it explains is taken away.
  Gain Explain(const std::vector<uint8_t>& bins, double step) {
    double weights[kBins + 1] = {};
    curve_.assign((kBins + 1) * width_, 0.0);
    for (size_t i = 0; i < rows_.size(); i += 2) {
      weights[bins[i]] += 1;
      for (size_t k = 0; k < width_; ++k) curve_[bins[i] * width_ + k] += left_[i * width_ + k];
    }
    for (size_t b = 0; b <= kBins; ++b)
      for (size_t k = 0; k < width_; ++k) curve_[b * width_ + k] /= weights[b] + kPrior;
    double sum = 0, squares = 0, count = 0;
    for (size_t i = 1; i < rows_.size(); i += 2) {
      double gain = 0;
      for (size_t k = 0; k < width_; ++k) {
        const double r = left_[i * width_ + k], f = curve_[bins[i] * width_ + k];
        gain += r * r - (r - f) * (r - f);
      }
      sum += gain;
      squares += gain * gain;
      ++count;
    }
    for (size_t i = 0; step > 0 && i < rows_.size(); ++i)
      for (size_t k = 0; k < width_; ++k) left_[i * width_ + k] -= step * curve_[bins[i] * width_ + k];
    const double mean = sum / count;
    return {mean, std::sqrt(std::max(0.0, squares / count - mean * mean) / count)};
  }

 private:
  double Target(size_t i) const { return data_.target()[rows_[i]]; }

  const Dataset& data_;
  std::vector<uint32_t> rows_;
  size_t width_;
  std::vector<double> left_;   // rows × width
  std::vector<double> curve_;  // bins × width
};

// The most of them by gain, in ascending order.
std::vector<uint32_t> Best(const std::vector<double>& gains, std::vector<uint32_t> features, size_t most) {
  std::stable_sort(features.begin(), features.end(), [&](uint32_t a, uint32_t b) { return gains[a] > gains[b]; });
  features.resize(std::min(features.size(), most));
  std::sort(features.begin(), features.end());
  return features;
}

}  // namespace

GeneratedFeatures::GeneratedFeatures(const TrainingRows& training, std::span<const uint32_t> validation,
                                     const GeneratedFeaturesOptions& options)
    : source_(training) {
  if (training.rows.size() < kFewestRows || training.data->classes() > kMostClasses) return;
  Choose(options);
  if (empty()) return;
  extended_ = ExtendRows(training, validation, chosen_.size(), [&](size_t, uint32_t row, double* out) {
    for (const GeneratedFeature& feature : chosen_) *out++ = feature.Of(training.data->row(row));
  });
}

void GeneratedFeatures::Choose(const GeneratedFeaturesOptions& options) {
  const Dataset& data = *source_.data;
  Residuals residuals(source_, options.seed);
  const auto values = [&](const auto& of) {
    std::vector<double> column(residuals.rows());
    for (size_t i = 0; i < column.size(); ++i) column[i] = of(residuals.row(i));
    return column;
  };
  std::vector<uint32_t> all(data.features()), numbers, categories;
  std::iota(all.begin(), all.end(), 0u);
  std::vector<std::vector<uint8_t>> bins(data.features());
  std::vector<double> gains(data.features());
  for (const uint32_t j : all) {
    bins[j] = residuals.Bins(values([j](const double* row) { return row[j]; }), data.is_category(j));
    gains[j] = residuals.Explain(bins[j], 0).mean;
    if (options.monotone.empty() || options.monotone[j] == 0) (data.is_category(j) ? categories : numbers).push_back(j);
  }
  const std::vector<uint32_t> curves = Best(gains, all, kMostFeatures);
  for (size_t round = 0; round < kRounds; ++round)
    for (const uint32_t j : curves) residuals.Explain(bins[j], kStep);

  struct Found {
    double gain;
    GeneratedFeature feature;
  };
  std::vector<Found> found;  // the best of each pair
  for (GeneratedFeature& candidate : Candidates(Best(gains, numbers, kMostNumbers), Best(gains, categories, kMostCategories))) {
    const auto gain = residuals.Explain(residuals.Bins(values([&](const double* row) { return candidate.Of(row); }), false), 0);
    if (!(gain.mean > kErrors * gain.error)) continue;
    const bool same_pair =
        !found.empty() && std::minmax(found.back().feature.a, found.back().feature.b) == std::minmax(candidate.a, candidate.b);
    if (!same_pair) found.push_back({gain.mean, std::move(candidate)});
    else if (gain.mean > found.back().gain) found.back() = {gain.mean, std::move(candidate)};
  }
  std::stable_sort(found.begin(), found.end(), [](const Found& x, const Found& y) { return x.gain > y.gain; });
  for (size_t i = 0; i < std::min(found.size(), options.most); ++i) chosen_.push_back(std::move(found[i].feature));
}

// Those of one pair stand together.
std::vector<GeneratedFeature> GeneratedFeatures::Candidates(const std::vector<uint32_t>& numbers,
                                                            const std::vector<uint32_t>& categories) const {
  using enum GeneratedFeature::Kind;
  std::vector<GeneratedFeature> candidates;
  for (size_t i = 0; i < numbers.size(); ++i) {
    for (size_t j = i + 1; j < numbers.size(); ++j) {
      const uint32_t a = numbers[i], b = numbers[j];
      for (const auto kind : {kSum, kDifference, kProduct, kRatio}) candidates.push_back({kind, a, b, {}, 0});
      candidates.push_back({kRatio, b, a, {}, 0});
    }
  }
  AddDistancesFromMeans(numbers, categories, &candidates);
  return candidates;
}

// All means in one pass over the rows.
void GeneratedFeatures::AddDistancesFromMeans(const std::vector<uint32_t>& numbers, const std::vector<uint32_t>& categories,
                                              std::vector<GeneratedFeature>* candidates) const {
  const Dataset& data = *source_.data;
  std::vector<GeneratedFeature> features;
  std::vector<std::vector<double>> weights;  // rows of each category
  std::vector<double> rows;                  // with a number
  for (const uint32_t a : numbers) {
    for (const uint32_t b : categories) {
      features.push_back({GeneratedFeature::kFromGroupMean, a, b, std::vector<double>(data.dictionary_size(b)), 0});
      weights.emplace_back(data.dictionary_size(b));
      rows.push_back(0);
    }
  }
  for (const uint32_t row : source_.rows) {
    const double* values = data.row(row);
    for (size_t f = 0; f < features.size(); ++f) {
      GeneratedFeature& feature = features[f];
      const double x = values[feature.a], category = values[feature.b];
      if (!std::isfinite(x)) continue;
      // Running means: sums of huge numbers would overflow.
      feature.mean += (x - feature.mean) / ++rows[f];
      if (!(category >= 0 && category < static_cast<double>(weights[f].size()))) continue;
      const auto c = static_cast<size_t>(category);
      feature.group_means[c] += (x - feature.group_means[c]) / ++weights[f][c];
    }
  }
  for (size_t f = 0; f < features.size(); ++f) {
    std::vector<double>& means = features[f].group_means;
    for (size_t c = 0; c < means.size(); ++c)
      if (weights[f][c] == 0) means[c] = features[f].mean;
    if (std::isfinite(features[f].mean) && std::all_of(means.begin(), means.end(), [](double m) { return std::isfinite(m); }))
      candidates->push_back(std::move(features[f]));
  }
}

std::shared_ptr<const Model> GeneratedFeatures::Wrap(std::shared_ptr<const Model> inner) const {
  return MakeGeneratedFeatures({source_.data->features(), chosen_, std::move(inner)});
}

double GeneratedFeaturesUnits(double rows, double features) {
  constexpr double kValue = 1e-5;  // 100 ns to make, sort and count a value
  const double numbers = std::min(features, static_cast<double>(kMostNumbers));
  const double candidates = numbers * (numbers - 1) / 2 * 5 + features * (1 + kRounds);
  return kValue * std::min(rows, static_cast<double>(kMostRows)) * candidates;
}

}  // namespace everlearn
