#include "model/stream_leaves.h"

#include "base/widest_vectors.h"

namespace everlearn {
namespace {

constexpr double kPriorWeight = 0.02;  // of a column's own variance in that of a class
constexpr double kFarthest = 100;      // squared deviations: farther is as unlikely as this
constexpr double kDoubt = 0.01;        // of what naive Bayes says
constexpr double kHopeless = 40;       // so far below the best, a score is a probability of 0
constexpr double kLeastProbability = 1e-12;
constexpr double kLeastSpread = 1e-200;
constexpr size_t kLanes = 8;

// Minus twice the logarithm of the density of the numbers, but for a constant; a missing one counts nothing. In lanes, so that the
// compiler can use vectors and the sum has the same order everywhere.
void GaussianDistance(const double* x, const double* spread, const double* weight, const double* mean, const double* squares, size_t count,
                      double* out) {
  double lanes[kLanes] = {};
  const auto term = [&](size_t j) {
    const double variance = std::max((squares[j] + spread[j]) / (weight[j] + kPriorWeight), kLeastSpread);
    const double distance = x[j] - mean[j];
    const double far = std::min(distance * distance / variance, kFarthest);
    const double sum = far + QuickLog(variance);
    return x[j] == x[j] ? sum : 0.0;
  };
  size_t j = 0;
  for (; j + kLanes <= count; j += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(j + lane);
  for (size_t lane = 0; j < count; ++j, ++lane) lanes[lane] += term(j);
  *out = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

// Logarithm of a category's probability in a class, with one more of each category that has room.
double CategoryScore(const CategoryCounts& counts, size_t slot, double x) {
  const double* row = counts.counts.data() + slot * counts.stride();
  const auto category = static_cast<uint32_t>(x);
  const double count = category < counts.capacity ? row[1 + category] : 0;
  return QuickLog((count + 1) / (row[0] + counts.capacity + 1));
}

}  // namespace

void PrepareRow(const StreamScale& scale, const double* row, bool with_scaled, PreparedRow* out) {
  const size_t columns = scale.is_category.size();
  out->values.resize(columns);
  for (size_t j = 0; j < columns; ++j) {
    const double x = row[j];
    if (scale.is_category[j]) {
      out->values[j] = x >= 0 && x < 0x1.0p53 ? static_cast<double>(static_cast<uint64_t>(x) % kCategorySlots)
                                              : std::numeric_limits<double>::quiet_NaN();
    } else {
      out->values[j] = x != x ? x : std::clamp(x, -kLargestTreeNumber, kLargestTreeNumber);
    }
  }
  if (!with_scaled) return;
  out->scaled.resize(columns);
  const double* effects = scale.effects.data();  // of the next category column
  for (size_t j = 0; j < columns; ++j) {
    const double x = out->values[j];
    const double z = x != x ? 0 : scale.is_category[j] ? effects[static_cast<size_t>(x)] : (x - scale.mean[j]) / scale.deviation[j];
    effects += scale.is_category[j] ? kCategorySlots : 0;
    out->scaled[j] = std::clamp(z, -kLinearReach, kLinearReach);
  }
}

void PredictShares(const ClassLeaf& leaf, double* out) {
  const size_t classes = leaf.weights.size();
  double sum = 1;
  for (const double weight : leaf.weights) sum += weight;
  for (size_t k = 0; k < classes; ++k) out[k] = (leaf.weights[k] + 1 / static_cast<double>(classes)) / sum;
}

void PredictNaiveBayes(const ClassLeaf& leaf, const StreamScale& scale, const double* values, LeafScratch* scratch, double* out) {
  const size_t slots = leaf.classes.size(), numbers = leaf.numbers.size(), classes = leaf.weights.size();
  if (slots == 0) return PredictShares(leaf, out);
  scratch->numbers.resize(numbers);
  scratch->spread.resize(numbers);
  scratch->scores.resize(slots);
  for (size_t j = 0; j < numbers; ++j) {
    const double deviation = scale.deviation[leaf.numbers[j]];
    scratch->numbers[j] = values[leaf.numbers[j]];
    scratch->spread[j] = kPriorWeight * deviation * deviation;
  }
  double best = -std::numeric_limits<double>::infinity();
  for (size_t s = 0; s < slots; ++s) {
    double distance = 0;
    RunWithWidestVectors<GaussianDistance>(static_cast<const double*>(scratch->numbers.data()),
                                           static_cast<const double*>(scratch->spread.data()), leaf.gaussian(s, 0), leaf.gaussian(s, 1),
                                           leaf.gaussian(s, 2), numbers, &distance);
    double score = QuickLog(leaf.weights[leaf.classes[s]] + 1e-9) - 0.5 * distance;
    for (size_t j = 0; j < leaf.categories.size(); ++j)
      if (const double x = values[leaf.categories[j]]; x == x) score += CategoryScore(leaf.counts[j], s, x);
    scratch->scores[s] = score;
    best = std::max(best, score);
  }
  double sum = 0;
  for (double& score : scratch->scores) sum += score = score < best - kHopeless ? 0 : std::exp(score - best);
  std::fill_n(out, classes, kDoubt / static_cast<double>(classes));
  for (size_t s = 0; s < slots; ++s) out[leaf.classes[s]] += (1 - kDoubt) * scratch->scores[s] / sum;
}

void Sharpen(double sharpness, size_t classes, double* probabilities) {
  if (sharpness == 1 || classes < 2) return;
  const double most = QuickLog(*std::max_element(probabilities, probabilities + classes));
  double sum = 0;
  for (size_t k = 0; k < classes; ++k)
    sum += probabilities[k] = std::exp(sharpness * (QuickLog(std::max(probabilities[k], kLeastProbability)) - most));
  for (size_t k = 0; k < classes; ++k) probabilities[k] /= sum;
}

double PredictLinear(const ValueLeaf& leaf, const double* scaled) {
  const size_t columns = leaf.weights.size() - 1;
  double sum = leaf.weights[columns];
  for (size_t j = 0; j < columns; ++j) sum += leaf.weights[j] * scaled[j];
  return std::clamp(sum, leaf.low, leaf.high);
}

}  // namespace everlearn
