// The seasonal baseline: that it finds and follows a season, by value and by label, that its probabilities are true, damaged states.
#include <gtest/gtest.h>

#include <cmath>

#include "base/bytes.h"
#include "base/random.h"
#include "kernels/seasons.h"
#include "learners/online_test_support.h"

namespace everlearn {
namespace {

std::unique_ptr<OnlineModel> Start(size_t classes) { return StartOnline("seasonal", classes, {}, {}, 1); }

TEST(Seasonal, BeforeThereIsASeasonItIsTheNaiveMethod) {
  const auto model = Start(0);
  double out = 7;
  model->Predict(nullptr, &out);
  EXPECT_EQ(out, 0);
  for (const double value : {3.0, 1.0, 4.0}) {
    model->Learn(nullptr, value, 1);
    model->Predict(nullptr, &out);
    EXPECT_EQ(out, value);
  }
}

TEST(Seasonal, RepeatsWhatCameOneSeasonAgo) {
  const auto model = Start(0);
  Random random(1);
  double most = 0;
  for (int row = 0; row < 2000; ++row) {
    const double value = 10 * std::sin(2 * M_PI * (row % 24) / 24) + random.Uniform();
    double out = 0;
    model->Predict(nullptr, &out);
    if (row >= 300) most = std::max(most, std::abs(out - value));
    model->Learn(nullptr, value, 1);
  }
  EXPECT_LT(most, 1);
}

// A week whose last two days are not like the others: the day alone is wrong at their beginning and end.
TEST(Seasonal, FollowsTheSeasonThatComesCloser) {
  const auto model = Start(0);
  double most = 0;
  for (int row = 0; row < 5000; ++row) {
    const double value = std::sin(2 * M_PI * (row % 24) / 24) + (row / 24 % 7 >= 5 ? -2 : 0);
    double out = 0;
    model->Predict(nullptr, &out);
    if (row >= 4200) most = std::max(most, std::abs(out - value));
    model->Learn(nullptr, value, 1);
  }
  EXPECT_LT(most, 1e-9);
}

// The label follows a cycle of 9 in 60% of the rows, else it is drawn: right in 0.6 + 0.4/3 of them, and log loss that of knowing that.
TEST(Seasonal, ProbabilitiesAreHowOftenItWasRight) {
  const auto model = Start(3);
  Random random(2);
  double loss = 0, right = 0;
  constexpr int kRows = 20'000, kCounted = 10'000;
  for (int row = 0; row < kRows; ++row) {
    const size_t label = random.Uniform() < 0.6 ? static_cast<size_t>(row % 9 / 3) : random.Below(3);
    double out[3];
    model->Predict(nullptr, out);
    if (row >= kRows - kCounted) {
      loss -= std::log(out[label]) / kCounted;
      right += (std::max_element(out, out + 3) - out == static_cast<std::ptrdiff_t>(label)) / static_cast<double>(kCounted);
    }
    model->Learn(nullptr, static_cast<double>(label), 1);
  }
  // Two noisy labels are equal when both follow the cycle, or by chance.
  const double hit = 0.36 + 0.64 / 3, best = -hit * std::log(hit) - (1 - hit) * std::log((1 - hit) / 2);
  EXPECT_NEAR(right, hit, 0.015);
  EXPECT_LT(loss, best + 0.02);
}

// Labels that never repeat: its log loss must not be that of one who is sure and wrong.
TEST(Seasonal, IsNotSureWhereItIsNeverRight) {
  const auto model = Start(2);
  double out[2], loss = 0;
  for (int row = 0; row < 200; ++row) {  // before the first search for a season
    model->Predict(nullptr, out);
    loss -= std::log(out[row % 2]) / 200;
    model->Learn(nullptr, row % 2, 1);
  }
  EXPECT_LT(loss, std::log(2) + 0.01);
}

TEST(Seasonal, GoesOnBitForBitAcrossSearches) {
  const LearnerInfo& info = Learners().Get("seasonal");
  const auto whole = Start(4);
  auto parts = Start(4);
  Random random(3);
  for (int row = 0; row < 10'000; ++row) {
    const auto label = static_cast<double>(random.Uniform() < 0.5 ? row % 20 / 5 : static_cast<int>(random.Below(4)));
    if (row % 1111 == 0) parts = info.resume({{}, 4}, ParameterValues(info.parameters), parts->State());
    double a[4], b[4];
    whole->Predict(nullptr, a);
    parts->Predict(nullptr, b);
    for (size_t k = 0; k < 4; ++k) ASSERT_EQ(a[k], b[k]) << row;
    whole->Learn(nullptr, label, 1);
    parts->Learn(nullptr, label, 1);
  }
  EXPECT_EQ(whole->State(), parts->State());
}

TEST(Seasonal, RefusesDamagedStates) {
  const LearnerInfo& info = Learners().Get("seasonal");
  const auto state = [](uint64_t newest, uint64_t season, uint64_t count, double right, double judged, double longer, double hole) {
    ByteWriter out;
    std::vector<double> ring(Seasons::kRing, NAN);
    for (size_t row = 0; row <= newest && row < 10; ++row) ring[row] = 1;
    ring[3] = hole;
    out.PutAll(ring);
    for (const uint64_t number : {newest, uint64_t{10}, uint64_t{256}, season, uint64_t{0}}) out.Put(number);
    out.PutAll(std::vector<uint64_t>{1, count});
    for (const double value : {right, judged, longer}) out.Put(value);
    return out.Take();
  };
  const auto resume = [&](const std::string& bytes) { info.resume({{}, 2}, ParameterValues(info.parameters), bytes); };
  EXPECT_NO_THROW(resume(state(9, 5, 11, 0.5, 9, 0, 1)));
  EXPECT_THROW(resume(state(8, 5, 11, 0.5, 9, 0, 1)), Error);   // a row that it does not have
  EXPECT_THROW(resume(state(9, 11, 11, 0.5, 9, 0, 1)), Error);  // a season before the first row
  EXPECT_THROW(resume(state(9, 5, 0, 0.5, 9, 0, 1)), Error);    // a label of probability 0
  for (const double bad : {-1.0, 1e300, double{NAN}, double{INFINITY}}) {
    EXPECT_THROW(resume(state(9, 5, 11, bad, 9, 0, 1)), Error) << bad;
    EXPECT_THROW(resume(state(9, 5, 11, 0.5, bad, 0, 1)), Error) << bad;
    EXPECT_THROW(resume(state(9, 5, 11, 0.5, 9, bad * 2, 1)), Error) << bad;
  }
  EXPECT_THROW(resume(state(9, 5, 11, 0.5, 9, 0, NAN)), Error);  // a hole would be no label
}

}  // namespace
}  // namespace everlearn
