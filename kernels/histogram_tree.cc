#include "kernels/histogram_tree.h"

#include <algorithm>

namespace everlearn {

void HistogramTreeGrower::Fill(const BinnedRows& rows, const std::vector<uint32_t>& used, const float* gradients, const float* hessians,
                               const std::vector<uint8_t>& node_of_row, size_t nodes) {
  const size_t width = offsets_.back();
  sums_.assign(nodes * width, Sums{});
  for (size_t i = 0; i < rows.rows; ++i) {
    const uint8_t* codes = rows.codes + i * rows.features;
    Sums* of_node = sums_.data() + node_of_row[i] * width;
    for (size_t u = 0; u < used.size(); ++u) {
      Sums& sums = of_node[offsets_[u] + codes[used[u]]];
      sums.gradient += gradients[i];
      sums.hessian += hessians[i];
      sums.rows += 1;
    }
  }
}

void HistogramTreeGrower::TrySplit(const Sums& left, const Sums& total, uint32_t number, uint64_t mask, Best* best) const {
  const double right_rows = total.rows - left.rows, right_hessian = static_cast<double>(total.hessian) - left.hessian;
  if (left.rows < options_.least_rows || right_rows < options_.least_rows) return;
  if (left.hessian < options_.least_hessian || right_hessian < options_.least_hessian) return;
  const double right_gradient = static_cast<double>(total.gradient) - left.gradient;
  const double gain = Score(left.gradient, left.hessian) + Score(right_gradient, right_hessian) - Score(total.gradient, total.hessian);
  if (gain > best->gain) *best = {gain, {number, mask}};
}

void HistogramTreeGrower::TryFeature(const Sums* bins, const BinnedFeature& feature, uint32_t number, const Sums& total, Best* best) {
  const uint32_t last = feature.bins - 1;  // missing
  order_.clear();
  for (uint32_t b = 0; b < last; ++b)
    if (!feature.is_category || bins[b].rows > 0) order_.push_back(static_cast<uint8_t>(b));
  if (feature.is_category) {
    const auto mean = [&](uint8_t b) { return bins[b].gradient / (bins[b].hessian + static_cast<float>(options_.l2)); };
    std::sort(order_.begin(), order_.end(), [&](uint8_t a, uint8_t b) { return mean(a) != mean(b) ? mean(a) < mean(b) : a < b; });
  }
  const auto add = [](Sums* to, const Sums& more) {
    to->gradient += more.gradient;
    to->hessian += more.hessian;
    to->rows += more.rows;
  };
  // With what is missing on the right, then, where there is some, on the left.
  for (const bool missing_left : {false, true}) {
    if (missing_left && (feature.is_category || bins[last].rows == 0)) return;
    Sums left = missing_left ? bins[last] : Sums{};
    uint64_t mask = missing_left ? uint64_t{1} << last : 0;
    for (const uint8_t b : order_) {
      add(&left, bins[b]);
      mask |= uint64_t{1} << b;
      TrySplit(left, total, number, mask, best);
    }
  }
}

void HistogramTreeGrower::Grow(const BinnedRows& rows, const std::vector<BinnedFeature>& features, const std::vector<uint32_t>& used,
                               const float* gradients, const float* hessians, std::vector<BinSplit>* splits,
                               std::vector<uint8_t>* leaf_of_row) {
  splits->assign((size_t{1} << options_.depth) - 1, BinSplit{});
  leaf_of_row->assign(rows.rows, 0);
  offsets_.assign(1, 0);
  for (const uint32_t j : used) offsets_.push_back(offsets_.back() + features[j].bins);
  for (size_t level = 0; level < options_.depth; ++level) {
    const size_t nodes = size_t{1} << level;
    Fill(rows, used, gradients, hessians, *leaf_of_row, nodes);
    for (size_t node = 0; node < nodes && !used.empty(); ++node) {
      const Sums* of_node = sums_.data() + node * offsets_.back();
      Sums total;
      for (uint32_t b = 0; b < offsets_[1]; ++b) {
        total.gradient += of_node[b].gradient;
        total.hessian += of_node[b].hessian;
        total.rows += of_node[b].rows;
      }
      Best best;
      for (size_t u = 0; u < used.size(); ++u) TryFeature(of_node + offsets_[u], features[used[u]], used[u], total, &best);
      (*splits)[nodes - 1 + node] = best.split;
    }
    for (size_t i = 0; i < rows.rows; ++i) {
      uint8_t& node = (*leaf_of_row)[i];
      const BinSplit& split = (*splits)[nodes - 1 + node];
      const bool left = split.feature == BinSplit::kNone || (split.left >> rows.codes[i * rows.features + split.feature] & 1) != 0;
      node = static_cast<uint8_t>(2 * node + (left ? 0 : 1));
    }
  }
}

}  // namespace everlearn
