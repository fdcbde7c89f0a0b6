// The decision tree equals scikit-learn's on stored cases, cuts categories as well as any subset, and handles missing values.
#include <gtest/gtest.h>

#include <cmath>

#include "learners/tree_test_data.h"

namespace everlearn {
namespace {

constexpr char kName[] = "decision_tree";

// 300 rows of two numbers; see decision_tree_cases.py.
std::unique_ptr<Dataset> MakeData(size_t classes) {
  std::vector<double> values, target, weights;
  for (size_t i = 0; i < 300; ++i) {
    const auto a = static_cast<double>(i * 37 % 101), b = static_cast<double>(i * 53 % 97);
    values.insert(values.end(), {a, b});
    const double score = std::sin(a / 10) * 3 + b / 20 + static_cast<double>(i * 29 % 13) / 6;
    target.push_back(classes == 0 ? score : classes == 2 ? (score > 3.4) : (score > 2) + (score > 4));
    weights.push_back(1 + static_cast<double>(i % 3));
  }
  return std::make_unique<Dataset>(std::vector<bool>{false, false}, std::vector<size_t>{0, 0}, values, target, weights, classes);
}

struct Case {
  size_t classes;
  std::vector<double> expected;  // of the rows 0, 7, 50, 123, 299
};

// scikit-learn 1.9.1, from decision_tree_cases.py.
const Case kCases[] = {
    {0, {3.737266265, 3.450883218, 1.781616754, 3.737266265, -0.01212821558}},
    {2, {0.875, 0.125, 0.46875, 0.53125, 0.9892473118, 0.01075268817, 0, 1, 0.9892473118, 0.01075268817}},
    {3,
     {0.1458333333, 0.6875, 0.1666666667, 0.1891891892, 0.6891891892, 0.1216216216, 0.5333333333, 0.4666666667, 0, 0.1458333333, 0.6875,
      0.1666666667, 1, 0, 0}},
};

TEST(DecisionTree, EqualsScikitLearn) {
  for (const Case& c : kCases) {
    const auto data = MakeData(c.classes);
    const auto got =
        PredictAll(*FitWith(kName, *data, AllRows(*data), {{"leaves", "12"}, {"min_data_in_leaf", "7"}, {"prior_rows", "0.01"}}), *data);
    size_t at = 0;
    for (const size_t row : {0, 7, 50, 123, 299}) {
      // A prior of a hundredth of a row moves a share by less than a thousandth.
      for (size_t k = 0; k < data->outputs(); ++k)
        EXPECT_NEAR(got[row * data->outputs() + k], c.expected[at++], c.classes == 0 ? 1e-9 : 1.5e-3);
    }
  }
}

// Six categories with known means: the best of all 31 divisions in two is found, though it is no interval of codes.
TEST(DecisionTree, CategoriesAreCutBest) {
  std::vector<double> values, target;
  for (size_t i = 0; i < 600; ++i) {
    values.push_back(static_cast<double>(i % 6));
    target.push_back((i % 6 % 2 == 0 ? 10 : 0) + static_cast<double>(i / 6 % 2));
  }
  const Dataset data({true}, {6}, values, target, {}, 0);
  const auto got = PredictAll(*FitWith(kName, data, AllRows(data), {{"leaves", "2"}}), data);
  for (size_t i = 0; i < 600; ++i) EXPECT_NEAR(got[i], i % 2 == 0 ? 10.5 : 0.5, 1e-9);
}

TEST(DecisionTree, MissingValuesGoWhereTheyFit) {
  for (const bool with_low : {false, true}) {
    std::vector<double> values, target;
    for (size_t i = 0; i < 300; ++i) {
      const bool low = i % 3 == 0, missing = i % 3 == 1;
      values.push_back(missing ? kMissing : low ? static_cast<double>(i % 7) : 20 + static_cast<double>(i % 5));
      target.push_back(low || (missing && with_low) ? 1 : 0);
    }
    const Dataset data({false}, {0}, values, target, {}, 2);
    const auto got = PredictAll(*FitWith(kName, data, AllRows(data), {{"leaves", "2"}, {"prior_rows", "0.01"}}), data);
    for (size_t i = 0; i < 300; ++i) EXPECT_NEAR(got[2 * i + 1], target[i], 1e-3);
  }
}

TEST(DecisionTree, LimitsHold) {
  const auto data = MakeTreeTestData(1000, 3);
  const auto distinct = [&](const std::map<std::string, std::string>& settings) {
    const auto got = PredictAll(*FitWith(kName, *data, AllRows(*data), settings), *data);
    std::map<std::vector<double>, size_t> leaves;
    for (size_t i = 0; i < data->rows(); ++i) ++leaves[{got[3 * i], got[3 * i + 1], got[3 * i + 2]}];
    return leaves;
  };
  EXPECT_EQ(distinct({{"leaves", "9"}}).size(), 9);
  EXPECT_LE(distinct({{"leaves", "4096"}, {"max_depth", "3"}, {"min_data_in_leaf", "1"}}).size(), 8);
  for (const auto& [leaf, rows] : distinct({{"leaves", "4096"}, {"min_data_in_leaf", "40"}})) EXPECT_GE(rows, 40);
}

}  // namespace
}  // namespace everlearn
