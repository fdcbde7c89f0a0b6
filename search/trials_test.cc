// How trials are compared, given up and forgotten.
#include "search/trials.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

std::vector<Fold> FoldsOf(size_t folds, uint32_t rows) {
  std::vector<Fold> list(folds);
  for (Fold& fold : list) fold.validation.resize(rows);
  return list;
}

PieceResult Result(size_t trial, size_t fold, size_t folds, double value) {
  PieceResult result;
  result.number = trial * folds + fold;
  result.value = value;
  result.predictions = {value};
  result.model = "m";
  return result;
}

class TrialsTest : public testing::Test {
 protected:
  // Log-loss of the constant is 1; folds of 10,000 rows, so that noise counts little.
  const std::vector<Fold> folds_ = FoldsOf(3, 10'000);
  Trials trials_{Metrics().Get("log_loss"), folds_, {1, 1, 1}};
  const Candidate linear_{"a", "linear", ParameterValues({})};
  const Candidate forest_{"b", "forest", ParameterValues({})};
};

TEST_F(TrialsTest, NamesCountTheTrialsOfALearner) {
  trials_.Add(linear_);
  trials_.Add(forest_);
  trials_.Add(linear_);
  EXPECT_EQ(trials_[0].name, "linear");
  EXPECT_EQ(trials_[1].name, "forest");
  EXPECT_EQ(trials_[2].name, "linear_2");
}

TEST_F(TrialsTest, GapIsMeasuredOnTheFoldsThatBothHave) {
  const size_t a = trials_.Add(linear_), b = trials_.Add(forest_);
  trials_.Take(a, Result(a, 0, 3, 0.5));
  trials_.Take(a, Result(a, 1, 3, 0.9));
  trials_.Take(b, Result(b, 0, 3, 0.6));
  // On the first fold alone: 0.6 between 0.5 and 1.
  EXPECT_DOUBLE_EQ(trials_.Gap(b), 0.2);
  EXPECT_DOUBLE_EQ(trials_.Gap(a), 0);
  EXPECT_DOUBLE_EQ(trials_.Loss(a, 2), 0.7);
  EXPECT_TRUE(std::isnan(trials_.Loss(b, 2)));
}

TEST_F(TrialsTest, TheBestOfALearnerMayBeFurtherBehind) {
  const size_t a = trials_.Add(linear_), b = trials_.Add(forest_), c = trials_.Add(linear_);
  trials_.Take(a, Result(a, 0, 3, 0.5));
  trials_.Take(b, Result(b, 0, 3, 0.6));  // gap 0.2, the best forest
  trials_.Take(c, Result(c, 0, 3, 0.6));  // gap 0.2, but there is a better linear
  EXPECT_FALSE(trials_[b].hopeless);
  EXPECT_TRUE(trials_[c].hopeless);
}

TEST_F(TrialsTest, FewRowsRejectLess) {
  const std::vector<Fold> small = FoldsOf(3, 30);
  Trials trials(Metrics().Get("log_loss"), small, {1, 1, 1});
  const size_t a = trials.Add(linear_), b = trials.Add(linear_);
  trials.Take(a, Result(a, 0, 3, 0.5));
  trials.Take(b, Result(b, 0, 3, 0.6));  // 0.2 is inside 0.06 + 1/√30
  EXPECT_FALSE(trials[b].hopeless);
}

TEST_F(TrialsTest, AFailedPieceIsAFailedTrialWithItsReason) {
  const size_t a = trials_.Add(linear_);
  PieceResult failed = Result(a, 0, 3, 0);
  failed.status = TrialStatus::kFailed;
  failed.reason = "out of memory";
  trials_.Take(a, failed);
  EXPECT_TRUE(trials_.Ranked().empty());
  const LeaderboardRow row = trials_.Rows(folds_)[0];
  EXPECT_EQ(row.status, TrialStatus::kFailed);
  EXPECT_EQ(row.reason, "out of memory");
}

TEST_F(TrialsTest, RowsHoldMeanAndStandardError) {
  const size_t a = trials_.Add(linear_);
  for (size_t k = 0; k < 3; ++k) trials_.Take(a, Result(a, k, 3, 0.2 + 0.1 * static_cast<double>(k)));
  const LeaderboardRow row = trials_.Rows(folds_)[0];
  EXPECT_EQ(row.status, TrialStatus::kOk);
  EXPECT_NEAR(row.value, 0.3, 1e-12);
  EXPECT_NEAR(row.standard_error, 0.1 / std::sqrt(3.0), 1e-12);  // sample standard deviation 0.1 over √3
}

TEST_F(TrialsTest, ForgetKeepsTheBestAndTheBestOfEachLearner) {
  for (int i = 0; i < 6; ++i) {
    const size_t trial = trials_.Add(i == 5 ? forest_ : linear_);
    trials_.Take(trial, Result(trial, 0, 3, 0.5 + 0.01 * i));
  }
  trials_.Forget(3);
  for (size_t i = 0; i < 3; ++i) EXPECT_FALSE(trials_[i].models[0].empty()) << i;
  for (size_t i = 3; i < 5; ++i) EXPECT_TRUE(trials_[i].models[0].empty()) << i;
  EXPECT_FALSE(trials_[5].models[0].empty());
}

TEST_F(TrialsTest, WhatIsForgottenStaysSo) {
  for (int i = 0; i < 4; ++i) {
    const size_t trial = trials_.Add(linear_);
    trials_.Take(trial, Result(trial, 0, 3, 0.5 + 0.001 * i));
  }
  trials_.Forget(2);
  trials_.Take(3, Result(3, 1, 3, 0.1));  // was on its way
  EXPECT_TRUE(trials_[3].hopeless);
  EXPECT_TRUE(trials_[3].models[1].empty());
  EXPECT_TRUE(trials_[3].pieces[1]->predictions.empty());
}

TEST_F(TrialsTest, AFailedTrialHoldsNoPredictions) {
  const size_t a = trials_.Add(linear_);
  trials_.Take(a, Result(a, 0, 3, 0.5));
  PieceResult failed = Result(a, 1, 3, 0);
  failed.status = TrialStatus::kFailed;
  trials_.Take(a, failed);
  trials_.Take(a, Result(a, 2, 3, 0.5));
  EXPECT_TRUE(trials_[a].pieces[0]->predictions.empty());
  EXPECT_TRUE(trials_[a].models[2].empty());
  EXPECT_DOUBLE_EQ(trials_.Rows(folds_)[0].value, 0.5);
}

// By the definition: the furthest behind any other, on the folds that both have.
TEST_F(TrialsTest, GapIsThatOfAllPairs) {
  const double losses[5][3] = {{0.5, 0.7, 0.2}, {0.6, 0.4, 0.3}, {0.4, 0.8, 0.9}, {0.55, 0.3, 0.6}, {0.7, 0.6, 0.5}};
  const size_t done[5] = {3, 1, 2, 2, 3};
  for (size_t i = 0; i < 5; ++i) {
    trials_.Add(linear_);
    for (size_t k = 0; k < done[i]; ++k) trials_.Take(i, Result(i, k, 3, losses[i][k]));
  }
  for (size_t i = 0; i < 5; ++i) {
    double gap = 0;
    for (size_t j = 0; j < 5; ++j) {
      const size_t folds = std::min(done[i], done[j]);
      const double behind = trials_.Loss(i, folds) - trials_.Loss(j, folds);
      gap = std::max(gap, behind / (1 - trials_.Loss(j, folds)));
    }
    EXPECT_DOUBLE_EQ(trials_.Gap(i), gap) << i;
  }
}

TEST_F(TrialsTest, StandardErrorOfLargeValues) {
  const size_t a = trials_.Add(linear_);
  for (size_t k = 0; k < 3; ++k) trials_.Take(a, Result(a, k, 3, 1e9 + static_cast<double>(k)));
  EXPECT_NEAR(trials_.Rows(folds_)[0].standard_error, 1 / std::sqrt(3.0), 1e-6);
}

}  // namespace
}  // namespace everlearn
