// Our trees predict what LightGBM itself predicts from the same model, whether trained on raw values or on codes.
#include "learners/lightgbm_trees.h"

#include <LightGBM/c_api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "learners/lightgbm_booster.h"
#include "learners/tree_test_data.h"

namespace everlearn {
namespace {

void ExpectOk(int status) { ASSERT_EQ(status, 0) << LGBM_GetLastError(); }

// LightGBM's own predictions from the text of a model, rows × outputs; two outputs for its one probability.
std::vector<double> OwnPredictions(const std::string& text, const std::vector<double>& values, size_t features, size_t outputs) {
  BoosterHandle booster = nullptr;
  int iterations = 0;
  ExpectOk(LGBM_BoosterLoadModelFromString(text.c_str(), &iterations, &booster));
  const size_t rows = values.size() / features;
  std::vector<double> out(rows * outputs);
  int64_t count = 0;
  ExpectOk(LGBM_BoosterPredictForMat(booster, values.data(), C_API_DTYPE_FLOAT64, static_cast<int32_t>(rows),
                                     static_cast<int32_t>(features), 1, C_API_PREDICT_NORMAL, 0, -1, "num_threads=1 verbosity=-1", &count,
                                     out.data()));
  ExpectOk(LGBM_BoosterFree(booster));
  if (count == static_cast<int64_t>(rows * outputs)) return out;
  for (size_t i = rows; i-- > 0;) {
    const double p = out[i];
    out[2 * i] = 1 - p;
    out[2 * i + 1] = p;
  }
  return out;
}

void ExpectNear(const std::vector<double>& ours, const std::vector<double>& theirs) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_NEAR(ours[i], theirs[i], 1e-12 * std::max(1.0, std::fabs(theirs[i]))) << i;
  }
}

std::string Objective(size_t classes) { return classes == 0 ? "regression" : classes == 2 ? "binary" : "multiclass"; }

LightGbmParameters Settings(size_t classes, const std::string& boosting) {
  LightGbmParameters parameters{
      {"objective", Objective(classes)}, {"boosting", boosting},      {"num_leaves", "15"},  {"min_data_in_leaf", "5"},
      {"min_data_per_group", "5"},       {"bagging_fraction", "0.7"}, {"bagging_freq", "1"}, {"seed", "3"}};
  if (classes > 2) parameters["num_class"] = std::to_string(classes);
  return parameters;
}

std::vector<float> Labels(const Dataset& data) { return {data.target().begin(), data.target().end()}; }

std::string TextOf(const LightGbmData& train, const LightGbmParameters& settings, int64_t rounds) {
  std::string text;
  train.Train(settings, rounds, {}, [&](const std::string& piece) { text += piece; });
  return text;
}

class LightGbmTrees : public testing::TestWithParam<std::tuple<size_t, const char*>> {};

TEST_P(LightGbmTrees, TrainedOnCodesPredictRawValues) {
  const auto [classes, boosting] = GetParam();
  const auto data = MakeTreeTestData(600, classes);
  const auto rows = AllRows(*data);
  LightGbmData train({data.get(), rows}, Labels(*data));
  const std::string text = TextOf(train, Settings(classes, boosting), 12);
  const BinnedTable& codes = data->binned();
  std::vector<double> code_values;
  for (size_t i = 0; i < data->rows(); ++i) {
    for (const BinnedColumn& column : codes.columns) code_values.push_back(column.code(i) == column.bins ? kMissing : column.code(i));
  }
  const auto model = ModelFromLightGbm(text, &codes, 3, data->outputs());
  ExpectNear(PredictAll(*model, *data), OwnPredictions(text, code_values, 3, data->outputs()));
}

TEST_P(LightGbmTrees, LinearLeavesPredictTheSame) {
  const auto [classes, boosting] = GetParam();
  if (std::string(boosting) != "gbdt") GTEST_SKIP() << "leaves of forests are constant";
  std::vector<double> weights;
  for (size_t i = 0; i < 600; ++i) weights.push_back(static_cast<double>(1 + i % 3));
  const auto data = MakeTreeTestData(600, classes, weights);
  const auto rows = AllRows(*data);
  LinearLeaves linear;
  linear.ranges = TrainingRanges({data.get(), rows});
  LightGbmData train({data.get(), rows}, Labels(*data), nullptr, &linear.ranges);
  LightGbmParameters settings = Settings(classes, boosting);
  settings["linear_lambda"] = "0.1";
  const std::string text = TextOf(train, settings, 12);
  TreesParameters trees = TreesFromLightGbm(text, &data->binned(), 3, data->outputs(), nullptr, &linear);
  EXPECT_GT(linear.term_features.size(), trees.leaves.size());
  EXPECT_EQ(std::count(linear.term_features.begin(), linear.term_features.end(), 2u), 0) << "a category is no number";

  std::vector<double> places;
  for (size_t i = 0; i < data->rows(); ++i) {
    const double* row = data->row(i);
    places.insert(places.end(), {linear.ranges.Place(0, row[0]), linear.ranges.Place(1, row[1]), row[2]});
  }
  const auto ours = PredictAll(*MakeLinearTrees(trees, linear), *data);
  const auto theirs = OwnPredictions(text, places, 3, data->outputs());
  for (size_t i = 0; i < ours.size(); ++i) ASSERT_NEAR(ours[i], theirs[i], 1e-9 * std::max(1.0, std::fabs(theirs[i]))) << i;
  EXPECT_THROW(ModelFromLightGbm(text, nullptr, 3, data->outputs()), Error);  // without ranges
}

TEST_P(LightGbmTrees, TrainedOnRawValuesStayAsTheyAre) {
  const auto [classes, boosting] = GetParam();
  const auto data = MakeTreeTestData(600, classes);
  std::string settings = "verbosity=-1 num_threads=1 categorical_feature=2";
  for (const auto& [name, value] : Settings(classes, boosting)) settings += " " + name + "=" + value;
  DatasetHandle train = nullptr;
  ExpectOk(LGBM_DatasetCreateFromMat(data->row(0), C_API_DTYPE_FLOAT64, 600, 3, 1, settings.c_str(), nullptr, &train));
  const std::vector<float> labels = Labels(*data);
  ExpectOk(LGBM_DatasetSetField(train, "label", labels.data(), 600, C_API_DTYPE_FLOAT32));
  BoosterHandle booster = nullptr;
  ExpectOk(LGBM_BoosterCreate(train, settings.c_str(), &booster));
  for (int round = 0, finished = 0; round < 12; ++round) ExpectOk(LGBM_BoosterUpdateOneIter(booster, &finished));
  std::string text(1 << 20, '\0');
  int64_t size = 0;
  ExpectOk(LGBM_BoosterSaveModelToString(booster, 0, -1, 0, static_cast<int64_t>(text.size()), &size, text.data()));
  text.resize(static_cast<size_t>(size) - 1);
  ExpectOk(LGBM_BoosterFree(booster));
  ExpectOk(LGBM_DatasetFree(train));

  std::vector<double> values(data->row(0), data->row(0) + 1800);
  for (size_t i = 0; i < 600; i += 5) values[3 * i] = kMissing;      // not missing in training
  for (size_t i = 0; i < 600; i += 7) values[3 * i + 2] = kMissing;  // a category neither
  for (size_t i = 1; i < 600; i += 7) values[3 * i + 2] = 40;        // unseen
  const auto model = ModelFromLightGbm(text, nullptr, 3, data->outputs());
  std::vector<double> ours(600 * data->outputs());
  model->Predict({values.data(), 600, 3}, ours.data());
  ExpectNear(ours, OwnPredictions(text, values, 3, data->outputs()));
}

INSTANTIATE_TEST_SUITE_P(Tasks, LightGbmTrees, testing::Combine(testing::Values(0, 2, 4), testing::Values("gbdt", "rf")));

TEST(LightGbmTrees, MissingOnlyAfterTrainingGoesWhereMostRowsWent) {
  std::vector<double> values, target;
  for (int i = 0; i < 100; ++i) {
    values.push_back(i);
    target.push_back(i < 30 ? 0 : 1);
  }
  const Dataset data({false}, {0}, values, target, {}, 0);
  const auto rows = AllRows(data);
  LightGbmData train({&data, rows}, Labels(data));
  const auto model = ModelFromLightGbm(TextOf(train, {{"objective", "regression"}}, 50), &data.binned(), 1, 1);
  double prediction = 0;
  model->PredictRow(&kMissing, &prediction);
  EXPECT_NEAR(prediction, 1, 0.01);
}

// 130 rounds of three classes come as several texts.
TEST(LightGbmTrees, RoundsThatComeInPiecesAreTheModel) {
  const auto data = MakeTreeTestData(300, 3);
  const auto rows = AllRows(*data);
  LightGbmData train({data.get(), rows}, Labels(*data));
  TreesParameters all, part;
  all.features = part.features = 3;
  all.outputs = part.outputs = 3;
  size_t pieces = 0;
  train.Train(Settings(3, "gbdt"), 130, {}, [&](const std::string& text) {
    AppendLightGbm(text, &data->binned(), &all);
    ++pieces;
  });
  EXPECT_GT(pieces, 1U);
  EXPECT_EQ(all.leaves.size(), 390U);
  train.Train(Settings(3, "gbdt"), 33, {}, [&](const std::string& text) { AppendLightGbm(text, &data->binned(), &part); });
  ASSERT_EQ(part.leaves.size(), 99U);
  EXPECT_TRUE(std::equal(part.leaf_values.begin(), part.leaf_values.end(), all.leaf_values.begin()));
  EXPECT_TRUE(std::equal(part.category_words.begin(), part.category_words.end(), all.category_words.begin()));
  MakeTrees(std::move(all));
}

TEST(LightGbmTrees, RefusesWhatItCannotRead) {
  const auto data = MakeTreeTestData(300, 2);
  const auto rows = AllRows(*data);
  LightGbmData train({data.get(), rows}, Labels(*data));
  const std::string text = TextOf(train, Settings(2, "gbdt"), 2);
  const auto refused = [](const std::string& bad) { EXPECT_THROW(ModelFromLightGbm(bad, nullptr, 3, 2), Error) << bad.substr(0, 200); };
  refused("");
  refused("tree\n\nTree=0\n");
  refused(text.substr(0, text.size() / 3));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return changed;
  };
  refused(with("objective=binary", "objective=lambdarank"));
  refused(with("num_leaves=", "num_leaves=1"));
  refused(with("left_child=", "left_child=x "));
  refused(with("leaf_value=", "gone="));
}

}  // namespace
}  // namespace everlearn
