// Learners on streams forget a target of 1e9, or a number of 1e12, that came among the first rows.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "learner/learner.h"

namespace everlearn {
namespace {

enum class Absurd { kNothing, kTarget, kNumber };

// Mean error of the rows from 500 to 2,000, where row `at` was absurd.
double MeanError(const std::string& name, size_t classes, Absurd absurd, int at) {
  const LearnerInfo& info = Learners().Get(name);
  const auto model = info.start({{false, false}, classes}, ParameterValues(info.parameters), 1);
  Random random(1);
  double said[2], sum = 0;
  for (int i = 0; i < 2000; ++i) {
    double row[2] = {random.Uniform(), random.Uniform()};
    double target = classes > 0 ? (row[0] + row[1] > 1 ? 1 : 0) : 3 * row[0] + (row[1] > 0.5 ? 1 : 0);
    if (i == at && absurd == Absurd::kNumber) row[0] = 1e12;
    if (i == at && absurd == Absurd::kTarget) target = 1e9;
    model->Predict(row, said);
    if (i >= 500) sum += classes > 0 ? ((said[1] > 0.5) != (target > 0.5) ? 1 : 0) : std::abs(said[0] - target);
    model->Learn(row, target, 1);
  }
  return sum / 1500;
}

TEST(EarlyValues, AreForgottenWhereAbsurd) {
  for (const std::string name : {"hoeffding_tree", "hoeffding_adaptive_tree", "adaptive_random_forest", "streaming_random_patches",
                                 "leveraging_bagging", "mondrian_forest", "streaming_gradient_boosting", "window_neighbours"}) {
    for (const size_t classes : {2, 0}) {
      if (!Learners().Get(name).supports(classes)) continue;
      const double usual = MeanError(name, classes, Absurd::kNothing, 0);
      for (const int at : {0, 5, 25}) {
        EXPECT_LT(MeanError(name, classes, Absurd::kNumber, at), 1.2 * usual + 0.03) << name << ' ' << classes << ' ' << at;
        if (classes > 0) continue;
        EXPECT_LT(MeanError(name, classes, Absurd::kTarget, at), 1.2 * usual + 0.03) << name << ' ' << at;
      }
    }
  }
}

}  // namespace
}  // namespace everlearn
