#include "learners/window_bins.h"

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

constexpr size_t kNumberBins = 32;

}  // namespace

WindowBins::WindowBins(const StreamShape& shape) : edges_(shape.features()) {
  for (const bool is_category : shape.is_category)
    features_.push_back({static_cast<uint32_t>(is_category ? kMostTreeBins : 2), is_category});
}

void WindowBins::Learn(const double* rows, size_t count) {
  for (size_t j = 0; j < features_.size(); ++j) {
    if (features_[j].is_category) continue;
    sorted_.clear();
    for (size_t i = 0; i < count; ++i)
      if (const double x = rows[i * features_.size() + j]; !std::isnan(x)) sorted_.push_back(x);
    std::sort(sorted_.begin(), sorted_.end());
    std::vector<double>& edges = edges_[j];
    edges.clear();
    const auto distinct = static_cast<size_t>(std::unique(sorted_.begin(), sorted_.end()) - sorted_.begin());
    if (distinct <= kNumberBins) sorted_.resize(distinct);
    if (distinct > kNumberBins) {  // quantiles count equal numbers as often as they occur
      sorted_.clear();
      for (size_t i = 0; i < count; ++i)
        if (const double x = rows[i * features_.size() + j]; !std::isnan(x)) sorted_.push_back(x);
      std::sort(sorted_.begin(), sorted_.end());
    }
    const size_t bins = std::min(kNumberBins, sorted_.size());
    for (size_t b = 1; b < bins; ++b) {
      const size_t at = b * sorted_.size() / bins;
      const double low = sorted_[at - 1], high = sorted_[at];
      const double edge = low + (high / 2 - low / 2);
      if (low < high && (edges.empty() || edge > edges.back()) && edge < high) edges.push_back(edge);
    }
    features_[j].bins = static_cast<uint32_t>(edges.size()) + 2;
  }
}

void WindowBins::Code(const double* row, uint8_t* codes) const {
  for (size_t j = 0; j < features_.size(); ++j) {
    const double x = row[j];
    const uint32_t last = features_[j].bins - 1;
    if (features_[j].is_category) {
      codes[j] = static_cast<uint8_t>(x >= 0 && x < static_cast<double>(kCategoryBins) ? static_cast<uint32_t>(x) : last);
    } else if (std::isnan(x)) {
      codes[j] = static_cast<uint8_t>(last);
    } else {
      const std::vector<double>& edges = edges_[j];
      size_t bin = 0;
      for (size_t step = 16; step > 0; step /= 2)
        if (bin + step <= edges.size() && edges[bin + step - 1] < x) bin += step;
      codes[j] = static_cast<uint8_t>(bin);
    }
  }
}

void WindowBins::Save(ByteWriter* out) const {
  for (const auto& edges : edges_) out->PutAll(edges);
}

void WindowBins::Load(ByteReader* in) {
  for (size_t j = 0; j < features_.size(); ++j) {
    edges_[j] = in->GetAll<double>();
    const bool fits = edges_[j].size() < kNumberBins && (!features_[j].is_category || edges_[j].empty());
    if (!fits || !std::is_sorted(edges_[j].begin(), edges_[j].end()) ||
        std::any_of(edges_[j].begin(), edges_[j].end(), [](double e) { return !std::isfinite(e); }))
      throw Error(ErrorKind::kDamaged, "a stored state has wrong bins");
    if (!features_[j].is_category) features_[j].bins = static_cast<uint32_t>(edges_[j].size()) + 2;
  }
}

}  // namespace everlearn
