// The tree kernel predicts what LightGBM predicts (1e-12 relative) on random data with missing values, zeros, infinities and categories,
// for each of LightGBM's ways of treating missing values, each task, boosting and forests, small trees and large ones.
#include <LightGBM/c_api.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/random.h"
#include "data/table.h"
#include "learners/lightgbm_trees.h"

namespace everlearn {
namespace {

constexpr size_t kFeatures = 6;  // the last two are categories
constexpr size_t kRows = 2'000;

void ExpectOk(int status) { ASSERT_EQ(status, 0) << LGBM_GetLastError(); }

// `wild`: with infinities and categories that training does not have.
std::vector<double> RandomRows(size_t rows, uint64_t seed, bool wild) {
  Random random(seed);
  std::vector<double> values;
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < kFeatures; ++j) {
      double x = j >= 4 ? static_cast<double>(random.Below(wild ? 80 : 40)) : random.Normal() * 10;
      if (j % 2 == 0 && random.Uniform() < 0.2) x = kMissing;
      if (j < 4 && random.Uniform() < 0.15) x = 0;
      if (wild && random.Uniform() < 0.05) x = kMissing;
      if (wild && j < 4 && random.Uniform() < 0.05) x = random.Uniform() < 0.5 ? INFINITY : -INFINITY;
      if (wild && j >= 4 && random.Uniform() < 0.05) x = -3;
      values.push_back(x);
    }
  }
  return values;
}

std::vector<float> LabelsOf(const std::vector<double>& values, size_t classes) {
  Random random(9);
  std::vector<float> labels;
  for (size_t i = 0; i < kRows; ++i) {
    const double* row = values.data() + i * kFeatures;
    double score = random.Normal() * 3;
    for (size_t j = 0; j < 4; ++j) score += std::isnan(row[j]) ? 5 : std::abs(row[j]);
    if (std::fmod(row[5], 3) == 0) score += 10;
    score = std::max(0.0, score);  // Poisson regression needs it
    const double steps = std::min(static_cast<double>(classes) - 1, std::floor(score * static_cast<double>(classes) / 60));
    labels.push_back(static_cast<float>(classes == 0 ? score : steps));
  }
  return labels;
}

class Booster {
 public:
  explicit Booster(const std::string& settings, size_t classes) {
    const std::vector<double> values = RandomRows(kRows, 1, false);
    const std::vector<float> labels = LabelsOf(values, classes);
    DatasetHandle data = nullptr;
    ExpectOk(LGBM_DatasetCreateFromMat(values.data(), C_API_DTYPE_FLOAT64, kRows, kFeatures, 1, settings.c_str(), nullptr, &data));
    ExpectOk(LGBM_DatasetSetField(data, "label", labels.data(), kRows, C_API_DTYPE_FLOAT32));
    ExpectOk(LGBM_BoosterCreate(data, settings.c_str(), &handle_));
    for (int round = 0, finished = 0; round < 15 && !finished; ++round) ExpectOk(LGBM_BoosterUpdateOneIter(handle_, &finished));
    ExpectOk(LGBM_DatasetFree(data));
  }
  ~Booster() { LGBM_BoosterFree(handle_); }
  Booster(const Booster&) = delete;
  Booster& operator=(const Booster&) = delete;

  std::string Text() const {
    std::string text(8 << 20, '\0');
    int64_t size = 0;
    ExpectOk(LGBM_BoosterSaveModelToString(handle_, 0, -1, 0, static_cast<int64_t>(text.size()), &size, text.data()));
    text.resize(static_cast<size_t>(size) - 1);
    return text;
  }
  std::vector<double> Predict(const std::vector<double>& values, size_t outputs) const {
    const size_t rows = values.size() / kFeatures;
    std::vector<double> out(rows * outputs);
    int64_t count = 0;
    ExpectOk(LGBM_BoosterPredictForMat(handle_, values.data(), C_API_DTYPE_FLOAT64, static_cast<int32_t>(rows), kFeatures, 1,
                                       C_API_PREDICT_NORMAL, 0, -1, "num_threads=1 verbosity=-1", &count, out.data()));
    return out;
  }

 private:
  BoosterHandle handle_ = nullptr;
};

class TreesEqualLightGbm : public testing::TestWithParam<std::tuple<std::string, std::string, std::string, int>> {};

TEST_P(TreesEqualLightGbm, OnEveryRow) {
  const auto& [objective, boosting, missing, leaves] = GetParam();
  const size_t classes = objective == "multiclass" ? 3 : objective == "binary" ? 2 : 0;
  const size_t outputs = classes == 0 ? 1 : classes;
  std::string settings = fmt::format(
      "objective={} boosting={} {} num_leaves={} categorical_feature=4,5 min_data_in_leaf=3 min_data_per_group=3 cat_smooth=1 "
      "bagging_fraction=0.8 bagging_freq=1 feature_fraction=0.9 verbosity=-1 num_threads=1",
      objective, boosting, missing, leaves);
  if (classes > 2) settings += " num_class=3";
  const Booster booster(settings, classes);
  const auto model = ModelFromLightGbm(booster.Text(), nullptr, kFeatures, outputs);

  const std::vector<double> values = RandomRows(kRows, 2, true);
  const std::vector<double> theirs = booster.Predict(values, classes == 2 ? 1 : outputs);
  std::vector<double> ours(kRows * outputs), row(outputs);
  model->Predict({values.data(), kRows, kFeatures}, ours.data());
  EXPECT_GT(*std::max_element(ours.begin(), ours.end()), *std::min_element(ours.begin(), ours.end()));  // it has learned something
  for (size_t i = 0; i < kRows; ++i) {
    model->PredictRow(values.data() + i * kFeatures, row.data());
    for (size_t k = 0; k < outputs; ++k) {
      ASSERT_EQ(row[k], ours[i * outputs + k]);
      if (classes == 2 && k == 0) continue;
      const double expected = classes == 2 ? theirs[i] : theirs[i * outputs + k];
      ASSERT_NEAR(ours[i * outputs + k], expected, 1e-12 * std::abs(expected)) << "row " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, TreesEqualLightGbm,
                         testing::Combine(testing::Values("regression", "binary", "multiclass", "poisson"), testing::Values("gbdt", "rf"),
                                          testing::Values("use_missing=true", "use_missing=false", "zero_as_missing=true"),
                                          testing::Values(31, 150)));

}  // namespace
}  // namespace everlearn
