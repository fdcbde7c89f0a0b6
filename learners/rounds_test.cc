// Learners that make rounds: how many were best on validation rows is said, and as many without validation give the same model.
#include <gtest/gtest.h>

#include "base/random.h"
#include "learners/tree_test_data.h"

namespace everlearn {
namespace {

constexpr uint32_t kRows = 1200;

// Much noise, so that the best rounds are soon over.
std::unique_ptr<Dataset> MakeData(size_t classes) {
  Random random(9);
  std::vector<double> values, target;
  for (size_t i = 0; i < kRows; ++i) {
    const double a = random.Normal(), b = random.Normal(), noise = 2 * random.Normal();
    values.insert(values.end(), {a, b, static_cast<double>(random.Below(5))});
    target.push_back(classes == 0 ? a + noise : a + noise > 0 ? 1 : 0);
  }
  return std::make_unique<Dataset>(std::vector<bool>{false, false, true}, std::vector<size_t>{0, 0, 5}, values, target,
                                   std::vector<double>(), classes);
}

class Rounds : public testing::TestWithParam<const char*> {};

TEST_P(Rounds, OfTheBestModelMakeItAgain) {
  const std::map<std::string, std::pair<std::string, int64_t>> most = {{"gradient_boosting", {"trees", 300}},
                                                                       {"symmetric_boosting", {"rounds", 300}},
                                                                       {"neural_network", {"epochs", 30}},
                                                                       {"stochastic_gradient", {"passes", 100}}};
  const auto& [parameter, all] = most.at(GetParam());
  for (const size_t classes : {0, 2}) {
    const auto data = MakeData(classes);
    std::vector<uint32_t> train, validation;
    for (uint32_t i = 0; i < kRows; ++i) (i % 4 == 0 ? validation : train).push_back(i);
    const std::map<std::string, std::string> settings = {{parameter, std::to_string(all)}};
    int64_t best = 0, again = 0, whole = 0;
    const auto stopped = FitWith(GetParam(), *data, train, settings, {.validation = validation, .rounds_made = &best});
    ASSERT_GE(best, 1);
    ASSERT_LT(best, all);
    const auto same = FitWith(GetParam(), *data, train, settings, {.rounds = best, .rounds_made = &again});
    EXPECT_EQ(again, best);
    EXPECT_EQ(PredictAll(*same, *data), PredictAll(*stopped, *data)) << classes;
    const auto full = FitWith(GetParam(), *data, train, settings, {.rounds_made = &whole});
    EXPECT_EQ(whole, all);
    EXPECT_NE(PredictAll(*full, *data), PredictAll(*stopped, *data)) << classes;
  }
}

// Validation rows of which the contrary is true: no round helps.
TEST(Rounds, ThatDoNotHelpAreNone) {
  Random random(4);
  std::vector<double> values, target;
  std::vector<uint32_t> train, validation;
  for (uint32_t i = 0; i < kRows; ++i) {
    const bool is_validation = i >= kRows * 3 / 4;
    values.push_back(random.Normal());
    target.push_back((values.back() > 0) != is_validation ? 1 : 0);
    (is_validation ? validation : train).push_back(i);
  }
  const Dataset data({false}, {0}, values, target, {}, 2);
  int64_t best = -1;
  FitWith("symmetric_boosting", data, train, {}, {.validation = validation, .rounds_made = &best});
  EXPECT_EQ(best, 0);
}

INSTANTIATE_TEST_SUITE_P(Learners, Rounds,
                         testing::Values("gradient_boosting", "symmetric_boosting", "neural_network", "stochastic_gradient"));

}  // namespace
}  // namespace everlearn
