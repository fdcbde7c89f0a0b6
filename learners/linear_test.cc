// The linear learner against scikit-learn on the same objective, and its ways with hard data.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "base/random.h"
#include "learner/learner.h"

namespace everlearn {
namespace {

// 60 rows: two numbers (one with missing values), a category of five levels with missing values, row weights 1, 1.5, 2.
std::unique_ptr<Dataset> MakeData(size_t classes) {
  std::vector<double> values, target, weights;
  for (size_t i = 0; i < 60; ++i) {
    const auto u = static_cast<double>(i);
    const double a = std::sin(1.7 * u) * 10 + 3;
    const double b = i % 11 == 0 ? kMissing : std::cos(2.3 * u);
    const double c = i % 13 == 5 ? kMissing : static_cast<double>((i * i + 2 * i) % 5);
    const double score =
        0.2 * a + (std::isnan(b) ? 0 : 2 * b) + (!std::isnan(c) && static_cast<int>(c) % 2 == 1 ? 1.5 : 0) + std::cos(3.1 * u);
    values.insert(values.end(), {a, b, c});
    target.push_back(classes == 0 ? score : classes == 2 ? (score > 1) : (score >= -0.3) + (score >= 1.8));
    weights.push_back(1 + 0.5 * static_cast<double>(i % 3));
  }
  return std::make_unique<Dataset>(std::vector<bool>{false, false, true}, std::vector<size_t>{0, 0, 5}, values, target, weights, classes);
}

std::vector<double> FitAndPredict(const Dataset& data, double l2, double l1_ratio, size_t rows) {
  ParameterValues parameters(Learners().Get("linear").parameters);
  parameters.Set("linear", "l2", NumberText(l2));
  parameters.Set("linear", "l1_ratio", NumberText(l1_ratio));
  parameters.Set("linear", "max_iterations", "5000");
  std::vector<uint32_t> all(data.rows());
  std::iota(all.begin(), all.end(), 0u);
  const auto model = FitLearner("linear", {&data, all}, parameters, {});
  std::vector<double> out(data.rows() * data.outputs());
  model->Predict(data.view(), out.data());
  out.resize(rows * data.outputs());
  return out;
}

struct Case {
  size_t classes;
  double l2, l1_ratio;
  std::vector<double> expected;  // predictions of the first rows
};

// scikit-learn 1.9.1 with Z = numbers standardised by weighted mean and deviation (0 where missing), an indicator of missing each, one
// column a level and one for a missing level; w = weights / mean; t = y standardised, predictions scaled back:
//   Ridge(alpha=l2, solver="cholesky"), ElasticNet(alpha=l2 / 60, l1_ratio, tol=1e-14).fit(Z, t, sample_weight=w)
//   LogisticRegression(C=1 / l2, tol=1e-12, max_iter=100000), with l1_ratio: penalty="elasticnet", solver="saga"
TEST(Linear, EqualsScikitLearn) {
  const Case cases[] = {
      {0, 2, 0, {0.647791045, 2.57032649, 1.26461622, 0.480172754, -0.134771047, 3.05308683}},
      {0, 4, 0.5, {0.647577511, 2.3445638, 1.12046901, 0.648251078, -0.0733315307, 3.13158123}},
      {0, 6, 1, {0.825955787, 1.9948269, 0.86482978, 0.815400011, 0.175286485, 3.09811074}},
      {2, 0.7, 0, {0.712210616, 0.287789384, 0.0826640752, 0.917335925, 0.368130333, 0.631869667, 0.711824038, 0.288175962}},
      {2, 2, 0.5, {0.63402011, 0.36597989, 0.170518549, 0.829481451, 0.469534835, 0.530465165, 0.700019624, 0.299980376}},
      {3,
       0.7,
       0,
       {0.266155985, 0.662723608, 0.0711204067, 0.00451453907, 0.542792002, 0.452693459, 0.0673495132, 0.656019852, 0.276630634}},
      {3, 2, 0.5, {0.348584825, 0.524967828, 0.126447347, 0.0240080588, 0.599261572, 0.376730369, 0.151174021, 0.602218146, 0.246607834}},
  };
  for (const Case& c : cases) {
    const auto data = MakeData(c.classes);
    const auto got = FitAndPredict(*data, c.l2, c.l1_ratio, c.expected.size() / data->outputs());
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_NEAR(got[i], c.expected[i], 1e-5) << c.classes << " classes, l2 " << c.l2 << ", l1_ratio " << c.l1_ratio << ", number " << i;
  }
}

TEST(Linear, AClassWithoutRowsStaysPossibleButUnlikely) {
  const auto three = MakeData(3);
  std::vector<double> values(three->view().values, three->view().values + 180), target(three->target().begin(), three->target().end());
  const Dataset data({false, false, true}, {0, 0, 5}, values, target, {}, 4);
  for (const double l1_ratio : {0.0, 0.5}) {
    const auto got = FitAndPredict(data, 1, l1_ratio, 60);
    for (size_t i = 0; i < 60; ++i) {
      EXPECT_GT(got[i * 4 + 3], 1e-6);
      EXPECT_LT(got[i * 4 + 3], 0.1);
    }
  }
}

TEST(Linear, ThreadsDoNotMatter) {
  const size_t rows = 20000;
  Random random(5);
  std::vector<double> values, target;
  for (size_t i = 0; i < rows; ++i) {
    values.insert(values.end(), {random.Normal(), static_cast<double>(random.Below(30))});
    target.push_back(static_cast<double>(random.Below(3)));
  }
  const Dataset data({false, true}, {0, 30}, values, target, {}, 3);
  std::vector<uint32_t> all(rows);
  std::iota(all.begin(), all.end(), 0u);
  std::vector<std::vector<double>> predictions;
  for (const int threads : {1, 2, 3}) {
    FitOptions options;
    options.threads = threads;
    predictions.emplace_back(rows * 3);
    FitLearner("linear", {&data, all}, ParameterValues(Learners().Get("linear").parameters), options)
        ->Predict(data.view(), predictions.back().data());
  }
  EXPECT_EQ(predictions[0], predictions[1]);
  EXPECT_EQ(predictions[0], predictions[2]);
}

TEST(Linear, ManyThousandLevelsNeedNoDenseMatrix) {
  const size_t rows = 30000, levels = 15000;
  std::vector<double> values(rows), target(rows);
  for (size_t i = 0; i < rows; ++i) {
    values[i] = static_cast<double>(i * 7 % levels);
    target[i] = static_cast<double>(i * 7 % levels % 2);
  }
  const Dataset data({true}, {levels}, values, target, {}, 2);
  const auto got = FitAndPredict(data, 0.1, 0, rows);
  for (size_t i = 0; i < rows; i += 997) EXPECT_EQ(got[i * 2 + 1] > 0.5, target[i] > 0.5);
}

double MeanSquaredErrorOf(const Dataset& data, const std::map<std::string, std::string>& settings) {
  ParameterValues parameters(Learners().Get("linear").parameters);
  for (const auto& [name, value] : settings) parameters.Set("linear", name, value);
  std::vector<uint32_t> all(data.rows());
  std::iota(all.begin(), all.end(), 0u);
  std::vector<double> out(data.rows());
  FitLearner("linear", {&data, all}, parameters, {})->Predict(data.view(), out.data());
  double error = 0;
  for (size_t i = 0; i < out.size(); ++i) error += (out[i] - data.target()[i]) * (out[i] - data.target()[i]);
  return error / static_cast<double>(out.size());
}

// A function that is linear between the values 0, 1, … 8 of its input is in the span of the spline with these knots.
TEST(Linear, SplinesBend) {
  std::vector<double> values, target;
  for (size_t i = 0; i < 900; ++i) {
    const double x = static_cast<double>(i % 9);
    values.push_back(i % 10 == 0 ? kMissing : x);
    target.push_back(i % 10 == 0 ? 50 : x * x * (x - 5));
  }
  const Dataset data({false}, {0}, values, target, {}, 0);
  EXPECT_GT(MeanSquaredErrorOf(data, {{"l2", "1e-6"}}), 500);
  EXPECT_LT(MeanSquaredErrorOf(data, {{"l2", "1e-6"}, {"splines", "8"}, {"max_iterations", "5000"}}), 1e-3);
  EXPECT_LT(MeanSquaredErrorOf(data, {{"l2", "1e-6"}, {"splines", "16"}, {"l1_ratio", "0.5"}, {"max_iterations", "5000"}}), 1);
}

// Of three categories two interact: their cross is chosen, and with it the target is exact.
TEST(Linear, CrossesAreChosenByWhatTheySay) {
  Random random(8);
  std::vector<double> values, target;
  for (size_t i = 0; i < 2000; ++i) {
    const auto a = static_cast<double>(random.Below(4)), b = static_cast<double>(random.Below(3)), c = static_cast<double>(random.Below(5));
    values.insert(values.end(), {a, b, c});
    target.push_back(a + 2 * c + (std::fmod(a + b, 2) == 0 ? 3 : -3));
  }
  const Dataset data({true, true, true}, {4, 3, 5}, values, target, {}, 0);
  EXPECT_GT(MeanSquaredErrorOf(data, {{"l2", "1e-4"}}), 5);
  EXPECT_LT(MeanSquaredErrorOf(data, {{"l2", "1e-4"}, {"crosses", "1"}, {"max_iterations", "2000"}}), 1e-4);
}

}  // namespace
}  // namespace everlearn
