// Arrays of the file are those of NetworkInputs, by their names.
#include "model/network_inputs.h"

#include <algorithm>
#include <cmath>

#include "model/check.h"

namespace everlearn {
namespace {

constexpr double kFarthest = 1e6;  // in spreads from the median: there the squashed value has long been 3
constexpr double kLargest = 3;

float Squash(double x, double centre, double scale) {
  const double z = std::clamp((x - centre) / scale, -kFarthest, kFarthest);
  return static_cast<float>(z / std::sqrt(1 + (z / kLargest) * (z / kLargest)));
}

// The piece between two knots that holds x, and where in it.
void Place(double x, const double* knots, size_t count, uint32_t* position, float* fraction) {
  const size_t piece = std::min<size_t>(static_cast<size_t>(std::upper_bound(knots + 1, knots + count - 1, x) - knots) - 1, count - 2);
  const double low = knots[piece], high = knots[piece + 1];
  *position = static_cast<uint32_t>(piece);
  // Halves, so that no difference overflows.
  *fraction = static_cast<float>((std::clamp(x, low, high) / 2 - low / 2) / (high / 2 - low / 2));
}

}  // namespace

size_t NetworkInputs::TableRows(size_t feature) const {
  if (table_width[feature] == 0) return 0;
  return 1 + (is_category[feature] ? levels[feature] : knots_begin[feature + 1] - knots_begin[feature]);
}

size_t NetworkInputs::FixedColumns(size_t feature) const {
  const size_t values = !is_category[feature] ? 1 : table_width[feature] > 0 ? 0 : levels[feature];
  return values + indicator[feature];
}

size_t NetworkInputs::tables() const {
  return static_cast<size_t>(std::count_if(table_width.begin(), table_width.end(), [](uint32_t width) { return width > 0; }));
}

size_t NetworkInputs::embedded() const {
  size_t sum = 0;
  for (const uint32_t width : table_width) sum += width;
  return sum;
}

size_t NetworkInputs::fixed() const {
  size_t sum = 0;
  for (size_t j = 0; j < features(); ++j) sum += FixedColumns(j);
  return sum;
}

void NetworkInputs::Locate(const double* row, uint32_t* positions, float* fractions, float* fixed) const {
  for (size_t j = 0; j < features(); ++j) {
    const double x = row[j];
    const bool known = is_category[j] ? x >= 0 && x < static_cast<double>(levels[j]) : !std::isnan(x);
    if (table_width[j] > 0) {
      *fractions = 0;
      if (!known) {
        *positions = static_cast<uint32_t>(TableRows(j) - 1);
      } else if (is_category[j]) {
        *positions = static_cast<uint32_t>(x);
      } else {
        Place(x, knots.data() + knots_begin[j], knots_begin[j + 1] - knots_begin[j], positions, fractions);
      }
      ++positions;
      ++fractions;
    }
    const size_t columns = FixedColumns(j);
    std::fill_n(fixed, columns, 0.0f);
    if (!is_category[j]) {
      if (known) fixed[0] = Squash(x, centre[j], scale[j]);
    } else if (known && table_width[j] == 0) {
      fixed[static_cast<size_t>(x)] = 1;
    }
    // A level that is unseen is not a missing one.
    if (indicator[j] && std::isnan(x)) fixed[columns - 1] = 1;
    fixed += columns;
  }
}

void NetworkInputs::Save(const std::string& prefix, ArrayFileWriter* file) const {
  file->Add(prefix + "is_category", std::span(is_category));
  file->Add(prefix + "centre", std::span(centre));
  file->Add(prefix + "scale", std::span(scale));
  file->Add(prefix + "indicator", std::span(indicator));
  file->Add(prefix + "levels", std::span(levels));
  file->Add(prefix + "table_width", std::span(table_width));
  file->Add(prefix + "knots_begin", std::span(knots_begin));
  file->Add(prefix + "knots", std::span(knots));
}

NetworkInputs NetworkInputs::Load(const std::string& prefix, const ArrayFile& file) {
  NetworkInputs inputs;
  inputs.is_category = ToVector(file.Get<uint8_t>(prefix + "is_category"));
  inputs.centre = ToVector(file.Get<double>(prefix + "centre"));
  inputs.scale = ToVector(file.Get<double>(prefix + "scale"));
  inputs.indicator = ToVector(file.Get<uint8_t>(prefix + "indicator"));
  inputs.levels = ToVector(file.Get<uint32_t>(prefix + "levels"));
  inputs.table_width = ToVector(file.Get<uint32_t>(prefix + "table_width"));
  inputs.knots_begin = ToVector(file.Get<uint64_t>(prefix + "knots_begin"));
  inputs.knots = ToVector(file.Get<double>(prefix + "knots"));
  return inputs;
}

void NetworkInputs::Check() const {
  const size_t count = features();
  for (const size_t size : {centre.size(), scale.size(), indicator.size(), levels.size(), table_width.size(), knots_begin.size() - 1})
    CheckModel(size == count, "the arrays of the network's inputs differ in length");
  CheckModel(knots_begin.front() == 0 && knots_begin.back() == knots.size() && std::is_sorted(knots_begin.begin(), knots_begin.end()),
             "the network's knots do not begin where they should");
  CheckModel(AllFinite(knots) && AllFinite(centre) && AllFinite(scale), "a knot or scale of the network is not finite");
  for (size_t j = 0; j < count; ++j) {
    CheckModel(scale[j] > 0 && indicator[j] <= 1 && is_category[j] <= 1, "a scale or flag of the network is out of range");
    CheckModel(levels[j] <= 1u << 24 && table_width[j] <= 1u << 12, "a table of the network is too large");
    const uint64_t begin = knots_begin[j], end = knots_begin[j + 1];
    if (is_category[j] || table_width[j] == 0) {
      CheckModel(begin == end, "a feature of the network has knots but no table for them");
      continue;
    }
    CheckModel(end - begin >= 2, "a table of the network has fewer than two knots");
    for (uint64_t i = begin + 1; i < end; ++i) CheckModel(knots[i - 1] < knots[i], "the network's knots do not ascend");
  }
}

}  // namespace everlearn
