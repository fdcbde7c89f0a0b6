#include "search/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/random.h"
#include "evaluation/metric.h"
#include "model/link.h"

namespace everlearn {
namespace {

using Method = Calibration::Method;

constexpr double kLeast = 1e-15;
constexpr size_t kFolds = 5;
constexpr size_t kIsotonicRows = 1'000;
constexpr size_t kMaxNumbers = 2'000'000;  // rows × classes that are enough
constexpr int kNewtonSteps = 50;

double Weight(const CalibrationData& data, size_t row) { return data.weights.empty() ? 1.0 : data.weights[row]; }

// d/ds and d²/ds² of the log-loss of softmax(s log p).
std::pair<double, double> TemperatureSlopes(const CalibrationData& data, const std::vector<double>& logs, double s) {
  std::vector<double> q(data.classes);
  double first = 0, second = 0;
  for (size_t i = 0; i < data.truth.size(); ++i) {
    const double* log = &logs[i * data.classes];
    for (size_t k = 0; k < data.classes; ++k) q[k] = s * log[k];
    ApplyLink(Link::kSoftmax, q.data(), data.classes, 1.0, q.data());
    double mean = 0, square = 0;
    for (size_t k = 0; k < data.classes; ++k) {
      mean += q[k] * log[k];
      square += q[k] * log[k] * log[k];
    }
    first += Weight(data, i) * (mean - log[static_cast<size_t>(data.truth[i])]);
    second += Weight(data, i) * std::max(square - mean * mean, 0.0);
  }
  return {first, second};
}

double FitTemperature(const CalibrationData& data) {
  std::vector<double> logs(data.predictions.size());
  for (size_t i = 0; i < logs.size(); ++i) logs[i] = std::log(std::clamp(data.predictions[i], kLeast, 1 - kLeast));
  // The loss is convex: Newton's steps, inside what the signs of the slope leave.
  double low = 0.01, high = 100, s = 1;
  for (int step = 0; step < kNewtonSteps; ++step) {
    const auto [first, second] = TemperatureSlopes(data, logs, s);
    (first > 0 ? high : low) = s;
    double next = second > 0 ? s - first / second : s;
    if (!(next > low && next < high)) next = std::sqrt(low * high);
    if (std::abs(next - s) <= 1e-9 * s) break;
    s = next;
  }
  return s;
}

struct Line {
  double slope, offset;
};

// Log-loss of sigmoid(slope f + offset) against targets t.
double LineLoss(const std::vector<double>& f, const std::vector<double>& t, const std::vector<double>& weights, Line line) {
  double loss = 0;
  for (size_t i = 0; i < f.size(); ++i) {
    const double z = line.slope * f[i] + line.offset;
    loss += weights[i] * (std::max(z, 0.0) - t[i] * z + std::log1p(std::exp(-std::abs(z))));
  }
  return loss;
}

Line FitLine(const std::vector<double>& f, const std::vector<double>& t, const std::vector<double>& weights) {
  Line line{1, 0};
  double loss = LineLoss(f, t, weights, line);
  for (int step = 0; step < kNewtonSteps; ++step) {
    double g0 = 0, g1 = 0, h00 = 1e-12, h01 = 0, h11 = 1e-12;
    for (size_t i = 0; i < f.size(); ++i) {
      const double p = 1 / (1 + std::exp(-(line.slope * f[i] + line.offset)));
      const double error = weights[i] * (p - t[i]), curvature = weights[i] * p * (1 - p);
      g0 += error * f[i];
      g1 += error;
      h00 += curvature * f[i] * f[i];
      h01 += curvature * f[i];
      h11 += curvature;
    }
    const double determinant = h00 * h11 - h01 * h01;
    if (!(determinant > 0)) break;
    const Line direction{-(h11 * g0 - h01 * g1) / determinant, -(h00 * g1 - h01 * g0) / determinant};
    bool lower = false;
    for (double length = 1; length > 1e-10 && !lower; length /= 2) {
      const Line next{line.slope + length * direction.slope, line.offset + length * direction.offset};
      const double found = LineLoss(f, t, weights, next);
      lower = found < loss;
      if (lower) line = next, loss = found;
    }
    if (!lower) break;
  }
  return line;
}

// A class against the rest.
Line FitPlatt(const CalibrationData& data, size_t positive) {
  std::vector<double> f, t, weights;
  double positives = 0, negatives = 0;
  for (size_t i = 0; i < data.truth.size(); ++i) {
    const double p = std::clamp(data.predictions[i * data.classes + positive], kLeast, 1 - kLeast);
    f.push_back(std::log(p / (1 - p)));
    weights.push_back(Weight(data, i));
    (static_cast<size_t>(data.truth[i]) == positive ? positives : negatives) += weights.back();
  }
  for (const double truth : data.truth)
    t.push_back(static_cast<size_t>(truth) == positive ? (positives + 1) / (positives + 2) : 1 / (negatives + 2));
  return FitLine(f, t, weights);
}

struct Block {
  double first, last;  // probabilities
  double sum, weight;
  double mean() const { return sum / weight; }
};

// Pools adjacent violators (Ayer et al. 1955) and appends the points of the curve.
void FitIsotonic(const CalibrationData& data, size_t positive, Calibration* calibration) {
  const auto p = [&](size_t row) { return data.predictions[row * data.classes + positive]; };
  std::vector<uint32_t> order(data.truth.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return p(a) != p(b) ? p(a) < p(b) : a < b; });
  std::vector<Block> blocks;
  double all = 0;
  for (size_t i = 0; i < order.size();) {
    Block block{p(order[i]), p(order[i]), 0, 0};
    for (; i < order.size() && p(order[i]) == block.first; ++i) {  // equal probabilities are one point
      const double weight = Weight(data, order[i]);
      block.weight += weight;
      block.sum += static_cast<size_t>(data.truth[order[i]]) == positive ? weight : 0;
    }
    if (block.weight == 0) continue;
    all += block.weight;
    while (!blocks.empty() && blocks.back().mean() >= block.mean()) {
      block = {blocks.back().first, block.last, block.sum + blocks.back().sum, block.weight + blocks.back().weight};
      blocks.pop_back();
    }
    blocks.push_back(block);
  }
  const double least = 0.5 / (all + 1);
  for (const Block& block : blocks) {
    const double mean = std::clamp(block.mean(), least, 1 - least);
    calibration->x.push_back(block.first);
    calibration->y.push_back(mean);
    if (block.last == block.first) continue;
    calibration->x.push_back(block.last);
    calibration->y.push_back(mean);
  }
  calibration->begin.push_back(calibration->x.size());
}

// Rows of some data, by number.
struct Rows {
  std::vector<double> truth, predictions, weights;
  size_t classes;

  Rows(const CalibrationData& data, std::span<const uint32_t> numbers) : classes(data.classes) {
    for (const uint32_t i : numbers) {
      truth.push_back(data.truth[i]);
      weights.push_back(Weight(data, i));
      predictions.insert(predictions.end(), &data.predictions[i * classes], &data.predictions[i * classes] + classes);
    }
  }
  CalibrationData data() const { return {truth, predictions, weights, classes}; }
};

// Log-loss of each row of the data under a calibration that was fitted without it; empty where there was no time.
std::vector<double> CrossFittedLosses(Method method, const CalibrationData& data, uint64_t seed, const std::function<bool()>& stop) {
  std::vector<uint32_t> order(data.truth.size());
  std::iota(order.begin(), order.end(), 0U);
  Random::Derive(seed, 1).Shuffle(std::span(order));
  std::vector<double> losses(order.size()), out(data.classes);
  for (size_t fold = 0; fold < kFolds; ++fold) {
    if (stop && stop()) return {};
    std::vector<uint32_t> train, rest;
    for (size_t i = 0; i < order.size(); ++i) (i % kFolds == fold ? rest : train).push_back(order[i]);
    const Rows rows(data, train);
    const Calibration calibration = FitCalibration(method, rows.data());
    for (const uint32_t row : rest) {
      calibration.Apply(&data.predictions[row * data.classes], out.data());
      losses[row] = LogLoss(out.data(), static_cast<size_t>(data.truth[row]), data.classes);
    }
  }
  return losses;
}

// Weighted mean of a − b, and whether it is above twice its standard error.
std::pair<double, bool> Gain(const CalibrationData& data, const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0, weights = 0, squares = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += Weight(data, i) * (a[i] - b[i]);
    weights += Weight(data, i);
  }
  const double mean = sum / weights;
  for (size_t i = 0; i < a.size(); ++i) squares += std::pow(Weight(data, i) * (a[i] - b[i] - mean), 2);
  return {mean, mean > 2 * std::sqrt(squares) / weights};
}

// Rows with a prediction, at most as many as are enough.
std::vector<uint32_t> UsedRows(const CalibrationData& data, uint64_t seed) {
  std::vector<uint32_t> rows;
  for (size_t i = 0; i < data.truth.size(); ++i) {
    if (std::isfinite(data.predictions[i * data.classes])) rows.push_back(static_cast<uint32_t>(i));
  }
  const size_t enough = kMaxNumbers / data.classes;
  if (rows.size() <= enough) return rows;
  Random::Derive(seed, 0).Shuffle(std::span(rows));
  rows.resize(enough);
  return rows;
}

}  // namespace

Calibration FitCalibration(Method method, const CalibrationData& data) {
  Calibration calibration;
  calibration.method = method;
  calibration.classes = data.classes;
  if (method == Method::kTemperature) calibration.slope = {FitTemperature(data)};
  if (method == Method::kIsotonic) calibration.begin = {0};
  for (size_t curve = 0; curve < calibration.curves(); ++curve) {
    const size_t positive = data.classes == 2 ? 1 : curve;
    if (method == Method::kIsotonic) FitIsotonic(data, positive, &calibration);
    if (method != Method::kPlatt) continue;
    const Line line = FitPlatt(data, positive);
    calibration.slope.push_back(line.slope);
    calibration.offset.push_back(line.offset);
  }
  return calibration;
}

Calibration ChooseCalibration(const CalibrationData& all, bool keep_order, uint64_t seed, const std::function<bool()>& stop) {
  Calibration none{.classes = all.classes};
  if (all.classes < 2 || (keep_order && all.classes > 2)) return none;
  const Rows rows(all, UsedRows(all, seed));
  const CalibrationData data = rows.data();
  if (data.truth.size() < 10 * kFolds) return none;
  std::vector<double> before;
  for (size_t i = 0; i < data.truth.size(); ++i)
    before.push_back(LogLoss(&data.predictions[i * data.classes], static_cast<size_t>(data.truth[i]), data.classes));
  Method best = Method::kNone;
  double most = 0;
  for (const Method method : {Method::kTemperature, Method::kPlatt, Method::kIsotonic}) {
    if (method == Method::kIsotonic && (keep_order || data.truth.size() < kIsotonicRows)) continue;
    const std::vector<double> after = CrossFittedLosses(method, data, seed, stop);
    if (after.empty()) break;
    const auto [gain, clear] = Gain(data, before, after);
    if (!clear || gain <= most) continue;
    best = method;
    most = gain;
  }
  if (best == Method::kNone) return none;
  Calibration chosen = FitCalibration(best, data);
  const bool turns = keep_order && best == Method::kPlatt && chosen.slope[0] <= 0;
  return turns ? none : chosen;
}

}  // namespace everlearn
