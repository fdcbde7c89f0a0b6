// Gradient boosting: equal to the LightGBM Python package on stored cases, equal on any number of threads, at ease with little data.
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "base/json.h"
#include "base/random.h"
#include "learners/tree_test_data.h"

namespace everlearn {
namespace {

constexpr char kName[] = "gradient_boosting";

const std::map<std::string, std::string> kSmall{
    {"trees", "20"}, {"leaves", "15"}, {"learning_rate", "0.2"}, {"min_data_in_leaf", "10"}, {"min_data_per_group", "20"}};

// Predictions of lightgbm 4.7.0 (Python) for MakeTreeTestData(500, classes):
//   lgb.train(dict(objective=…, num_leaves=15, learning_rate=0.2, min_data_in_leaf=10, min_data_per_group=20, min_data_in_bin=1,
//   feature_pre_filter=False, deterministic=True, force_col_wise=True, num_threads=1), Dataset(X, y, categorical_feature=[2]), 20)
struct StoredCase {
  size_t classes, row;
  std::vector<double> prediction;
};
const StoredCase kStored[] = {
    {0, 0, {10.901070109894285}},
    {0, 1, {53.66345966475922}},
    {0, 7, {42.65535815008909}},
    {0, 22, {34.53268642819328}},
    {0, 123, {12.644650801163781}},
    {0, 499, {44.92024175598849}},
    {2, 0, {0.9931568120398162, 0.006843187960183845}},
    {2, 1, {0.033721378440836114, 0.9662786215591639}},
    {2, 7, {0.7245830338399211, 0.275416966160079}},
    {2, 22, {0.8650220704727772, 0.1349779295272228}},
    {2, 123, {0.9913643921334502, 0.00863560786654977}},
    {2, 499, {0.8954086102535294, 0.10459138974647068}},
    {4, 0, {0.9634888905829496, 0.034298352858443994, 0.0019087937018600926, 0.00030396285674630624}},
    {4, 1, {0.004436913883277358, 0.031237917760781452, 0.963676724016397, 0.0006484443395441289}},
    {4, 7, {0.002970821941867742, 0.971716433210048, 0.02469428079515107, 0.000618464052933163}},
    {4, 22, {0.009623916032122858, 0.9858426182615416, 0.00421626353364849, 0.0003172021726870363}},
    {4, 123, {0.9945685534656602, 0.0046096097667092896, 0.0007257879818340213, 9.604878579637053e-05}},
    {4, 499, {0.0029988934946106214, 0.9802397732075167, 0.015743859012269417, 0.0010174742856035098}},
};

TEST(GradientBoosting, EqualsThePythonPackage) {
  for (const StoredCase& stored : kStored) {
    const auto data = MakeTreeTestData(500, stored.classes);
    const auto predictions = PredictAll(*FitWith(kName, *data, AllRows(*data), kSmall), *data);
    for (size_t k = 0; k < data->outputs(); ++k) {
      // Labels of a regression are rounded to single precision after they were standardised.
      const double tolerance = stored.classes == 0 ? 1e-4 : 1e-9;
      EXPECT_NEAR(predictions[stored.row * data->outputs() + k], stored.prediction[k], tolerance) << stored.classes << " " << stored.row;
    }
  }
}

TEST(GradientBoosting, MoreTreesFitBetter) {
  for (const size_t classes : {0, 2, 4}) {
    const auto data = MakeTreeTestData(1000, classes);
    const auto rows = AllRows(*data);
    double before = MeanSquaredError(PredictAll(*FitWith("constant", *data, rows), *data), *data);
    for (const char* trees : {"1", "5", "25", "100"}) {
      const double error = MeanSquaredError(PredictAll(*FitWith(kName, *data, rows, {{"trees", trees}}), *data), *data);
      EXPECT_LT(error, before) << classes << " classes, " << trees << " trees";
      before = error;
    }
  }
}

TEST(GradientBoosting, SameSeedSameModelOnAnyNumberOfThreads) {
  const std::map<std::string, std::string> drawn{{"trees", "4"}, {"bagging_fraction", "0.5"}, {"feature_fraction", "0.7"}};
  for (const size_t classes : {0, 2, 4}) {
    const auto data = MakeTreeTestData(3000, classes);
    const auto rows = AllRows(*data);
    const auto one = PredictAll(*FitWith(kName, *data, rows, drawn, {.seed = 1, .threads = 1}), *data);
    EXPECT_EQ(one, PredictAll(*FitWith(kName, *data, rows, drawn, {.seed = 1, .threads = 2}), *data));
    EXPECT_NE(one, PredictAll(*FitWith(kName, *data, rows, drawn, {.seed = 2, .threads = 1}), *data));
  }
}

TEST(GradientBoosting, SeveralFitsAtOnceAreIndependent) {
  const auto data = MakeTreeTestData(3000, 4);
  const auto rows = AllRows(*data);
  const auto alone = PredictAll(*FitWith(kName, *data, rows, kSmall), *data);
  std::vector<std::vector<double>> results(6);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 3; ++round) {
        results[i] = PredictAll(*FitWith(kName, *data, rows, kSmall, {.threads = i % 3 == 2 ? 2 : 1}), *data);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result, alone);
}

TEST(GradientBoosting, LittleOrConstantDataGivesAConstant) {
  for (const size_t classes : {0, 1, 2, 4}) {
    const auto data = MakeTreeTestData(40, classes);
    for (const std::vector<uint32_t>& rows : {std::vector<uint32_t>{5}, {1, 3}, {1, 2, 3}, {0, 1, 2, 3, 4, 5, 6, 7}}) {
      for (const double value : PredictAll(*FitWith(kName, *data, rows, {{"trees", "5"}}), *data)) EXPECT_TRUE(std::isfinite(value));
    }
  }
  const Dataset same({false}, {0}, {1, 2, 3, 4}, {1e9, 1e9, 1e9, 1e9}, {}, 0);
  EXPECT_EQ(PredictAll(*FitWith(kName, same, AllRows(same)), same), std::vector<double>(4, 1e9));
  const Dataset one_class({false}, {0}, {1, 2, 3, 4}, {1, 1, 1, 1}, {}, 2);
  EXPECT_EQ(PredictAll(*FitWith(kName, one_class, AllRows(one_class)), one_class)[1], 4.5 / 5);
  const Dataset no_features({}, {}, {}, {0, 1, 1}, {}, 2);
  EXPECT_EQ(FitWith(kName, no_features, AllRows(no_features))->kind(), "constant");
}

TEST(GradientBoosting, UselessFeaturesAreNoFailure) {
  const Dataset data({false, true}, {0, 1}, {7, 0, 7, 0, kMissing, kMissing, 7, 0}, {1, 2, 3, 4}, {}, 0);
  for (const double value : PredictAll(*FitWith(kName, data, AllRows(data)), data)) EXPECT_TRUE(std::isfinite(value));
}

TEST(GradientBoosting, AbsentClassIsUnlikelyNotImpossible) {
  const auto data = MakeTreeTestData(400, 4);
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < 400; ++i) {
    if (data->target()[i] != 2) rows.push_back(i);
  }
  const auto predictions = PredictAll(*FitWith(kName, *data, rows), *data);
  for (size_t i = 0; i < 400; ++i) {
    const double* p = &predictions[4 * i];
    EXPECT_LT(p[2], 1e-6);
    EXPECT_GE(p[2], 0);
    EXPECT_NEAR(p[0] + p[1] + p[2] + p[3], 1, 1e-12);
  }
}

TEST(GradientBoosting, UnseenCategoryAndMissingValuesPredict) {
  const auto data = MakeTreeTestData(500, 2);
  const auto model = FitWith(kName, *data, AllRows(*data));
  const double rows[] = {kMissing, kMissing, kMissing, 10, 20, 7, 10, 20, kMissing};
  double out[6];
  model->Predict({rows, 3, 3}, out);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(out[2 * i] + out[2 * i + 1], 1, 1e-12);
  EXPECT_EQ(out[2], out[4]);
}

TEST(GradientBoosting, ScaleOfTargetAndOfWeightsDoesNotMatter) {
  const auto data = MakeTreeTestData(500, 0);
  const auto rows = AllRows(*data);
  std::vector<double> target(data->target().begin(), data->target().end());
  for (double& value : target) value = 1e9 + 1e-3 * value;  // single precision is 64 apart there
  const Dataset shifted({false, false, true}, {0, 0, 7}, {data->row(0), data->row(0) + 1500}, target, {}, 0);
  const auto plain = PredictAll(*FitWith(kName, *data, rows, kSmall), *data);
  const auto moved = PredictAll(*FitWith(kName, shifted, rows, kSmall), shifted);
  const auto weighted = MakeTreeTestData(500, 0, std::vector<double>(500, 1e-9));
  const auto light = PredictAll(*FitWith(kName, *weighted, rows, kSmall), *weighted);
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_NEAR((moved[i] - 1e9) * 1e3, plain[i], 0.5);
    EXPECT_NEAR(light[i], plain[i], 1e-4);
  }
}

TEST(GradientBoosting, WeightsMoveTheFit) {
  std::vector<double> weights(500);
  for (size_t i = 0; i < 500; ++i) weights[i] = i % 2 == 0 ? 10 : 0;
  const auto data = MakeTreeTestData(500, 0, weights);
  std::vector<uint32_t> even;
  for (uint32_t i = 0; i < 500; i += 2) even.push_back(i);
  const auto all = PredictAll(*FitWith(kName, *data, AllRows(*data)), *data);
  const auto unweighted = MakeTreeTestData(500, 0);
  const auto plain = PredictAll(*FitWith(kName, *unweighted, AllRows(*unweighted)), *unweighted);
  double heavy = 0, light = 0;
  for (size_t i = 0; i < 500; i += 2) {
    heavy += std::pow(all[i] - data->target()[i], 2);
    light += std::pow(plain[i] - data->target()[i], 2);
  }
  EXPECT_LT(heavy, light);
}

TEST(GradientBoosting, StopsBetweenRounds) {
  const auto data = MakeTreeTestData(500, 2);
  const auto rows = AllRows(*data);
  int asked = 0;
  const auto stopped = FitWith(kName, *data, rows, {{"trees", "50"}}, {.stop = [&] { return ++asked == 3; }});
  EXPECT_EQ(PredictAll(*stopped, *data), PredictAll(*FitWith(kName, *data, rows, {{"trees", "3"}}), *data));
  const auto at_once = FitWith(kName, *data, rows, {}, {.stop = [] { return true; }});
  EXPECT_EQ(PredictAll(*at_once, *data), PredictAll(*FitWith(kName, *data, rows, {{"trees", "1"}}), *data));
}

// Noise that trees soon learn by heart: 200 rows to train on, 100 to measure on.
struct NoisyData {
  std::unique_ptr<Dataset> data;
  std::vector<uint32_t> train, validation;
};
NoisyData MakeNoisyData(size_t classes, bool weighted) {
  Random random(7);
  std::vector<double> values, target, weights;
  NoisyData noisy;
  for (uint32_t i = 0; i < 300; ++i) {
    const double a = random.Normal(), b = random.Normal(), c = random.Uniform() < 0.1 ? kMissing : random.Normal();
    const auto category = static_cast<double>(random.Below(5));
    const double score = a + 0.5 * category + 2 * random.Normal();
    values.insert(values.end(), {a, b, c, category});
    target.push_back(classes == 0 ? score : classes == 2 ? (score > 1) : (score > 0) + (score > 1) + (score > 3));
    if (weighted) weights.push_back(0.5 + random.Uniform());
    (i % 3 == 2 ? noisy.validation : noisy.train).push_back(i);
  }
  noisy.data = std::make_unique<Dataset>(std::vector<bool>{false, false, false, true}, std::vector<size_t>{0, 0, 0, 5}, values, target,
                                         weights, classes);
  return noisy;
}

// Weighted squared error or log-loss on some rows.
double LossOn(const std::vector<double>& predictions, const Dataset& data, const std::vector<uint32_t>& rows) {
  double loss = 0;
  for (const uint32_t row : rows) {
    const double* p = predictions.data() + row * data.outputs();
    const double y = data.target()[row];
    loss += data.weight(row) * (data.classes() == 0 ? (p[0] - y) * (p[0] - y) : -std::log(p[static_cast<size_t>(y)]));
  }
  return loss;
}

TEST(GradientBoosting, ValidationRowsFindTheBestRound) {
  for (const size_t classes : {0, 2, 4}) {
    for (const bool weighted : {false, true}) {
      const auto [data, train, validation] = MakeNoisyData(classes, weighted);
      const std::map<std::string, std::string> settings{{"min_data_in_leaf", "5"}, {"learning_rate", "0.2"}, {"leaves", "7"}};
      size_t best = 0;
      double best_loss = INFINITY;
      std::vector<double> best_predictions;
      for (size_t trees = 1; trees <= 40; ++trees) {
        auto so_many = settings;
        so_many["trees"] = std::to_string(trees);
        const auto predictions = PredictAll(*FitWith(kName, *data, train, so_many), *data);
        const double loss = LossOn(predictions, *data, validation);
        if (loss >= best_loss) continue;
        best = trees;
        best_loss = loss;
        best_predictions = predictions;
      }
      ASSERT_LT(best, 15);  // and the 25 rounds of patience (50 at a rate of 0.1) end at 40 at the latest
      auto many = settings;
      many["trees"] = "10000";
      int rounds = 1;
      const auto count = [&] { return ++rounds, false; };
      const auto model = FitWith(kName, *data, train, many, {.stop = count, .validation = validation});
      EXPECT_EQ(PredictAll(*model, *data), best_predictions) << classes << " classes, best round " << best;
      EXPECT_EQ(rounds, best + 25);
      // Ended by the clock soon after the best round: the best so far.
      const auto clock = [&, asked = 0]() mutable { return ++asked > static_cast<int>(best) + 3; };
      EXPECT_EQ(PredictAll(*FitWith(kName, *data, train, many, {.stop = clock, .validation = validation}), *data), best_predictions);
    }
  }
}

// For pairs of rows that differ in one feature only: the prediction of the second class, or of the value, moves as it was told to.
TEST(GradientBoosting, MonotoneFeaturesMoveThePredictionOneWay) {
  for (const size_t classes : {0, 2}) {
    const auto [data, train, validation] = MakeNoisyData(classes, false);
    const std::vector<int8_t> signs{-1, 1, 1, 0};  // the first against the truth
    for (const char* settings : {"", "extra_trees", "feature_fraction", "bagging_fraction", "max_depth"}) {
      std::map<std::string, std::string> drawn{{"min_data_in_leaf", "2"}};
      if (*settings != 0)
        drawn[settings] = std::string(settings) == "extra_trees" ? "true" : std::string(settings) == "max_depth" ? "4" : "0.6";
      const auto model = FitWith(kName, *data, train, drawn, {.monotone = signs});
      const auto free_model = FitWith(kName, *data, train, drawn);
      size_t moved = 0, free_turns = 0;
      std::vector<double> low(data->outputs()), high(data->outputs());
      for (uint32_t i = 0; i < data->rows(); ++i) {
        for (size_t j = 0; j < 3; ++j) {
          for (const double step : {0.1, 0.7, 3.0}) {
            std::vector<double> row(data->row(i), data->row(i) + 4);
            if (std::isnan(row[j])) continue;
            const auto change = [&](const Model& of) {
              std::vector<double> other = row;
              other[j] += step;
              of.PredictRow(row.data(), low.data());
              of.PredictRow(other.data(), high.data());
              return signs[j] * (high.back() - low.back());
            };
            EXPECT_GE(change(*model), -1e-12) << settings << " row " << i << " feature " << j;
            moved += change(*model) > 1e-6;
            free_turns += change(*free_model) < -1e-6;
          }
        }
      }
      EXPECT_GT(moved, 50) << settings;
      EXPECT_GT(free_turns, 500) << settings;
    }
  }
}

TEST(GradientBoosting, ACategoryIsNotMonotone) {
  const auto [data, train, validation] = MakeNoisyData(0, false);
  const std::vector<int8_t> signs{0, 0, 0, 1};
  EXPECT_THROW(FitWith(kName, *data, train, {}, {.monotone = signs}), Error);
}

// The data of MakeTreeTestData(500, 0) with 1 added to the target, so that it is above 0.
std::unique_ptr<Dataset> MakePositiveData() {
  const auto data = MakeTreeTestData(500, 0);
  std::vector<double> target(data->target().begin(), data->target().end());
  for (double& value : target) value += 1;
  return std::make_unique<Dataset>(std::vector<bool>{false, false, true}, std::vector<size_t>{0, 0, 7},
                                   std::vector<double>{data->row(0), data->row(0) + 1500}, target, std::vector<double>{}, 0);
}

// lightgbm 4.7.0 (Python), from gradient_boosting_cases.py: rows 0, 1, 7, 22, 123, 499.
const std::pair<const char*, std::vector<double>> kLosses[] = {
    {"absolute", {17.52641453, 54.33806808, 45.56349698, 33.79322328, 15.29467279, 45.06043854}},
    {"huber", {15.58333809, 55.3244961, 43.67610705, 34.38802491, 16.47354282, 46.06064814}},
    {"quantile", {38.05615006, 55.14339897, 46.42353126, 51.04238113, 38.05615006, 50.22002768}},
    {"poisson", {16.80827598, 53.08207956, 43.89421772, 37.3233544, 17.80784612, 45.35665347}},
    {"gamma", {10.02279949, 55.64023112, 42.99118861, 35.53472386, 14.65394869, 45.58538768}},
    {"tweedie", {11.73325623, 54.80308192, 43.46471896, 35.36690672, 13.74204633, 46.00280239}},
    {"log_squared", {7.291216194, 54.23671236, 43.73975657, 35.09571128, 13.11393185, 45.76285688}},
};

TEST(GradientBoosting, LossesEqualThePythonPackage) {
  const auto data = MakePositiveData();
  for (const auto& [loss, expected] : kLosses) {
    auto settings = kSmall;
    settings.insert({{"loss", loss}, {"huber_delta", "0.5"}, {"quantile", "0.9"}, {"tweedie_power", "1.3"}});
    const auto got = PredictAll(*FitWith(kName, *data, AllRows(*data), settings), *data);
    size_t at = 0;
    // The Python package has the target itself in single precision, we a standardised one.
    for (const size_t row : {0, 1, 7, 22, 123, 499})
      EXPECT_NEAR(got[row], expected[at++], 2e-4 * std::abs(got[row])) << loss << " row " << row;
  }
}

TEST(GradientBoosting, ALossSaysWhichTargetsItTakes) {
  for (const char* loss : {"gamma", "log_squared", "poisson", "tweedie"}) {
    const Dataset zero({false}, {0}, {1, 2, 3, 4}, {0, 1, 2, 3}, {}, 0), negative({false}, {0}, {1, 2, 3, 4}, {-1, 1, 2, 3}, {}, 0);
    const bool zero_is_in = std::string(loss) == "poisson" || std::string(loss) == "tweedie";
    EXPECT_THROW(FitWith(kName, negative, AllRows(negative), {{"loss", loss}}), Error);
    if (zero_is_in) {
      EXPECT_NO_THROW(FitWith(kName, zero, AllRows(zero), {{"loss", loss}}));
    } else {
      EXPECT_THROW(FitWith(kName, zero, AllRows(zero), {{"loss", loss}}), Error);
    }
  }
}

TEST(GradientBoosting, NoLossThatMovesLeavesIsMonotone) {
  const auto data = MakePositiveData();
  const std::vector<int8_t> signs{1, 0, 0};
  for (const char* loss : {"absolute", "quantile"}) {
    EXPECT_THROW(FitWith(kName, *data, AllRows(*data), {{"loss", loss}}, {.monotone = signs}), Error);
  }
  EXPECT_NO_THROW(FitWith(kName, *data, AllRows(*data), {{"loss", "huber"}, {"trees", "3"}}, {.monotone = signs}));
}

TEST(GradientBoosting, QuantilesHoldTheirShare) {
  const auto [data, train, validation] = MakeNoisyData(0, false);
  for (const double level : {0.1, 0.5, 0.9}) {
    const std::map<std::string, std::string> settings{{"loss", "quantile"}, {"quantile", NumberText(level)}, {"learning_rate", "0.05"}};
    const auto got = PredictAll(*FitWith(kName, *data, train, settings, {.validation = validation}), *data);
    double below = 0;
    for (const uint32_t row : validation) below += data->target()[row] <= got[row];
    EXPECT_NEAR(below / 100, level, 0.12);
  }
}

TEST(GradientBoosting, DartAndGossLearn) {
  for (const size_t classes : {0, 2, 4}) {
    const auto data = MakeTreeTestData(1000, classes);
    const auto rows = AllRows(*data);
    const double constant = MeanSquaredError(PredictAll(*FitWith("constant", *data, rows), *data), *data);
    const auto plain = PredictAll(*FitWith(kName, *data, rows), *data);
    for (const char* boosting : {"dart", "goss"}) {
      const auto got = PredictAll(*FitWith(kName, *data, rows, {{"boosting", boosting}, {"bagging_fraction", "0.9"}}), *data);
      EXPECT_LT(MeanSquaredError(got, *data), 0.3 * constant) << boosting;
      EXPECT_NE(got, plain);
    }
  }
}

// 400 values with an effect of their own and 8 rows each; the codes are in no order. What the encoding learns from a row itself would not
// hold for others.
TEST(GradientBoosting, TargetEncodingHelpsWithManyValuesAndDoesNotLeak) {
  Random random(21);
  std::vector<double> effects, values, target;
  for (int v = 0; v < 400; ++v) effects.push_back(random.Normal());
  std::vector<uint32_t> train, test;
  for (uint32_t i = 0; i < 4800; ++i) {
    const uint64_t v = random.Below(400);
    values.insert(values.end(), {static_cast<double>(v), random.Normal()});
    target.push_back(2 * effects[v] + values.back() + random.Normal());
    (i < 3200 ? train : test).push_back(i);
  }
  const Dataset data({true, false}, {400, 0}, values, target, {}, 0);
  std::vector<double> errors;
  for (const char* encoding : {"none", "many_values", "crosses"}) {
    const auto model = FitWith(kName, data, train, {{"target_encoding", encoding}});
    EXPECT_EQ(model->features(), 2);
    errors.push_back(LossOn(PredictAll(*model, data), data, test) / 1600);
  }
  EXPECT_LT(errors[1], 0.9 * errors[0]);
  EXPECT_LT(errors[1], 1.8);        // 1 is the noise; a mean of 8 rows leaves about 0.2
  EXPECT_EQ(errors[2], errors[1]);  // one feature has no pair
}

// Two ids of 40 values whose pair decides.
TEST(GradientBoosting, PairsAreEncodedWhereTheySayMore) {
  Random random(22);
  std::vector<double> effects, values, target;
  for (int v = 0; v < 1600; ++v) effects.push_back(random.Uniform() < 0.5 ? 0.1 : 0.9);
  std::vector<uint32_t> train, test;
  for (uint32_t i = 0; i < 30000; ++i) {
    const uint64_t a = random.Below(40), b = random.Below(40);
    values.insert(values.end(), {static_cast<double>(1000 + 7 * a), static_cast<double>(b), random.Normal()});
    target.push_back(random.Uniform() < effects[a * 40 + b] ? 1 : 0);
    (i < 20000 ? train : test).push_back(i);
  }
  const Dataset data({false, true, false}, {0, 40, 0}, values, target, {}, 2);
  std::vector<double> losses;
  for (const char* encoding : {"many_values", "crosses"}) {
    losses.push_back(LossOn(PredictAll(*FitWith(kName, data, train, {{"target_encoding", encoding}}), data), data, test) / 10000);
  }
  EXPECT_LT(losses[1], 0.85 * losses[0]);
  EXPECT_LT(losses[1], 0.42);  // the entropy of 0.1 is 0.325
}

// A ratio of two numbers, also where another feature is constrained and categories are encoded behind it.
TEST(GradientBoosting, GeneratedFeaturesHelpWhereTheySayMore) {
  Random random(23);
  std::vector<double> values, target;
  std::vector<uint32_t> train, test;
  for (uint32_t i = 0; i < 3000; ++i) {
    const double a = 1 + random.Uniform(), b = 1 + random.Uniform(), slope = random.Uniform();
    values.insert(values.end(), {a, b, slope, static_cast<double>(random.Below(30))});
    target.push_back(std::sin(9 * a / b) + slope);
    (i < 2000 ? train : test).push_back(i);
  }
  const Dataset data({false, false, false, true}, {0, 0, 0, 30}, values, target, {}, 0);
  const int8_t monotone[] = {0, 0, 1, 0};
  FitOptions options;
  options.monotone = monotone;
  std::vector<double> errors;
  for (const char* most : {"0", "8"}) {
    ParameterValues parameters(Learners().Get(kName).parameters);
    parameters.Set(kName, "generated", most);
    parameters.Set(kName, "target_encoding", "crosses");
    const auto model = Learners().Get(kName).fit({&data, train}, parameters, options);
    EXPECT_EQ(model->features(), 4U);
    errors.push_back(LossOn(PredictAll(*model, data), data, test));
    double before = -HUGE_VAL;
    for (double slope = 0; slope <= 1; slope += 0.05) {
      const double row[] = {1.5, 1.2, slope, 3};
      double out = 0;
      model->PredictRow(row, &out);
      EXPECT_GE(out, before);
      before = out;
    }
  }
  EXPECT_LT(errors[1], 0.8 * errors[0]);
}

}  // namespace
}  // namespace everlearn
