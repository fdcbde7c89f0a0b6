#include "search/conformal.h"

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

constexpr size_t kRowsABin = 500, kMaxBins = 30;
constexpr size_t kMaxScores = 399;  // of a bin: levels of 1/400, so the tails of 99 % lie on one

struct Pair {
  double prediction, score;
};

// The quantiles of levels j / (m + 1), j = 1 … m, of sorted scores; all of them where there are few.
void AppendQuantiles(std::vector<double> scores, size_t most, std::vector<double>* out) {
  std::sort(scores.begin(), scores.end());
  const size_t count = scores.size(), kept = std::min(count, most);
  for (size_t j = 1; j <= kept; ++j) {
    const double rank = static_cast<double>(j * (count + 1)) / static_cast<double>(kept + 1);
    // Outwards from the middle, as rounding does when they are used.
    const double rounded = 2 * j <= kept + 1 ? std::floor(rank) : std::ceil(rank);
    out->push_back(scores[static_cast<size_t>(std::clamp(rounded, 1.0, static_cast<double>(count))) - 1]);
  }
}

Intervals OfValues(std::vector<Pair> pairs, double coverage) {
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.prediction < b.prediction; });
  const size_t bins = std::clamp<size_t>(pairs.size() / kRowsABin, 1, kMaxBins);
  IntervalsParameters parameters{0, {}, {0}, {}, coverage};
  size_t first = 0;
  for (size_t bin = 0; bin < bins && first < pairs.size(); ++bin) {
    size_t end = pairs.size() * (bin + 1) / bins;
    // Equal predictions stay together.
    while (end < pairs.size() && end > 0 && pairs[end].prediction == pairs[end - 1].prediction) ++end;
    if (end <= first) continue;
    std::vector<double> scores;
    for (size_t i = first; i < end; ++i) scores.push_back(pairs[i].score);
    AppendQuantiles(std::move(scores), kMaxScores, &parameters.scores);
    parameters.begin.push_back(parameters.scores.size());
    if (end < pairs.size()) parameters.edges.push_back(pairs[end].prediction);
    first = end;
  }
  return Intervals(std::move(parameters));
}

}  // namespace

Intervals FitIntervals(std::span<const double> truth, std::span<const double> predictions, size_t classes, double coverage) {
  std::vector<Pair> pairs;
  std::vector<double> probabilities;  // of the true class
  for (size_t i = 0; i < truth.size(); ++i) {
    const double* row = &predictions[i * std::max<size_t>(classes, 1)];
    if (!std::isfinite(*row)) continue;
    if (classes == 0) pairs.push_back({*row, truth[i] - *row});
    else probabilities.push_back(row[static_cast<size_t>(truth[i])]);
  }
  if (pairs.empty() && probabilities.empty()) return {};
  if (classes == 0) return OfValues(std::move(pairs), coverage);
  IntervalsParameters parameters{classes, {}, {0}, {}, coverage};
  AppendQuantiles(std::move(probabilities), 2 * kMaxScores + 1, &parameters.scores);
  parameters.begin.push_back(parameters.scores.size());
  return Intervals(std::move(parameters));
}

}  // namespace everlearn
