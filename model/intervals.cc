// Arrays of the file: `edges`, `scores` (F64) and `begin` (U64) as in IntervalsParameters.
#include "model/intervals.h"

#include <algorithm>
#include <cmath>

#include "model/check.h"

namespace everlearn {

Intervals::Intervals(IntervalsParameters parameters) : parameters_(std::move(parameters)) {
  const auto& [classes, edges, begin, scores, coverage] = parameters_;
  CheckModel(begin.size() == edges.size() + 2 && begin.front() == 0 && begin.back() == scores.size(), "its intervals have wrong sizes");
  CheckModel(classes == 0 || edges.empty(), "its sets of labels have bins");
  CheckModel(AllFinite(edges) && std::is_sorted(edges.begin(), edges.end()), "the bins of its intervals are not in order");
  CheckModel(AllFinite(scores), "a score of its intervals is not finite");
  for (size_t bin = 0; bin + 1 < begin.size(); ++bin) {
    CheckModel(begin[bin] < begin[bin + 1] && begin[bin + 1] <= scores.size(), "a bin of its intervals is empty");
    CheckModel(std::is_sorted(&scores[begin[bin]], scores.data() + begin[bin + 1]), "the scores of its intervals are not in order");
  }
  CheckModel(coverage == 0 || (coverage >= kLeastCoverage && coverage <= kMostCoverage), "the coverage of its intervals is out of range");
}

double Intervals::Quantile(size_t bin, double level, bool upwards) const {
  const uint64_t first = parameters_.begin[bin], count = parameters_.begin[bin + 1] - first;
  // Rounding outwards keeps the coverage; what is a rounding error from a whole number is that number.
  const double position = level * static_cast<double>(count + 1);
  const double rank = upwards ? std::ceil(position - 1e-9) : std::floor(position + 1e-9);
  return parameters_.scores[first + static_cast<uint64_t>(std::clamp(rank, 1.0, static_cast<double>(count))) - 1];
}

std::pair<double, double> Intervals::Around(double prediction, double coverage) const {
  const auto& edges = parameters_.edges;
  const auto bin = static_cast<size_t>(std::upper_bound(edges.begin(), edges.end(), prediction) - edges.begin());
  const double tail = (1 - coverage) / 2;
  return {prediction + Quantile(bin, tail, false), prediction + Quantile(bin, 1 - tail, true)};
}

double Intervals::LeastProbability(double coverage) const {
  const double level = 1 - coverage;
  if (level * static_cast<double>(parameters_.scores.size() + 1) < 1 - 1e-9) return 0;  // too few rows to leave any label out
  return Quantile(0, level, false);
}

Json Intervals::Save(const std::string& prefix, ArrayFileWriter* file) const {
  file->Add(prefix + "edges", std::span(parameters_.edges));
  file->Add(prefix + "begin", std::span(parameters_.begin));
  file->Add(prefix + "scores", std::span(parameters_.scores));
  return JsonObject{{"coverage", parameters_.coverage}};
}

Intervals Intervals::Load(const Json& json, const std::string& prefix, const ArrayFile& file, size_t classes) {
  return Intervals({classes, ToVector(file.Get<double>(prefix + "edges")), ToVector(file.Get<uint64_t>(prefix + "begin")),
                    ToVector(file.Get<double>(prefix + "scores")), NumberField(json, "coverage")});
}

}  // namespace everlearn
