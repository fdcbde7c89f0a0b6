// Speed of the tree kernel against LightGBM's own prediction, one thread: one row, and a million rows.
//
//   cmake --preset release && ninja -C build/release trees_benchmark && build/release/benchmarks/trees_benchmark
//
// Data: 28 features, 100 trees of 31 leaves trained on a noisy function of them; times are medians of five runs, of CPU.
#include <LightGBM/c_api.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "base/random.h"
#include "base/resources.h"
#include "learners/lightgbm_trees.h"

namespace everlearn {
namespace {

constexpr size_t kFeatures = 28;
constexpr size_t kTrainingRows = 50'000;
constexpr int kRuns = 5;

void Check(int status) {
  if (status != 0) throw Error(ErrorKind::kInternal, LGBM_GetLastError());
}

struct Data {
  std::vector<double> values;
  std::vector<float> labels;
};

// A fifth of the features have missing values; a tenth of the labels is noise.
Data MakeData(size_t rows, uint64_t seed) {
  Random random(seed);
  Data data;
  data.values.resize(rows * kFeatures);
  for (size_t i = 0; i < rows; ++i) {
    double* row = data.values.data() + i * kFeatures;
    double score = 0;
    for (size_t j = 0; j < kFeatures; ++j) {
      row[j] = random.Normal();
      score += std::sin(row[j] * static_cast<double>(j % 5)) + row[j] * row[(j + 1) % kFeatures] * 0.2;
      if (j % 5 == 0 && random.Uniform() < 0.1) row[j] = std::nan("");
    }
    data.labels.push_back(random.Uniform() < 0.1 ? random.Uniform() < 0.5 : score > 0);
  }
  return data;
}

class Booster {
 public:
  explicit Booster(const Data& data) {
    DatasetHandle set = nullptr;
    const auto rows = static_cast<int32_t>(data.labels.size());
    Check(LGBM_DatasetCreateFromMat(data.values.data(), C_API_DTYPE_FLOAT64, rows, kFeatures, 1, "verbosity=-1 num_threads=1", nullptr,
                                    &set));
    Check(LGBM_DatasetSetField(set, "label", data.labels.data(), rows, C_API_DTYPE_FLOAT32));
    Check(LGBM_BoosterCreate(set, "objective=binary num_leaves=31 verbosity=-1 num_threads=1", &handle_));
    for (int round = 0, finished = 0; round < 100 && !finished; ++round) Check(LGBM_BoosterUpdateOneIter(handle_, &finished));
    Check(LGBM_DatasetFree(set));
    Check(LGBM_BoosterPredictForMatSingleRowFastInit(handle_, C_API_PREDICT_NORMAL, 0, -1, C_API_DTYPE_FLOAT64, kFeatures, kSettings,
                                                     &fast_));
  }
  ~Booster() {
    LGBM_FastConfigFree(fast_);
    LGBM_BoosterFree(handle_);
  }
  Booster(const Booster&) = delete;
  Booster& operator=(const Booster&) = delete;

  std::string Text() const {
    int64_t size = 0;
    Check(LGBM_BoosterSaveModelToString(handle_, 0, -1, C_API_FEATURE_IMPORTANCE_SPLIT, 0, &size, nullptr));
    std::string text(static_cast<size_t>(size), '\0');
    Check(LGBM_BoosterSaveModelToString(handle_, 0, -1, C_API_FEATURE_IMPORTANCE_SPLIT, size, &size, text.data()));
    text.resize(static_cast<size_t>(size) - 1);
    return text;
  }
  void PredictRow(const double* row, double* out) const {
    int64_t count = 0;
    Check(LGBM_BoosterPredictForMatSingleRowFast(fast_, row, &count, out));
  }
  void Predict(const RowsView& rows, double* out) const {
    int64_t count = 0;
    Check(LGBM_BoosterPredictForMat(handle_, rows.values, C_API_DTYPE_FLOAT64, static_cast<int32_t>(rows.rows), kFeatures, 1,
                                    C_API_PREDICT_NORMAL, 0, -1, kSettings, &count, out));
  }

 private:
  static constexpr const char* kSettings = "num_threads=1 verbosity=-1";
  BoosterHandle handle_ = nullptr;
  FastConfigHandle fast_ = nullptr;
};

// Median microseconds a row, of this thread's CPU time: other programs on the machine do not count.
double Measure(size_t rows, const std::function<void()>& work) {
  std::vector<double> times;
  for (int run = 0; run < kRuns; ++run) {
    const double begin = ThreadCpuSeconds();
    work();
    times.push_back((ThreadCpuSeconds() - begin) * 1e6 / static_cast<double>(rows));
  }
  std::sort(times.begin(), times.end());
  return times[kRuns / 2];
}

int Run(size_t rows, size_t single_rows) {
  const Booster booster(MakeData(kTrainingRows, 1));
  const auto model = ModelFromLightGbm(booster.Text(), nullptr, kFeatures, 2);
  const Data data = MakeData(rows, 2);
  const RowsView view{data.values.data(), rows, kFeatures};
  std::vector<double> ours(rows * 2), theirs(rows), row_by_row(single_rows * 2);

  const double our_batch = Measure(rows, [&] { model->Predict(view, ours.data()); });
  const double their_batch = Measure(rows, [&] { booster.Predict(view, theirs.data()); });
  const double our_row = Measure(single_rows, [&] {
    for (size_t i = 0; i < single_rows; ++i) model->PredictRow(view.row(i), row_by_row.data() + 2 * i);
  });
  std::vector<double> their_rows(single_rows);
  const double their_row = Measure(single_rows, [&] {
    for (size_t i = 0; i < single_rows; ++i) booster.PredictRow(view.row(i), their_rows.data() + i);
  });

  double difference = 0;
  for (size_t i = 0; i < rows; ++i) difference = std::max(difference, std::abs(ours[2 * i + 1] - theirs[i]) / theirs[i]);
  const bool same = std::equal(row_by_row.begin(), row_by_row.end(), ours.begin());

  fmt::print("100 trees x 31 leaves, {} features, {} rows, one thread; microseconds a row\n\n", kFeatures, rows);
  fmt::print("| | Everlearn | LightGBM | ratio |\n|---|---|---|---|\n");
  fmt::print("| one row a call | {:.3f} | {:.3f} | {:.1f} |\n", our_row, their_row, their_row / our_row);
  fmt::print("| batch | {:.3f} | {:.3f} | {:.1f} |\n\n", our_batch, their_batch, their_batch / our_batch);
  fmt::print("largest relative difference {:.1e}; row by row equal to batch: {}\n", difference, same ? "yes" : "no");
  return difference <= 1e-12 && same ? 0 : 1;
}

}  // namespace
}  // namespace everlearn

int main(int argc, char** argv) {
  size_t rows = 1'000'000, single_rows = 100'000;
  CLI::App app("Speed of the tree kernel against LightGBM");
  app.add_option("--rows", rows, "rows of the batch")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    return everlearn::Run(rows, std::min(rows, single_rows));
  } catch (const everlearn::Error& error) {
    fmt::print(stderr, "trees_benchmark: {}\n", error.message());
    return 1;
  }
}
