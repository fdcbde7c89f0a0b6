// Tests of the estimated loss of classification: right before outcomes come, moved by a shift of the inputs, blind to a change of concept,
// with a band that covers; and what is saved.
#include "loop/loss_estimate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <functional>

#include "base/random.h"

namespace everlearn {
namespace {

double Logistic(double z) { return 1 / (1 + std::exp(-z)); }

// One number x; the served answer states the log-odds `stated`(x), the truth has `real`(x).
struct World {
  std::function<double(uint64_t row, Random*)> draw = [](uint64_t, Random* random) { return 2 * random->Normal(); };
  std::function<double(uint64_t row, double x)> stated = [](uint64_t, double x) { return x; };
  std::function<double(uint64_t row, double x)> real = [](uint64_t, double x) { return x; };
};

class Stream {
 public:
  Stream(World world, uint64_t delay, uint64_t seed) : world_(std::move(world)), delay_(delay), random_(seed) {}

  // The next row, and the outcome that is due.
  void Next() {
    PendingRow& row = waiting_.emplace_back();
    row.row = next_;
    row.informed = counted_;
    const double x = world_.draw(next_, &random_), p = Logistic(world_.stated(next_, x));
    truths_.push_back(random_.Uniform() < Logistic(world_.real(next_, x)) ? 1 : 0);
    row.members = {1};
    row.predictions = {1 - p, p};
    ++next_;
    estimate_.OnRow(&row);
    if (waiting_.size() <= delay_) return;
    const PendingRow& due = waiting_.front();
    estimate_.OnOutcome(due, truths_.front(), Loss(due, truths_.front()), counted_++);
    waiting_.pop_front();
    truths_.pop_front();
  }
  void Run(uint64_t rows) {
    for (uint64_t i = 0; i < rows; ++i) Next();
  }
  // What the rows that wait will turn out to be.
  double Future() const {
    double sum = 0;
    for (size_t i = 0; i < waiting_.size(); ++i) sum += Loss(waiting_[i], truths_[i]);
    return sum / static_cast<double>(waiting_.size());
  }
  LossEstimate& estimate() { return estimate_; }

 private:
  double Loss(const PendingRow& row, double truth) const { return loss_.Of(row.predictions.data(), truth, 1e-15); }
  World world_;
  uint64_t delay_, next_ = 0, counted_ = 0;
  Random random_;
  RowLoss loss_{"log_loss", 2};
  LossEstimate estimate_{"log_loss", 2, {}};
  std::deque<PendingRow> waiting_;
  std::deque<double> truths_;
};

TEST(LossEstimate, AnOverconfidentAnswerIsCalibrated) {
  Stream stream({.stated = [](uint64_t, double x) { return 3 * x; }}, 1000, 1);
  stream.Run(20'000);
  const EstimatedLoss now = stream.estimate().Get();
  EXPECT_EQ(now.rows, 1000u);
  EXPECT_EQ(now.recent_rows, now.rows + now.matured_rows);
  EXPECT_LE(now.recent_rows, 10'240u);
  EXPECT_NEAR(now.loss, stream.Future(), 0.12);
  EXPECT_NEAR(now.matured_loss, now.realised_loss, 0.05);
  EXPECT_NEAR(now.accuracy, now.realised_accuracy, 0.03);
  EXPECT_GT(now.realised_loss, 0.6) << "by its own confidence it would be 0.2";
  EXPECT_LE(now.lower, stream.Future());
  EXPECT_GE(now.upper, stream.Future());
}

TEST(LossEstimate, AShiftOfTheInputsIsSeenBeforeItsOutcomes) {
  // After row 20,000 all rows lie where the answer is uncertain.
  Stream stream({.draw = [](uint64_t row, Random* random) { return (row < 20'000 ? 2.0 : 0.4) * random->Normal(); }}, 2000, 2);
  stream.Run(20'000);
  const EstimatedLoss before = stream.estimate().Get();
  stream.Run(2000);  // not one outcome of the new rows has come
  const EstimatedLoss after = stream.estimate().Get();
  EXPECT_GT(after.loss, before.loss + 0.15);
  EXPECT_GT(after.loss, before.upper);
  EXPECT_NEAR(after.loss, stream.Future(), 0.02);
  EXPECT_GE(after.upper, stream.Future());
  EXPECT_LE(after.lower, stream.Future());
  EXPECT_NEAR(after.realised_loss, before.realised_loss, 0.02) << "the realised loss knows nothing yet";
}

// The limit of every estimate from inputs alone: what they mean has changed, and nothing says so.
TEST(LossEstimate, AChangeOfConceptIsNotSeenBeforeItsOutcomes) {
  Stream stream({.real = [](uint64_t row, double x) { return row < 20'000 ? x : -x; }}, 2000, 3);
  stream.Run(20'000);
  const EstimatedLoss before = stream.estimate().Get();
  stream.Run(2000);
  const EstimatedLoss after = stream.estimate().Get();
  EXPECT_NEAR(after.loss, before.loss, 0.03);
  EXPECT_GT(stream.Future(), 3 * after.loss);
  // With the outcomes the estimate follows.
  stream.Run(12'000);
  EXPECT_NEAR(stream.estimate().Get().loss, stream.Future(), 0.3 * stream.Future());
}

// Rows share causes: in each stretch of 500 the truth leans another way, which no input tells.
TEST(LossEstimate, TheBandCoversWhatComes) {
  for (const double common : {0.0, 0.7}) {
    int bands = 0, covered = 0;
    double width = 0;
    for (uint64_t seed = 1; seed <= 8; ++seed) {
      Random causes(seed * 31);
      std::vector<double> cause(200);
      for (double& value : cause) value = common * causes.Normal();
      Stream stream({.real = [&](uint64_t row, double x) { return x + cause[row / 500]; }}, 500, seed);
      stream.Run(10'000);
      for (int look = 0; look < 40; ++look) {
        stream.Run(500);
        const EstimatedLoss now = stream.estimate().Get();
        ASSERT_FALSE(std::isnan(now.lower));
        ++bands;
        covered += now.lower <= stream.Future() && stream.Future() <= now.upper;
        width += (now.upper - now.lower) / 2 / 320;
      }
    }
    const double coverage = covered / static_cast<double>(bands);
    std::printf("common causes %.1f: %.3f of %d bands covered (0.95 asked), half-width %.3f\n", common, coverage, bands, width);
    EXPECT_GT(coverage, 0.91);
    EXPECT_LT(coverage, 0.99);
    EXPECT_GT(width, common > 0 ? 0.06 : 0.03);
    EXPECT_LT(width, common > 0 ? 0.3 : 0.08);
  }
}

TEST(LossEstimate, OfSeveralClassesTheServedLabelsConfidenceIsCalibrated) {
  LossEstimate estimate("log_loss", 4, {});
  const RowLoss loss("log_loss", 4);
  Random random(5);
  PendingRow row;
  row.members = {1};
  row.predictions = {0.1, 0.1, 0.7, 0.1};  // right in half of the rows
  for (uint64_t i = 0; i < 8000; ++i) {
    row.row = row.informed = i;
    estimate.OnRow(&row);
    const double truth = random.Uniform() < 0.5 ? 2 : std::vector<double>{0, 1, 3}[random.Below(3)];
    estimate.OnOutcome(row, truth, loss.Of(row.predictions.data(), truth, 1e-15), i);
  }
  EXPECT_NEAR(row.estimated_accuracy, 0.5, 0.03);
  EXPECT_NEAR(row.estimated_loss, -0.5 * std::log(0.7) - 0.5 * std::log(0.1), 0.06);
}

TEST(LossEstimate, OfVeryManyRowsASampleIsEstimated) {
  Stream stream({}, 5000, 6);
  stream.Run(80'000);
  const EstimatedLoss now = stream.estimate().Get();
  EXPECT_NEAR(static_cast<double>(now.rows), 5000 / 8.0, 100);
  EXPECT_NEAR(now.loss, stream.Future(), 0.05);
}

TEST(LossEstimate, GoesOnFromWhatWasSaved) {
  Stream one({}, 700, 7), two({}, 700, 7);
  one.Run(9000);
  two.Run(9000);
  ByteWriter out;
  one.estimate().Save(&out);
  ByteReader in(out.bytes());
  LossEstimate loaded("log_loss", 2, {});
  loaded.Load(&in);
  EXPECT_TRUE(in.done());
  EXPECT_LT(out.size(), 8000u);
  two.estimate() = std::move(loaded);
  one.Run(9000);
  two.Run(9000);
  ByteWriter a, b;
  one.estimate().Save(&a);
  two.estimate().Save(&b);
  EXPECT_EQ(a.bytes(), b.bytes());
}

TEST(LossEstimate, BeforeThereAreRowsNothingIsClaimed) {
  const EstimatedLoss now = LossEstimate("log_loss", 2, {}).Get();
  EXPECT_EQ(now.rows, 0u);
  for (const double value : {now.loss, now.lower, now.upper, now.accuracy, now.recent_loss, now.realised_loss})
    EXPECT_TRUE(std::isnan(value));
}

}  // namespace
}  // namespace everlearn
