#include "guard/column_bins.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

namespace everlearn {
namespace {

std::vector<double> QuantileEdges(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::vector<double> sorted = values;
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (values.size() <= ColumnBins::kEdges) return values;
  std::vector<double> edges;
  for (size_t i = 1; i <= ColumnBins::kEdges; ++i) edges.push_back(sorted[i * (sorted.size() - 1) / (ColumnBins::kEdges + 1)]);
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return edges;
}

std::vector<double> FrequentCodes(const std::vector<double>& values) {
  std::map<double, size_t> counts;
  for (const double value : values) ++counts[value];
  std::vector<std::pair<size_t, double>> order;
  for (const auto& [code, count] : counts) order.emplace_back(count, code);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<double> codes;
  for (size_t i = 0; i < std::min(order.size(), ColumnBins::kEdges); ++i) codes.push_back(order[i].second);
  std::sort(codes.begin(), codes.end());
  return codes;
}

}  // namespace

ColumnBins ColumnBins::Fit(std::span<const double> values, bool is_category) {
  std::vector<double> present;
  std::copy_if(values.begin(), values.end(), std::back_inserter(present), [](double value) { return std::isfinite(value); });
  const std::vector<double> edges = is_category ? FrequentCodes(present) : QuantileEdges(std::move(present));
  ColumnBins bins;
  bins.is_category_ = is_category;
  bins.used_ = static_cast<uint32_t>(edges.size());
  bins.edges_.fill(std::numeric_limits<double>::infinity());
  std::copy(edges.begin(), edges.end(), bins.edges_.begin());
  return bins;
}

void ColumnBins::Save(ByteWriter* out) const {
  out->Put(is_category_);
  out->PutAll(std::span(edges_).first(used_));
}

void ColumnBins::Load(ByteReader* in) {
  is_category_ = in->Get<bool>();
  const auto edges = in->GetAll<double>();
  const bool rising =
      std::is_sorted(edges.begin(), edges.end()) && std::all_of(edges.begin(), edges.end(), [](double e) { return std::isfinite(e); });
  if (edges.size() > kEdges || !rising) throw Error(ErrorKind::kDamaged, "the stored bins of a column are damaged");
  used_ = static_cast<uint32_t>(edges.size());
  edges_.fill(std::numeric_limits<double>::infinity());
  std::copy(edges.begin(), edges.end(), edges_.begin());
}

}  // namespace everlearn
