#include "search/decision.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/random.h"

namespace everlearn {
namespace {

constexpr size_t kMaxRows = 20'000;
constexpr size_t kSplits = 5;  // two halves each
constexpr size_t kThresholds = 200;
constexpr size_t kFewClasses = 10;  // up to which each has a weight of its own
constexpr std::array<double, 9> kPowers = {0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1, 1.25};
constexpr std::array<double, 6> kFactors = {0.5, 0.7, 0.85, 1.2, 1.4, 2};
constexpr int kRounds = 3;

struct Rows {
  std::vector<double> truth, predictions, weights;
  size_t classes;

  void Add(double t, const double* row, double weight) {
    truth.push_back(t);
    predictions.insert(predictions.end(), row, row + classes);
    weights.push_back(weight);
  }
  // Higher is better; worse than all else where the measure is not defined.
  double Value(const Metric& metric, std::span<const double> decision) const {
    const double value = metric.compute({truth, predictions, classes, weights, decision});
    return std::isnan(value) ? -HUGE_VAL : metric.higher_is_better ? value : -value;
  }
};

// Keeps the better of two decisions.
struct Best {
  const Metric& metric;
  const Rows& rows;
  std::vector<double> decision;
  double value;

  bool Try(std::vector<double> other) {
    const double found = rows.Value(metric, other);
    if (!(found > value)) return false;
    value = found;
    decision = std::move(other);
    return true;
  }
};

// Thresholds between quantiles of the probability of class 1.
void ChooseThreshold(Best* best) {
  std::vector<double> odds;
  for (size_t i = 0; i < best->rows.truth.size(); ++i) {
    const double p = std::clamp(best->rows.predictions[2 * i + 1], 1e-12, 1 - 1e-12);
    odds.push_back(p / (1 - p));
  }
  std::sort(odds.begin(), odds.end());
  for (size_t k = 1; k < kThresholds; ++k) {
    const size_t at = odds.size() * k / kThresholds;
    if (at == 0 || odds[at] == odds[at - 1]) continue;
    best->Try({std::pow(odds[at] * odds[at - 1], 0.25), std::pow(odds[at] * odds[at - 1], -0.25)});
  }
}

void ChooseWeights(Best* best) {
  const size_t classes = best->rows.classes;
  std::vector<double> share(classes, 1);  // one row more than there are: none is empty
  for (size_t i = 0; i < best->rows.truth.size(); ++i) share[static_cast<size_t>(best->rows.truth[i])] += best->rows.weights[i];
  for (const double power : kPowers) {
    std::vector<double> decision;
    for (const double s : share) decision.push_back(std::pow(s, -power));
    best->Try(std::move(decision));
  }
  if (classes > kFewClasses) return;
  bool better = true;
  for (int round = 0; round < kRounds && better; ++round) {
    better = false;
    for (size_t c = 0; c < classes; ++c) {
      for (const double factor : kFactors) {
        std::vector<double> decision = best->decision;
        decision[c] *= factor;
        better = best->Try(std::move(decision)) || better;
      }
    }
  }
}

// Logarithms of weights, their sum 0.
std::vector<double> ChooseLogWeights(const Metric& metric, const Rows& rows) {
  std::vector<double> none(rows.classes, 1.0);
  Best best{metric, rows, none, rows.Value(metric, none)};
  if (rows.classes == 2) ChooseThreshold(&best);
  else ChooseWeights(&best);
  std::vector<double> logs;
  for (const double weight : best.decision) logs.push_back(std::log(weight));
  const double mean = std::accumulate(logs.begin(), logs.end(), 0.0) / static_cast<double>(logs.size());
  for (double& log : logs) log -= mean;
  return logs;
}

std::vector<double> Exponentials(std::vector<double> logs) {
  for (double& log : logs) log = std::exp(log);
  return logs;
}

}  // namespace

bool DependsOnDecision(const Metric& metric) {
  if (!metric.binary) return false;
  const std::vector<double> truth{0, 1, 0, 1}, predictions{0.6, 0.4, 0.4, 0.6, 0.7, 0.3, 0.2, 0.8}, decision{1, 1000};
  return metric.compute({truth, predictions, 2}) != metric.compute({truth, predictions, 2, {}, decision});
}

std::vector<double> TuneDecision(const Metric& metric, std::span<const double> truth, std::span<const double> predictions,
                                 std::span<const double> weights, size_t classes, uint64_t seed) {
  if (classes < 2 || !DependsOnDecision(metric)) return {};
  std::vector<uint32_t> order;
  for (size_t i = 0; i < truth.size(); ++i) {
    if (!std::isnan(predictions[i * classes])) order.push_back(static_cast<uint32_t>(i));
  }
  Random random = Random::Derive(seed, 0);
  random.Shuffle(std::span(order));
  order.resize(std::min(order.size(), kMaxRows));
  if (order.size() < 20) return {};

  std::vector<double> gains, logs(classes, 0.0);
  for (size_t split = 0; split < kSplits; ++split) {
    random.Shuffle(std::span(order));
    Rows halves[2] = {{{}, {}, {}, classes}, {{}, {}, {}, classes}};
    for (size_t i = 0; i < order.size(); ++i)
      halves[i % 2].Add(truth[order[i]], &predictions[order[i] * classes], weights.empty() ? 1 : weights[order[i]]);
    for (int half = 0; half < 2; ++half) {
      const std::vector<double> chosen = ChooseLogWeights(metric, halves[half]);
      for (size_t c = 0; c < classes; ++c) logs[c] += chosen[c] / (2 * kSplits);
      gains.push_back(halves[1 - half].Value(metric, Exponentials(chosen)) - halves[1 - half].Value(metric, {}));
    }
  }
  const double mean = std::accumulate(gains.begin(), gains.end(), 0.0) / static_cast<double>(gains.size());
  double squares = 0;
  for (const double gain : gains) squares += (gain - mean) * (gain - mean);
  // The halves share their rows: their gains are at most as good as kSplits independent ones.
  const double error = std::sqrt(squares / static_cast<double>(gains.size() - 1) / kSplits);
  return mean > error ? Exponentials(logs) : std::vector<double>();
}

}  // namespace everlearn
