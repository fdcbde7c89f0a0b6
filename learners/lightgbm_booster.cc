// The C API of LightGBM behind one class that owns its handles.
#include "learners/lightgbm_booster.h"

#include <LightGBM/c_api.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "base/random.h"

namespace everlearn {

namespace {

void Check(int status) {
  if (status != 0) throw Error(ErrorKind::kInternal, std::string("LightGBM failed: ") + LGBM_GetLastError());
}

void FreeDataset(void* dataset) { LGBM_DatasetFree(dataset); }
void FreeBooster(void* booster) { LGBM_BoosterFree(booster); }

// Codes, or where `ranges` are given the places of numbers in them.
std::vector<float> Matrix(const TrainingRows& training, const ColumnRanges* ranges) {
  const BinnedTable& codes = training.data->binned();
  const size_t columns = codes.columns.size();
  std::vector<float> matrix(training.rows.size() * columns);
  for (size_t j = 0; j < columns; ++j) {
    const BinnedColumn& column = codes.columns[j];
    if (ranges != nullptr && !column.is_category) {
      for (size_t i = 0; i < training.rows.size(); ++i) {
        matrix[i * columns + j] = static_cast<float>(ranges->Place(j, training.data->row(training.rows[i])[j]));
      }
      continue;
    }
    for (size_t i = 0; i < training.rows.size(); ++i) {
      const uint32_t code = column.code(training.rows[i]);
      matrix[i * columns + j] = code == column.bins ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(code);
    }
  }
  return matrix;
}

std::vector<float> MeanOneWeights(const TrainingRows& training) {
  double sum = 0;
  for (const uint32_t row : training.rows) sum += training.data->weight(row);
  const double factor = sum > 0 ? static_cast<double>(training.rows.size()) / sum : 1;
  std::vector<float> weights;
  for (const uint32_t row : training.rows) weights.push_back(static_cast<float>(training.data->weight(row) * factor));
  return weights;
}

// The objective's own measure on the rows that were added; each round adds only its trees to their scores.
double ValidationLoss(void* booster) {
  int count = 0;
  double loss = 0;
  Check(LGBM_BoosterGetEval(booster, 1, &count, &loss));
  return loss;
}

// The first `rounds` rounds of a model (0: all).
void TakeTexts(void* booster, int64_t rounds, const LightGbmTexts& take) {
  constexpr int kTrees = 100;  // in a text
  int trees_a_round = 0, all = 0;
  Check(LGBM_BoosterNumModelPerIteration(booster, &trees_a_round));
  Check(LGBM_BoosterGetCurrentIteration(booster, &all));
  if (rounds > 0) all = std::min(all, static_cast<int>(rounds));
  const int step = std::max(1, kTrees / trees_a_round);
  std::string text;
  for (int first = 0; first == 0 || first < all; first += step) {
    int64_t size = 0;
    const auto save = [&] {
      Check(LGBM_BoosterSaveModelToString(booster, first, std::min(step, all - first), C_API_FEATURE_IMPORTANCE_SPLIT,
                                          static_cast<int64_t>(text.size()), &size, text.data()));
    };
    text.resize(std::max<size_t>(text.capacity(), 1 << 20));
    save();
    if (size > static_cast<int64_t>(text.size())) {
      text.resize(static_cast<size_t>(size));
      save();
    }
    text.resize(static_cast<size_t>(size) - 1);  // the size counts a terminating zero
    take(text);
  }
}

}  // namespace

std::string LightGbmSeed(uint64_t seed) { return std::to_string(MixBits(seed) & 0x7fffffff); }

int64_t ClampedLeafRows(int64_t wanted, size_t rows) { return std::clamp<int64_t>(static_cast<int64_t>(rows / 10), 1, wanted); }

StandardTarget StandardiseTarget(const TrainingRows& training, const std::function<double(double)>& transform) {
  double weights = 0, mean = 0, squares = 0;
  for (const uint32_t row : training.rows) {
    const double weight = training.data->weight(row);
    if (!(weight > 0)) continue;
    weights += weight;
    const double target = transform ? transform(training.data->target()[row]) : training.data->target()[row];
    const double difference = target - mean;
    mean += difference * weight / weights;
    squares += weight * difference * (target - mean);
  }
  const double scale = weights > 0 ? std::sqrt(squares / weights) : 0;
  return {mean, std::isfinite(scale) && scale > std::fabs(mean) * std::numeric_limits<double>::epsilon() ? scale : 0};
}

double LightGbmCostUnits(double rows, double features, double trees, double leaves, double min_data_in_leaf) {
  // Fitted to CPU times of one thread, 1,000 to 100,000 rows, 10 to 100 features, 31 to 1,024 leaves; within about a third of each.
  constexpr double kBinCell = 1.9e-5;      // 190 ns to read and bin one value
  constexpr double kLeafFeature = 2.9e-4;  // 2.9 us to search one feature in one leaf
  constexpr double kCellLevel = 1.1e-7;    // 1.1 ns to add one value to the histograms of one level
  constexpr double kRowFeatures = 4;       // gradients and the partition of a row cost as much as so many features
  const double reached = std::clamp(rows / min_data_in_leaf, 2.0, std::max(leaves, 2.0));
  const double tree = kLeafFeature * reached * features + kCellLevel * rows * (features + kRowFeatures) * std::log2(reached);
  return kBinCell * rows * features + trees * tree;
}

std::vector<float> LightGbmLabels(const TrainingRows& training, const StandardTarget& standard) {
  const bool regression = training.data->classes() == 0;
  std::vector<float> labels;
  labels.reserve(training.rows.size());
  for (const uint32_t row : training.rows) {
    const double target = training.data->target()[row];
    labels.push_back(static_cast<float>(regression ? (target - standard.mean) / standard.scale : target));
  }
  return labels;
}

void AddMonotone(const Dataset& data, std::span<const int8_t> monotone, LightGbmParameters* parameters) {
  if (std::all_of(monotone.begin(), monotone.end(), [](int8_t sign) { return sign == 0; })) return;
  std::string signs;
  for (size_t j = 0; j < monotone.size(); ++j) {
    if (monotone[j] != 0 && data.is_category(j)) {
      throw Error(ErrorKind::kUsage, "a category cannot be monotone: its values have no order", "declare the column as a number");
    }
    signs += (j == 0 ? "" : ",") + std::to_string(monotone[j]);
  }
  (*parameters)["monotone_constraints"] = signs;
  (*parameters)["monotone_constraints_method"] = "intermediate";
}

ColumnRanges TrainingRanges(const TrainingRows& training) {
  const BinnedTable& codes = training.data->binned();
  ColumnRanges ranges{std::vector<double>(codes.columns.size()), std::vector<double>(codes.columns.size())};
  for (size_t j = 0; j < codes.columns.size(); ++j) {
    const BinnedColumn& column = codes.columns[j];
    constexpr double kLargest = std::numeric_limits<double>::max();
    double low = kLargest, high = -kLargest;
    if (column.is_category) continue;
    for (const uint32_t row : training.rows) {
      const double x = training.data->row(row)[j];
      if (std::isnan(x)) continue;
      low = std::min(low, std::max(x, -kLargest));
      high = std::max(high, std::min(x, kLargest));
    }
    if (low > high) continue;  // all are missing
    if (column.bins > 2) {
      const double first = column.upper[0], last = column.upper[column.bins - 2], width = last - first;
      if (const double fence = std::max(first - width, -kLargest); fence < high) low = std::max(low, fence);
      if (const double fence = std::min(last + width, kLargest); fence > low) high = std::min(high, fence);
    }
    ranges.low[j] = low;
    ranges.high[j] = high;
  }
  return ranges;
}

LightGbmData::LightGbmData(const TrainingRows& training, std::span<const float> labels, const LightGbmData* reference,
                           const ColumnRanges* ranges)
    : linear_leaves_(ranges != nullptr), handle_(nullptr, FreeDataset) {
  LGBM_RegisterLogCallback([](const char*) {});  // a setting of the calling thread
  std::string categories;
  const BinnedTable& codes = training.data->binned();
  for (size_t j = 0; j < codes.columns.size(); ++j) {
    if (codes.columns[j].is_category) {
      categories += (categories.empty() ? "" : ",") + std::to_string(j);
    } else {
      max_bins_ = std::max(max_bins_, codes.columns[j].bins);
    }
  }
  LightGbmParameters parameters;
  if (!categories.empty()) parameters["categorical_feature"] = categories;
  const std::vector<float> matrix = Matrix(training, ranges);
  void* dataset = nullptr;
  Check(LGBM_DatasetCreateFromMat(matrix.data(), C_API_DTYPE_FLOAT32, static_cast<int32_t>(training.rows.size()),
                                  static_cast<int32_t>(codes.columns.size()), 1, Describe(parameters).c_str(),
                                  reference == nullptr ? nullptr : reference->handle_.get(), &dataset));
  handle_.reset(dataset);
  Check(LGBM_DatasetSetField(handle_.get(), "label", labels.data(), static_cast<int>(labels.size()), C_API_DTYPE_FLOAT32));
  if (!training.data->has_weights()) return;
  const std::vector<float> weights = MeanOneWeights(training);
  Check(LGBM_DatasetSetField(handle_.get(), "weight", weights.data(), static_cast<int>(weights.size()), C_API_DTYPE_FLOAT32));
}

void LightGbmData::Train(const LightGbmParameters& parameters, int64_t rounds, const std::function<bool()>& stop, const LightGbmTexts& take,
                         const LightGbmEarlyStopping& early) const {
  void* raw = nullptr;
  Check(LGBM_BoosterCreate(handle_.get(), Describe(parameters).c_str(), &raw));
  const std::unique_ptr<void, void (*)(void*)> booster(raw, FreeBooster);
  if (early.rows != nullptr) Check(LGBM_BoosterAddValidData(booster.get(), early.rows->handle_.get()));
  int64_t best_round = 0;  // 0: the last
  int64_t made = 0;
  double best_loss = std::numeric_limits<double>::infinity();
  for (int64_t round = 1; round <= rounds; ++round) {
    if (round > 1 && stop && stop()) break;
    int finished = 0;
    Check(LGBM_BoosterUpdateOneIter(booster.get(), &finished));
    if (finished != 0) break;
    made = round;
    if (early.rows == nullptr) continue;
    if (const double loss = ValidationLoss(booster.get()); loss < best_loss) {
      best_loss = loss;
      best_round = round;
    } else if (round - best_round >= early.patience) {
      break;
    }
  }
  if (early.rounds_made != nullptr) *early.rounds_made = best_round > 0 ? best_round : made;
  TakeTexts(booster.get(), best_round, take);
}

std::string LightGbmData::Describe(const LightGbmParameters& parameters) const {
  // Zero and missing take a bin of their own beside the codes; rarely seen categories share one beyond LightGBM's default of 255.
  constexpr uint32_t kExtraBins = 2, kDefaultBins = 255;
  LightGbmParameters all{{"verbosity", "-1"},
                         {"num_threads", "1"},
                         {"deterministic", "true"},
                         {"force_col_wise", "true"},
                         {"max_bin", std::to_string(std::max(max_bins_ + kExtraBins, kDefaultBins))},
                         {"min_data_in_bin", "1"},
                         {"bin_construct_sample_cnt", std::to_string(std::numeric_limits<int32_t>::max())},
                         {"feature_pre_filter", "false"},
                         {"histogram_pool_size", "128"}};  // MB; without it, one of all features for each leaf
  if (linear_leaves_) all["linear_tree"] = "true";         // keeps the raw numbers in the data set, too
  for (const auto& [name, value] : parameters) all[name] = value;
  std::string text;
  for (const auto& [name, value] : all) text += name + "=" + value + " ";
  return text;
}

}  // namespace everlearn
