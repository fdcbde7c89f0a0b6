#include "search/mixture_loss.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace everlearn {
namespace {

// Mean of -log p. Logarithms are taken of products of 16: held above 1e-15 each, they stay far from the smallest double.
double MeanLogLoss(std::span<const double> probabilities) {
  constexpr size_t kTogether = 16;
  double sum = 0;
  for (size_t first = 0; first < probabilities.size(); first += kTogether) {
    const size_t end = std::min(first + kTogether, probabilities.size());
    double product = 1;
    for (size_t i = first; i < end; ++i) product *= std::min(std::max(probabilities[i], 1e-15), 1 - 1e-15);
    sum -= std::log(product);
  }
  return sum / static_cast<double>(probabilities.size());
}

double MeanSquaredError(std::span<const double> values, std::span<const double> truth) {
  std::array<double, 4> sums{};  // independent, so that they overlap
  for (size_t i = 0; i < values.size(); ++i) sums[i % 4] += (values[i] - truth[i]) * (values[i] - truth[i]);
  return (sums[0] + sums[1] + sums[2] + sums[3]) / static_cast<double>(values.size());
}

// Ascending, by 11 bits at a time.
void RadixSort(std::vector<uint32_t>* keys) {
  constexpr int kBits = 11;
  std::vector<uint32_t> other(keys->size());
  for (int shift = 0; shift < 32; shift += kBits) {
    std::array<uint32_t, (1 << kBits) + 1> begin{};
    const auto digit = [shift](uint32_t key) { return (key >> shift) & ((1 << kBits) - 1); };
    for (const uint32_t key : *keys) ++begin[digit(key) + 1];
    for (size_t d = 1; d < begin.size(); ++d) begin[d] += begin[d - 1];
    for (const uint32_t key : *keys) other[begin[digit(key)]++] = key;
    keys->swap(other);
  }
}

// 1 − area under the curve. A key is the bits of a probability, which as a float ≥ 0 have its order, with the class in the last.
double AreaAbove(std::span<const double> probabilities, std::span<const double> truth) {
  std::vector<uint32_t> keys(probabilities.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto bits = std::bit_cast<uint32_t>(static_cast<float>(std::max(probabilities[i], 0.0)));
    keys[i] = (bits & ~1U) | (truth[i] == 1 ? 1U : 0U);
  }
  RadixSort(&keys);
  double above = 0, positives = 0, negatives = 0;
  for (size_t i = 0; i < keys.size();) {
    double group_positives = 0, group = 0;
    const uint32_t rank = keys[i] >> 1;
    for (; i < keys.size() && keys[i] >> 1 == rank; ++i) {
      group_positives += keys[i] & 1U;
      ++group;
    }
    const double group_negatives = group - group_positives;
    above += group_negatives * (positives + group_positives / 2);
    positives += group_positives;
    negatives += group_negatives;
  }
  return above / (positives * negatives);
}

}  // namespace

MixtureLoss::MixtureLoss(const std::string& metric, size_t classes, bool weighted)
    : metric_(&Metrics().Get(metric)), classes_(classes), outputs_(classes == 0 ? 1 : classes) {
  if (weighted) return;
  if (metric == "log_loss") form_ = Form::kTrueProbability;
  if (metric == "rmse" || metric == "mse" || metric == "r2") form_ = Form::kSquaredError;
  if (metric == "auc" && classes == 2) form_ = Form::kArea;
}

std::vector<double> MixtureLoss::Gather(std::span<const double> predictions, std::span<const double> truth,
                                        std::span<const uint32_t> rows) const {
  std::vector<double> gathered(rows.size() * width());
  for (size_t i = 0; i < rows.size(); ++i) {
    const double* row = &predictions[rows[i] * outputs_];
    switch (form_) {
      case Form::kTrueProbability:
        gathered[i] = row[static_cast<size_t>(truth[rows[i]])];
        break;
      case Form::kArea:
        gathered[i] = row[1];
        break;
      case Form::kSquaredError:
      case Form::kAny:
        std::copy_n(row, width(), &gathered[i * width()]);
        break;
    }
  }
  return gathered;
}

size_t MixtureLoss::enough_rows() const {
  // A measure may sort the rows once a class.
  constexpr size_t kSorted = 20'000, kLeast = 2'000;
  if (form_ == Form::kAny) return std::max(kLeast, kSorted / std::max<size_t>(1, classes_ / 2));
  return form_ == Form::kArea ? kSorted : 50'000;
}

double MixtureLoss::Of(std::span<const double> gathered, std::span<const double> truth, std::span<const double> weights) const {
  double loss = 0;
  switch (form_) {
    case Form::kTrueProbability:
      loss = MeanLogLoss(gathered);
      break;
    case Form::kSquaredError:
      loss = std::sqrt(MeanSquaredError(gathered, truth));
      break;
    case Form::kArea:
      loss = AreaAbove(gathered, truth);
      break;
    case Form::kAny: {
      const double value = metric_->compute({truth, gathered, classes_, weights});
      loss = metric_->higher_is_better ? -value : value;
      break;
    }
  }
  return std::isnan(loss) ? std::numeric_limits<double>::infinity() : loss;
}

}  // namespace everlearn
