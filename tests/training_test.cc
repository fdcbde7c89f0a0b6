// Retrainings: what a model for the evidence bank may have seen, and which rows a model learns from after a change.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/random.h"
#include "loop/training.h"

namespace everlearn {
namespace {

// y = sign of x, and from row `change` on its opposite.
struct World {
  World(size_t rows, size_t change) : values(rows), target(rows) {
    Random random(11);
    for (size_t i = 0; i < rows; ++i) {
      values[i] = random.Normal();
      target[i] = (values[i] > 0) == (i < change) ? 1 : 0;
    }
  }
  EncodedRows View() const {
    EncodedRows rows;
    rows.classes = 2;
    rows.is_category = {false};
    rows.values = values;
    rows.target = target;
    return rows;
  }
  TrainingJob Job() const {
    TrainingJob job;
    job.learner = "gradient_boosting";
    job.parameters = "{}";
    job.metric = "log_loss";
    job.rows.resize(target.size());
    std::iota(job.rows.begin(), job.rows.end(), 0U);
    return job;
  }
  std::vector<double> values, target;
};

double Accuracy(const Model& model, const World& world, size_t first) {
  size_t right = 0;
  for (size_t i = first; i < world.values.size(); ++i) {
    double out[2];
    model.PredictRow(&world.values[i], out);
    right += (out[1] > 0.5) == (world.target[i] == 1);
  }
  return static_cast<double>(right) / static_cast<double>(world.values.size() - first);
}

TEST(Training, TheModelThatIsJudgedHasNotSeenTheBank) {
  // The world turns over where the bank begins: who has not seen it is wrong there.
  const World world(3000, 2700);
  TrainingJob job = world.Job();
  for (uint64_t row = 2700; row < 3000; ++row) job.bank.push_back(row);
  job.bank_end = 2700;
  const TrainingResult result = RunTraining(job, world.View());
  ASSERT_NE(result.model, nullptr) << result.failure;
  ASSERT_EQ(result.bank.size(), 600u);
  size_t right = 0;
  for (size_t i = 0; i < 300; ++i) right += (result.bank[2 * i + 1] > 0.5) == (world.target[2700 + i] == 1);
  EXPECT_LT(right, 15u);
  EXPECT_EQ(result.rows, 3000u) << "what serves has learnt from all";
  // The same as a fit on the rows before it.
  TrainingJob before = world.Job();
  before.rows.resize(2700);
  const TrainingResult reference = RunTraining(before, world.View());
  for (size_t i = 0; i < 300; ++i) {
    double out[2];
    reference.model->PredictRow(&world.values[2700 + i], out);
    ASSERT_EQ(out[1], result.bank[2 * i + 1]);
  }
}

TEST(Training, RowsOfALedgerAreNamedByTheirNumbers) {
  const World world(3000, 3000);
  std::vector<uint64_t> numbers(3000);
  for (size_t i = 0; i < 3000; ++i) numbers[i] = 10 * i + 5;
  EncodedRows rows = world.View();
  rows.numbers = numbers;
  TrainingJob job = world.Job();
  job.bank = {27'005, 27'006, 29'995};  // the second is gone
  job.bank_end = 27'000;
  const TrainingResult result = RunTraining(job, rows);
  ASSERT_EQ(result.bank.size(), 6u);
  EXPECT_EQ(result.bank[1] > 0.5, world.target[2700] == 1);
  EXPECT_TRUE(std::isnan(result.bank[3]));
  EXPECT_EQ(result.bank[5] > 0.5, world.target[2999] == 1);
}

TEST(Training, AfterAChangeTheRecentRowsAloneTeachMore) {
  const World world(6000, 5000);
  TrainingJob job = world.Job();
  job.recent_row = 5000;
  const TrainingResult recent = RunTraining(job, world.View());
  EXPECT_EQ(recent.since_row, 5000u);
  EXPECT_EQ(recent.rows, 1000u);
  EXPECT_GT(Accuracy(*recent.model, world, 5000), 0.98);
  EXPECT_LT(Accuracy(*RunTraining(world.Job(), world.View()).model, world, 5000), 0.5);
}

TEST(Training, WithoutAChangeAllRowsStay) {
  World world(6000, 6000);
  Random random(5);
  for (double& truth : world.target)
    if (random.Uniform() < 0.3) truth = 1 - truth;  // noise that few rows are too few for
  TrainingJob job = world.Job();
  job.recent_row = 5400;
  EXPECT_EQ(RunTraining(job, world.View()).since_row, 0u);
}

TEST(Training, AJobAndAResultComeThroughTheirBytes) {
  TrainingJob job = World(10, 10).Job();
  job.bank = {7, 8};
  job.bank_end = 6;
  job.recent_row = 3;
  const TrainingJob back = TrainingJob::Decode(job.Encode());
  EXPECT_EQ(back.bank, job.bank);
  EXPECT_EQ(back.bank_end, 6u);
  EXPECT_EQ(back.recent_row, 3u);
  EXPECT_EQ(back.rows, job.rows);
  TrainingResult result;
  result.bank = {0.25, 0.75};
  result.since_row = 12;
  const TrainingResult same = TrainingResult::Decode(result.Encode());
  EXPECT_EQ(same.bank, result.bank);
  EXPECT_EQ(same.since_row, 12u);
}

}  // namespace
}  // namespace everlearn
