// Naive Bayes against scikit-learn's GaussianNB and CategoricalNB on stored cases.
#include <gtest/gtest.h>

#include <cmath>

#include "learners/tree_test_data.h"

namespace everlearn {
namespace {

TEST(NaiveBayes, EqualsScikitLearn) {
  // The data, and the numbers below, are those of nearest_neighbours_cases.py: scikit-learn 1.9.1.
  std::vector<double> values, target, weights;
  for (size_t i = 0; i < 200; ++i) {
    const auto u = static_cast<double>(i);
    const double a = std::sin(1.7 * u) * 10 + 3, b = std::cos(2.3 * u), c = static_cast<double>((i * i + 2 * i) % 5);
    const double score = 0.2 * a + 2 * b + 1.5 * std::fmod(c, 2) + std::cos(3.1 * u);
    values.insert(values.end(), {a, b, c});
    target.push_back((score >= -0.3) + (score >= 1.8));
    weights.push_back(1 + static_cast<double>(i % 3));
  }
  const Dataset data({false, false, true}, {0, 0, 5}, values, target, weights, 3);
  std::vector<uint32_t> train(160);
  std::iota(train.begin(), train.end(), 0u);
  const auto got = PredictAll(*FitWith("naive_bayes", data, train, {{"prior_rows", "1e-9"}}), data);
  const std::vector<double> expected{0.03958495228, 0.8865312362, 0.07388381156, 0.01047557811, 0.8338191086, 0.1557053133,
                                     0.4901942472,  0.4499124083, 0.05989334451, 0.2826855029,  0.6533416787, 0.06397281834};
  size_t at = 0;
  for (const size_t row : {160, 171, 188, 199})
    for (size_t k = 0; k < 3; ++k) EXPECT_NEAR(got[row * 3 + k], expected[at++], 1e-7) << row;
}

TEST(NaiveBayes, MissingIsEvidence) {
  std::vector<double> values, target;
  for (size_t i = 0; i < 300; ++i) {
    values.push_back(i % 10 < 3 ? kMissing : static_cast<double>(i % 7));
    target.push_back(i % 10 < 3 && i % 3 != 0 ? 1 : 0);
  }
  const Dataset data({false}, {0}, values, target, {}, 2);
  const auto got = PredictAll(*FitWith("naive_bayes", data, AllRows(data)), data);
  for (size_t i = 0; i < 300; ++i) EXPECT_EQ(got[2 * i + 1] > 0.5, i % 10 < 3) << i;
}

}  // namespace
}  // namespace everlearn
