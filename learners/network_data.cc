#include "learners/network_data.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"

namespace everlearn {
namespace {

constexpr size_t kMostSampledRows = 100'000;  // for quantiles
constexpr uint64_t kSampleSeed = 0x6e6574;

// Known values, sorted; of a random sample where there are many rows.
std::vector<double> SortedValues(const TrainingRows& training, size_t feature, bool* missing) {
  Random random = Random::Derive(kSampleSeed, feature);
  std::vector<double> values;
  const size_t count = training.rows.size();
  const bool all = count <= kMostSampledRows;
  for (size_t i = 0; i < count; ++i) {
    const double value = training.data->row(training.rows[i])[feature];
    if (std::isnan(value)) {
      *missing = true;
    } else if (all || random.Below(count) < kMostSampledRows) {
      values.push_back(value);
    }
  }
  std::sort(values.begin(), values.end());
  return values;
}

double Quantile(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<size_t>(std::lround(share * static_cast<double>(sorted.size() - 1)))];
}

// The distance between quartiles; where they are equal, half the range; where that is 0, 1.
double Spread(const std::vector<double>& sorted) {
  double spread = Quantile(sorted, 0.75) - Quantile(sorted, 0.25);
  if (!(spread > 0)) spread = (sorted.back() / 2 - sorted.front() / 2);
  if (!(spread > 0)) return 1;
  return std::clamp(spread, std::numeric_limits<double>::min(), std::numeric_limits<double>::max());
}

std::vector<double> Knots(const std::vector<double>& sorted, size_t pieces) {
  std::vector<double> knots;
  for (size_t i = 0; i <= pieces; ++i) {
    const double knot = Quantile(sorted, static_cast<double>(i) / static_cast<double>(pieces));
    if (knots.empty() || knot > knots.back()) knots.push_back(knot);
  }
  return knots;
}

// A rule of thumb for embeddings of categories: 1.6 · levels^0.56 (Howard & Gugger, fastai: a layered API for deep learning, 2020), within
// bounds.
uint32_t LevelWidth(double levels) { return static_cast<uint32_t>(std::clamp(std::lround(1.6 * std::pow(levels, 0.56)), 4l, 16l)); }

}  // namespace

NetworkInputs FitNetworkInputs(const TrainingRows& training, const NetworkInputOptions& options) {
  const Dataset& data = *training.data;
  const size_t features = data.features();
  NetworkInputs inputs;
  inputs.centre.assign(features, 0.0);
  inputs.scale.assign(features, 1.0);
  inputs.levels.assign(features, 0);
  inputs.table_width.assign(features, 0);
  inputs.knots_begin = {0};
  for (size_t j = 0; j < features; ++j) {
    bool missing = false;
    const std::vector<double> values = SortedValues(training, j, &missing);
    inputs.is_category.push_back(data.is_category(j));
    if (data.is_category(j)) {
      const size_t levels = data.dictionary_size(j);
      inputs.levels[j] = static_cast<uint32_t>(levels);
      if (levels > options.one_hot) inputs.table_width[j] = LevelWidth(static_cast<double>(levels));
    } else if (!values.empty()) {
      inputs.centre[j] = Quantile(values, 0.5);
      inputs.scale[j] = Spread(values);
      const std::vector<double> knots = Knots(values, options.pieces);
      if (options.number_width > 0 && knots.size() > 2) {
        inputs.table_width[j] = static_cast<uint32_t>(options.number_width);
        inputs.knots.insert(inputs.knots.end(), knots.begin(), knots.end());
      }
    }
    // A table has a row for missing values already.
    inputs.indicator.push_back(missing && inputs.table_width[j] == 0);
    inputs.knots_begin.push_back(inputs.knots.size());
  }
  return inputs;
}

std::vector<NetworkTable> NetworkTables(const NetworkInputs& inputs) {
  std::vector<NetworkTable> tables;
  for (size_t j = 0; j < inputs.features(); ++j)
    if (inputs.table_width[j] > 0) tables.push_back({inputs.TableRows(j), inputs.table_width[j], !inputs.is_category[j]});
  return tables;
}

NetworkRows::NetworkRows(const NetworkInputs& inputs, const TrainingRows& rows, double target_mean, double target_scale) {
  const size_t count = rows.rows.size(), tables = inputs.tables(), columns = inputs.fixed();
  positions.resize(count * tables);
  fractions.resize(count * tables);
  fixed.resize(count * columns);
  double sum = 0;
  for (const uint32_t row : rows.rows) sum += rows.data->weight(row);
  for (size_t i = 0; i < count; ++i) {
    const uint32_t row = rows.rows[i];
    inputs.Locate(rows.data->row(row), positions.data() + i * tables, fractions.data() + i * tables, fixed.data() + i * columns);
    targets.push_back(static_cast<float>((rows.data->target()[row] - target_mean) / target_scale));
    weights.push_back(static_cast<float>(sum > 0 ? rows.data->weight(row) / sum * static_cast<double>(count) : 1));
  }
}

void FillUnseenLevels(const NetworkInputs& inputs, const NetworkRows& rows, std::span<float> tables) {
  const size_t table_count = inputs.tables();
  float* values = tables.data();
  for (size_t j = 0, t = 0; j < inputs.features(); ++j) {
    const size_t width = inputs.table_width[j], count = inputs.TableRows(j);
    if (width == 0) continue;
    if (inputs.is_category[j]) {
      std::vector<double> seen(count), mean(width);
      for (size_t i = t; i < rows.positions.size(); i += table_count) ++seen[rows.positions[i]];
      double total = 0;
      for (size_t level = 0; level + 1 < count; ++level) {
        total += seen[level];
        for (size_t e = 0; e < width; ++e) mean[e] += seen[level] * values[level * width + e];
      }
      for (size_t level = 0; level < count; ++level)
        for (size_t e = 0; seen[level] == 0 && e < width; ++e)
          values[level * width + e] = static_cast<float>(mean[e] / std::max(total, 1.0));
    }
    values += count * width;
    ++t;
  }
}

}  // namespace everlearn
