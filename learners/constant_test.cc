// The constant learner: closed forms, weights as copies of rows, classes that are absent.
#include "learners/constant.h"

#include <gtest/gtest.h>

#include "learners/tree_test_data.h"

namespace everlearn {
namespace {

std::vector<double> Fitted(const Dataset& data, const std::vector<uint32_t>& rows) {
  const auto model = FitWith("constant", data, rows);
  std::vector<double> out(model->outputs());
  model->PredictRow(data.row(0), out.data());
  return out;
}

TEST(Constant, SharesWithHalfARowAdded) {
  const Dataset data({false}, {0}, {1, 2, 3, 4}, {0, 1, 1, 1}, {}, 2);
  EXPECT_EQ(Fitted(data, AllRows(data)), (std::vector<double>{1.5 / 5, 3.5 / 5}));
  const Dataset three({false}, {0}, {1, 2}, {2, 2}, {}, 3);
  EXPECT_EQ(Fitted(three, {1}), (std::vector<double>{0.5 / 2.5, 0.5 / 2.5, 1.5 / 2.5}));
}

TEST(Constant, WeightedMeanIgnoresOtherRows) {
  const Dataset data({false}, {0}, {1, 2, 3}, {10, 20, 1000}, {1, 3, 5}, 0);
  EXPECT_EQ(Fitted(data, {0, 1}), (std::vector<double>{17.5}));
  const Dataset weightless({false}, {0}, {1}, {10}, {0}, 0);
  EXPECT_EQ(Fitted(weightless, {0}), (std::vector<double>{0}));
}

TEST(Constant, AWeightIsThatManyRows) {
  const Dataset weighted({false}, {0}, {1, 2}, {0, 1}, {2, 1}, 2);
  const Dataset copied({false}, {0}, {1, 1, 2}, {0, 0, 1}, {}, 2);
  EXPECT_EQ(Fitted(weighted, AllRows(weighted)), Fitted(copied, AllRows(copied)));
}

TEST(Constant, OneClassOnly) {
  const Dataset data({false}, {0}, {1}, {0}, {}, 1);
  EXPECT_EQ(Fitted(data, {0}), (std::vector<double>{1}));
}

}  // namespace
}  // namespace everlearn
