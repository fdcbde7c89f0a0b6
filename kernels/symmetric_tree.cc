// Levels from the root: for each column the histograms of all leaves, then the scores of its splits while they are in the cache.
#include "kernels/symmetric_tree.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/widest_vectors.h"

namespace everlearn {

namespace {

template <int kWidth>
struct Lanes {
  typedef float Type __attribute__((vector_size(kWidth * sizeof(float)), aligned(4), may_alias));
};

template <int kWidth>
void AddRows(const uint8_t* __restrict codes, const uint32_t* __restrict rows, const float* __restrict values, size_t count,
             float* __restrict histogram) {
  using Vector = typename Lanes<kWidth>::Type;
  const auto* value = reinterpret_cast<const Vector*>(values);
  auto* bins = reinterpret_cast<Vector*>(histogram);
  for (size_t i = 0; i < count; ++i) bins[codes[rows[i]]] += value[i];
}

constexpr size_t kTogether = 4;  // leaves whose codes are summed side by side: each sum waits for the one before it

// Of each leaf: left[k × bins + b] is statistic k of the codes up to b (one_versus_rest: of code b alone).
template <int kWidth>
void SumCodes(std::span<const float* const> histograms, size_t bins, bool one_versus_rest, float* __restrict left,
              float (*__restrict total)[kWidth]) {
  using Vector = typename Lanes<kWidth>::Type;
  const Vector* of_leaf[kTogether];
  for (size_t t = 0; t < kTogether; ++t) of_leaf[t] = reinterpret_cast<const Vector*>(histograms[std::min(t, histograms.size() - 1)]);
  Vector sum[kTogether] = {};
  for (size_t b = 0; b < bins; ++b) {
    for (size_t t = 0; t < kTogether; ++t) {
      const Vector here = of_leaf[t][b];
      sum[t] += here;
      const Vector shown = one_versus_rest ? here : sum[t];
      for (size_t k = 0; k < kWidth; ++k) left[(t * kWidth + k) * bins + b] = shown[k];
    }
  }
  for (size_t t = 0; t < kTogether; ++t)
    for (size_t k = 0; k < kWidth; ++k) total[t][k] = sum[t][k];
}

// Adds what the halves of one leaf would give by one gradient, for every code.
void AddGains(const float* __restrict left_weight, const float* __restrict left, float weight, float gradient, float l2, size_t bins,
              float* __restrict gain, float* __restrict norm) {
  for (size_t b = 0; b < bins; ++b) {
    const float wl = std::max(left_weight[b], 0.0f), wr = std::max(weight - left_weight[b], 0.0f);
    const float left_step = left[b] / (wl + l2), right_step = (gradient - left[b]) / (wr + l2);
    gain[b] += left_step * left[b] + right_step * (gradient - left[b]);
    norm[b] += left_step * left_step * wl + right_step * right_step * wr;
  }
}

constexpr float kNoScore = -std::numeric_limits<float>::infinity();

void Cosines(const float* __restrict gain, const float* __restrict norm, size_t count, float* __restrict scores) {
  for (size_t b = 0; b < count; ++b) {
    const float score = gain[b] / std::sqrt(norm[b]);
    scores[b] = norm[b] > 0 ? score : kNoScore;
  }
}

}  // namespace

size_t SymmetricTreeGrower::Width(size_t outputs) { return outputs <= 1 ? 2 : outputs <= 3 ? 4 : outputs <= 7 ? 8 : 16; }

// Level 0: the root's histogram. Later: leaf l was split into l and l + leaves; the half with fewer rows is counted.
template <int kWidth>
void SymmetricTreeGrower::FillHistograms(const CodeColumn& column, float* histograms, size_t level) const {
  const size_t size = column.bins * kWidth;
  const auto count = [&](const Leaf& leaf, float* histogram) {
    std::fill_n(histogram, size, 0.0f);
    AddRows<kWidth>(column.codes, order_.data() + leaf.begin, values_.data() + leaf.begin * kWidth, leaf.end - leaf.begin, histogram);
  };
  if (level == 0) return count(leaves_[0], histograms);
  const size_t parents = size_t{1} << (level - 1);
  for (size_t l = 0; l < parents; ++l) {
    float* __restrict left = histograms + l * size;
    float* __restrict right = histograms + (l + parents) * size;
    const bool count_right = leaves_[l].end - leaves_[l].begin > leaves_[l + parents].end - leaves_[l + parents].begin;
    count(leaves_[count_right ? l + parents : l], right);
    if (count_right) {
      for (size_t i = 0; i < size; ++i) left[i] -= right[i];
    } else {
      for (size_t i = 0; i < size; ++i) {
        const float parent = left[i];
        left[i] = right[i];
        right[i] = parent - left[i];
      }
    }
  }
}

// Adds what the two halves of some leaves would give, for every code of the column.
template <int kWidth>
void SymmetricTreeGrower::AddLeavesToScores(const CodeColumn& column, std::span<const float* const> histograms) {
  const size_t bins = column.bins;
  float total[kTogether][kWidth];
  SumCodes<kWidth>(histograms, bins, column.one_versus_rest, left_.data(), total);
  for (size_t t = 0; t < histograms.size(); ++t) {
    const float* left = left_.data() + t * kWidth * bins;
    for (size_t k = 1; k <= outputs_; ++k) {
      RunWithWidestVectors<AddGains>(left, left + k * bins, std::max(total[t][0], 0.0f), total[t][k], static_cast<float>(l2_), bins,
                                     gain_.data(), norm_.data());
    }
  }
}

template <int kWidth>
SymmetricTreeGrower::Candidate SymmetricTreeGrower::BestOf(const CodeColumn& column, float* histograms, size_t level) {
  FillHistograms<kWidth>(column, histograms, level);
  std::fill_n(gain_.begin(), column.bins, 0.0f);
  std::fill_n(norm_.begin(), column.bins, 0.0f);
  std::array<const float*, kTogether> together;
  size_t count = 0;
  for (size_t l = 0; l < leaves_.size(); ++l) {
    if (leaves_[l].end > leaves_[l].begin) together[count++] = histograms + l * column.bins * kWidth;
    if (count == 0 || (count < kTogether && l + 1 < leaves_.size())) continue;
    AddLeavesToScores<kWidth>(column, std::span(together).first(count));
    count = 0;
  }
  const uint32_t end = std::min(column.one_versus_rest ? column.bins : column.bins - 1, column.last_candidate + 1);
  RunWithWidestVectors<Cosines>(static_cast<const float*>(gain_.data()), static_cast<const float*>(norm_.data()), size_t{end},
                                scores_.data());
  const auto best = std::max_element(scores_.begin(), scores_.begin() + end);
  if (end == 0 || *best == kNoScore) return {};
  return {*best, static_cast<uint32_t>(best - scores_.begin()), true};
}

double SymmetricTreeGrower::ScoreOfLeaves(double l2) const {
  double gain = 0, norm = 0;
  for (const Leaf& leaf : leaves_) {
    double sum[1 + kMostOutputs] = {};
    for (size_t i = leaf.begin; i < leaf.end; ++i)
      for (size_t k = 0; k <= outputs_; ++k) sum[k] += static_cast<double>(values_[i * width_ + k]);
    for (size_t k = 1; k <= outputs_; ++k) {
      const double step = sum[k] / (sum[0] + l2);
      gain += step * sum[k];
      norm += step * step * sum[0];
    }
  }
  return norm > 0 ? gain / std::sqrt(norm) : 0;
}

void SymmetricTreeGrower::Split(const CodeColumn& column, uint8_t code) {
  const size_t parents = leaves_.size();
  leaves_.resize(2 * parents);
  for (size_t l = 0; l < parents; ++l) {
    const Leaf leaf = leaves_[l];
    size_t left = leaf.begin, right = 0;
    for (size_t i = leaf.begin; i < leaf.end; ++i) {
      const uint8_t c = column.codes[order_[i]];
      const bool goes_right = column.one_versus_rest ? c == code : c > code;
      // Both places are written, one of them for good: cheaper than a branch that is guessed wrong.
      const uint32_t row = order_[i];
      float value[16];
      std::memcpy(value, values_.data() + i * width_, width_ * sizeof(float));
      right_order_[right] = row;
      order_[left] = row;
      std::memcpy(right_values_.data() + right * width_, value, width_ * sizeof(float));
      std::memcpy(values_.data() + left * width_, value, width_ * sizeof(float));
      right += goes_right;
      left += !goes_right;
    }
    std::copy_n(right_order_.begin(), right, order_.begin() + static_cast<std::ptrdiff_t>(left));
    std::copy_n(right_values_.begin(), right * width_, values_.begin() + static_cast<std::ptrdiff_t>(left * width_));
    leaves_[l] = {leaf.begin, left};
    leaves_[l + parents] = {left, leaf.end};
  }
}

std::span<const SymmetricSplit> SymmetricTreeGrower::Grow(std::span<const CodeColumn> columns, std::span<const uint32_t> rows,
                                                          std::span<const float> statistics, const SymmetricTreeOptions& options,
                                                          Random* random) {
  assert(options.depth <= kMostSymmetricDepth && statistics.size() == rows.size() * width_);
  l2_ = options.l2;
  splits_.clear();
  order_.assign(rows.begin(), rows.end());
  values_.assign(statistics.begin(), statistics.end());
  right_order_.resize(rows.size() + 1);
  right_values_.resize((rows.size() + 1) * width_);
  leaves_.assign(1, {0, rows.size()});
  first_histogram_.resize(columns.size());
  size_t floats = 0, most_bins = 0;
  for (size_t j = 0; j < columns.size(); ++j) {
    first_histogram_[j] = floats;
    floats += (columns[j].bins * width_) << std::max(options.depth - 1, 0);
    most_bins = std::max<size_t>(most_bins, columns[j].bins);
  }
  if (histograms_.size() < floats) histograms_.resize(floats);
  if (gain_.size() < most_bins) {
    left_.resize(kTogether * width_ * most_bins);
    gain_.resize(most_bins);
    norm_.resize(most_bins);
    scores_.resize(most_bins);
  }
  for (int level = 0; level < options.depth; ++level) {
    const double before = ScoreOfLeaves(options.l2);
    double best_score = 0;
    SymmetricSplit best;
    bool found = false;
    for (uint32_t j = 0; j < columns.size(); ++j) {
      const CodeColumn& column = columns[j];
      float* histograms = histograms_.data() + first_histogram_[j];
      const auto l = static_cast<size_t>(level);
      const Candidate candidate = width_ == 2   ? BestOf<2>(column, histograms, l)
                                  : width_ == 4 ? BestOf<4>(column, histograms, l)
                                  : width_ == 8 ? BestOf<8>(column, histograms, l)
                                                : BestOf<16>(column, histograms, l);
      const double noise = options.noise > 0 ? options.noise * random->Normal() : 0;
      if (!candidate.exists || candidate.score <= before * (1 + 1e-6)) continue;
      if (!found || candidate.score + noise > best_score) {
        found = true;
        best_score = candidate.score + noise;
        best = {j, static_cast<uint8_t>(candidate.code)};
      }
    }
    if (!found) break;
    splits_.push_back(best);
    Split(columns[best.column], best.code);
  }
  return splits_;
}

void FindLeaves(std::span<const CodeColumn> columns, std::span<const SymmetricSplit> splits, size_t rows, uint8_t* leaves) {
  std::memset(leaves, 0, rows);
  for (size_t k = 0; k < splits.size(); ++k) {
    const CodeColumn& column = columns[splits[k].column];
    const uint8_t* __restrict codes = column.codes;
    uint8_t* __restrict leaf = leaves;
    const uint8_t code = splits[k].code;
    const auto bit = static_cast<uint8_t>(1 << k);
    if (column.one_versus_rest) {
      for (size_t i = 0; i < rows; ++i) leaf[i] = static_cast<uint8_t>(leaf[i] | (codes[i] == code ? bit : 0));
    } else {
      for (size_t i = 0; i < rows; ++i) leaf[i] = static_cast<uint8_t>(leaf[i] | (codes[i] > code ? bit : 0));
    }
  }
}

}  // namespace everlearn
