// Stochastic gradient comes near to the exact minimum, which `linear` finds (and which is tested against scikit-learn there).
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "learners/tree_test_data.h"

namespace everlearn {
namespace {

constexpr char kName[] = "stochastic_gradient";

std::unique_ptr<Dataset> MakeData(size_t classes) {
  Random random(3);
  std::vector<double> values, target, weights;
  for (size_t i = 0; i < 4000; ++i) {
    const double a = 100 + 10 * random.Normal(), b = random.Uniform() < 0.1 ? kMissing : random.Normal();
    const auto c = static_cast<double>(random.Below(4));
    const double score = (a - 100) / 5 + (std::isnan(b) ? -1 : b) + (c == 2 ? 2 : 0) + random.Normal();
    values.insert(values.end(), {a, b, c});
    target.push_back(classes == 0 ? 1000 + 50 * score : classes == 2 ? (score > 0) : (score > -1) + (score > 2));
    weights.push_back(1 + static_cast<double>(i % 2));
  }
  return std::make_unique<Dataset>(std::vector<bool>{false, false, true}, std::vector<size_t>{0, 0, 4}, values, target, weights, classes);
}

TEST(StochasticGradient, ComesNearToTheMinimum) {
  for (const size_t classes : {0, 2, 3}) {
    const auto data = MakeData(classes);
    const auto exact = PredictAll(*FitWith("linear", *data, AllRows(*data), {{"l2", "5"}}), *data);
    const auto got = PredictAll(*FitWith(kName, *data, AllRows(*data), {{"l2", "5"}, {"passes", "30"}}), *data);
    const double unit = classes == 0 ? 100 : 1;  // about the target's deviation
    double worst = 0, sum = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      worst = std::max(worst, std::abs(got[i] - exact[i]) / unit);
      sum += std::abs(got[i] - exact[i]) / unit;
    }
    EXPECT_LT(sum / static_cast<double>(got.size()), 0.01) << classes;
    EXPECT_LT(worst, 0.06) << classes;
  }
}

TEST(StochasticGradient, EndsWithItsBestPass) {
  const auto data = MakeData(2);
  std::vector<uint32_t> train, validation;
  for (uint32_t i = 0; i < 4000; ++i) (i % 4 == 0 ? validation : train).push_back(i);
  int asked = 0;
  const auto count = [&] { return ++asked, false; };
  FitWith(kName, *data, train, {{"passes", "1000"}}, {.stop = count, .validation = validation});
  EXPECT_LT(asked, 200);
  const auto stopped = FitWith(kName, *data, train, {{"passes", "1000"}}, {.stop = [] { return true; }});
  EXPECT_EQ(PredictAll(*stopped, *data), PredictAll(*FitWith(kName, *data, train, {{"passes", "1"}}), *data));
}

}  // namespace
}  // namespace everlearn
