// The ensemble that a search gives, from trials made for it.
#include "search/final_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "model/constant.h"
#include "model/model_bytes.h"

namespace everlearn {
namespace {

constexpr size_t kRows = 4000, kFolds = 4;

// A regression whose truth is the row's own draw; trials predict it with errors of their own.
class FinalModelTest : public testing::Test {
 protected:
  FinalModelTest() {
    Random random(1);
    std::vector<double> target;
    for (size_t i = 0; i < kRows; ++i) target.push_back(random.Normal());
    data_ = std::make_unique<Dataset>(std::vector<bool>{false}, std::vector<size_t>{0}, std::vector<double>(kRows), target,
                                      std::vector<double>(), 0);
    folds_.resize(kFolds);
    for (uint32_t i = 0; i < kRows; ++i)
      for (size_t k = 0; k < kFolds; ++k) (i % kFolds == k ? folds_[k].validation : folds_[k].train).push_back(i);
    trials_ = std::make_unique<Trials>(Metrics().Get("rmse"), folds_, std::vector<double>(kFolds, 1.0));
  }

  // A trial with `folds` folds done; its models predict the number of the trial.
  size_t AddTrial(double error, size_t folds, double seconds_per_row = 0) {
    const size_t trial = trials_->Add({"a", "linear", ParameterValues({})});
    Random random(100 + trial);
    for (size_t k = 0; k < folds; ++k) {
      PieceResult result;
      result.number = trial * kFolds + k;
      double squares = 0;
      for (const uint32_t row : folds_[k].validation) {
        result.predictions.push_back(data_->target()[row] + error * random.Normal());
        squares += std::pow(result.predictions.back() - data_->target()[row], 2);
      }
      result.value = std::sqrt(squares / static_cast<double>(folds_[k].validation.size()));
      result.train_value = 0.1;
      result.predict_seconds = seconds_per_row * static_cast<double>(folds_[k].validation.size());
      result.model = ModelBytes(*MakeConstantModel(1, {static_cast<double>(trial)}));
      trials_->Take(trial, std::move(result));
    }
    return trial;
  }

  FinalModel Make(double max_latency = 0) const {
    return MakeFinalModel(*data_, folds_, "rmse", *trials_, MakeConstantModel(1, {7}), {.seed = 1, .max_latency = max_latency});
  }

  std::unique_ptr<Dataset> data_;
  std::vector<Fold> folds_;
  std::unique_ptr<Trials> trials_;
};

TEST_F(FinalModelTest, IsTheConstantWhereNothingWasTried) {
  const FinalModel final = Make();
  double out = 0, row = 0;
  final.model->PredictRow(&row, &out);
  EXPECT_EQ(out, 7);
  EXPECT_TRUE(final.members.empty());
}

TEST_F(FinalModelTest, AveragesEqualTrialsWithIndependentErrors) {
  for (int i = 0; i < 4; ++i) AddTrial(0.5, kFolds);
  const FinalModel final = Make();
  EXPECT_EQ(final.members.size(), 4U);
  ASSERT_EQ(final.fold_values.size(), kFolds);
  // The mean of four independent errors of standard deviation 0.5 has 0.25.
  for (const double value : final.fold_values) EXPECT_NEAR(value, 0.25, 0.02);
  double out = 0, expected = 0, row = 0;
  final.model->PredictRow(&row, &out);
  for (size_t m = 0; m < final.members.size(); ++m) expected += final.weights[m] * static_cast<double>(final.members[m]);
  EXPECT_NEAR(out, expected, 1e-12);
  EXPECT_NEAR(final.train_value, 0.1, 1e-12);
}

TEST_F(FinalModelTest, TakesFewerFoldsWhereThoseThatHaveNoMoreHelp) {
  for (int i = 0; i < 4; ++i) AddTrial(0.5, kFolds);
  const size_t shorter = AddTrial(0.6, kFolds - 1);
  const FinalModel final = Make();
  EXPECT_EQ(final.members.size(), 5U);
  EXPECT_EQ(std::count(final.members.begin(), final.members.end(), shorter), 1);
  ASSERT_EQ(final.fold_values.size(), kFolds - 1);
  // Independent errors: 4 / 0.5² + 1 / 0.6² = 1 / 0.231².
  for (const double value : final.fold_values) EXPECT_NEAR(value, 0.231, 0.02);
}

TEST_F(FinalModelTest, KeepsAllFoldsWhereThoseThatHaveFewerDoNotHelp) {
  for (int i = 0; i < 4; ++i) AddTrial(0.5, kFolds);
  AddTrial(5, kFolds - 1);
  EXPECT_EQ(Make().fold_values.size(), kFolds);
}

TEST_F(FinalModelTest, RowsThatNoMemberPredictedAreMissing) {
  AddTrial(0.3, 1);
  const FinalModel final = Make();
  for (size_t i = 0; i < kRows; ++i) EXPECT_EQ(std::isnan(final.predictions[i]), i % kFolds != 0) << i;
  EXPECT_EQ(final.fold_values.size(), 1U);
}

TEST_F(FinalModelTest, IsTheConstantWhereNoTrialIsBetter) {
  AddTrial(1.3, kFolds);  // the constant's error is 1
  const FinalModel final = Make();
  double out = 0, row = 0;
  final.model->PredictRow(&row, &out);
  EXPECT_EQ(out, 7);
  EXPECT_TRUE(final.members.empty());
  ASSERT_EQ(final.predictions.size(), kRows);
  for (const double value : final.predictions) EXPECT_EQ(value, 7);
  EXPECT_TRUE(std::isnan(final.train_value));
}

TEST_F(FinalModelTest, PredictionsAreThoseOfTheMembersRows) {
  AddTrial(0.3, 2);
  const FinalModel final = Make();
  const Trial& trial = (*trials_)[0];
  for (size_t k = 0; k < 2; ++k)
    for (size_t i = 0; i < folds_[k].validation.size(); ++i)
      EXPECT_EQ(final.predictions[folds_[k].validation[i]], trial.pieces[k]->predictions[i]);
}

TEST_F(FinalModelTest, KeepsTheLimitOfTime) {
  AddTrial(0.3, kFolds, 1e-3);  // a bag of four takes 4 ms a row, one model 1 ms
  AddTrial(0.4, kFolds, 1e-6);
  EXPECT_GT(Make().seconds_per_row, 3e-3);
  EXPECT_LE(Make(2e-3).seconds_per_row, 2e-3);
  EXPECT_LE(Make(1e-5).seconds_per_row, 1e-5);
}

TEST_F(FinalModelTest, ATrialOfOneFoldDoesNotDisplaceBagsThatAreAboutAsGood) {
  for (const double error : {0.3, 0.31, 0.32}) AddTrial(error, kFolds);
  const size_t lucky = AddTrial(0.298, 1);
  const FinalModel final = Make();
  EXPECT_EQ(final.fold_values.size(), kFolds);
  EXPECT_EQ(std::count(final.members.begin(), final.members.end(), lucky), 0);
  // One that is much better does.
  const size_t better = AddTrial(0.1, 1);
  const FinalModel other = Make();
  EXPECT_EQ(other.members.front(), better);
}

TEST_F(FinalModelTest, ModelsThatTimeCutShortAreInNoBag) {
  const size_t trial = AddTrial(0.3, kFolds);
  for (size_t k = 0; k < kFolds; ++k) (*trials_)[trial].pieces[k]->fit_seconds = 10;
  (*trials_)[trial].pieces[2]->fit_seconds = 4;
  EXPECT_EQ(Make().models, (std::vector<size_t>{kFolds}));  // it was through
  (*trials_)[trial].pieces[2]->cut = true;
  EXPECT_EQ(Make().models, (std::vector<size_t>{kFolds}));  // the choice was made on all folds, this one's losses among them
  const size_t better = AddTrial(0.1, 1);
  const FinalModel final = Make();
  ASSERT_EQ(final.members.front(), better);
  ASSERT_GT(final.members.size(), 1U);
  EXPECT_EQ(final.models[1], 2U);
}

TEST_F(FinalModelTest, SingleModelsAreTakenFromAllRowsWhereThereAreAny) {
  const size_t good = AddTrial(0.3, 1), other = AddTrial(0.35, 1);
  std::vector<size_t> asked;
  FinalModelOptions options{.seed = 1, .most_models = 1};
  options.refit = [&](const std::vector<size_t>& trials) {
    asked = trials;
    return std::map<size_t, std::string>{{good, ModelBytes(*MakeConstantModel(1, {100}))}};
  };
  const FinalModel final = MakeFinalModel(*data_, folds_, "rmse", *trials_, MakeConstantModel(1, {7}), options);
  EXPECT_EQ(asked, (std::vector<size_t>{good, other}));  // the heavier first
  ASSERT_EQ(final.members, asked);
  EXPECT_EQ(final.models, (std::vector<size_t>{0, 1}));
  double out = 0, row = 0;
  final.model->PredictRow(&row, &out);
  EXPECT_NEAR(out, final.weights[0] * 100 + final.weights[1] * static_cast<double>(other), 1e-9);
  EXPECT_NEAR(final.fold_values[0], 0.23, 0.02);  // of the fold models still
}

TEST_F(FinalModelTest, BagsAndTheConstantAreNotFittedAgain) {
  FinalModelOptions options{.seed = 1};
  options.refit = [&](const std::vector<size_t>&) -> std::map<size_t, std::string> {
    ADD_FAILURE() << "asked for";
    return {};
  };
  AddTrial(1.3, 1);
  MakeFinalModel(*data_, folds_, "rmse", *trials_, MakeConstantModel(1, {7}), options);
  AddTrial(0.3, kFolds);
  MakeFinalModel(*data_, folds_, "rmse", *trials_, MakeConstantModel(1, {7}), options);
}

TEST_F(FinalModelTest, WantsTheMembersFirst) {
  const size_t bad = AddTrial(0.9, 1), good = AddTrial(0.2, 1);
  const std::vector<size_t> wanted = WantedTrials(*data_, folds_, "rmse", *trials_, {});
  ASSERT_FALSE(wanted.empty());
  EXPECT_EQ(wanted.front(), good);
  EXPECT_NE(wanted.front(), bad);
}

}  // namespace
}  // namespace everlearn
