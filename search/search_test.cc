// Tests of cross-validation and of the quick search, with learners made for them.
#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "search/quick_search.h"

namespace everlearn {
namespace {

class FixedModel : public Model {
 public:
  explicit FixedModel(double value) : value_(value) {}
  std::string_view kind() const override { return "fixed"; }
  size_t features() const override { return 1; }
  size_t outputs() const override { return 1; }
  void PredictRow(const double*, double* out) const override { *out = value_; }
  Json Save(const std::string&, ArrayFileWriter*) const override { return nullptr; }

 private:
  double value_;
};

double Mean(const TrainingRows& training) {
  double sum = 0;
  for (const uint32_t row : training.rows) sum += training.data->target()[row];
  return sum / static_cast<double>(training.rows.size());
}

using FitFunction = std::function<double(const TrainingRows&, const FitOptions&)>;

// A learner whose model is the number that `fit` returns; one unit a fit.
LearnerInfo NumberLearner(FitFunction fit, bool quick) {
  LearnerInfo info;
  info.regression = info.weights = true;
  info.quick = quick;
  info.cost_units = [](double, double, double, const ParameterValues&) { return 1.0; };
  info.fit = [fit](const TrainingRows& training, const ParameterValues&, const FitOptions& options) {
    return std::make_shared<FixedModel>(fit(training, options));
  };
  return info;
}

[[maybe_unused]] const bool registered =
    Learners().Add("constant", NumberLearner([](const TrainingRows& t, const FitOptions&) { return Mean(t); }, true)) &&
    Learners().Add("best_on_parts", NumberLearner(
                                        [](const TrainingRows& t, const FitOptions&) {
                                          if (t.rows.size() == t.data->rows()) throw Error(ErrorKind::kInternal, "too many rows");
                                          return Mean(t) * 0 + 3.5;
                                        },
                                        true)) &&
    Learners().Add("noise",
                   NumberLearner([](const TrainingRows& t, const FitOptions& o) { return Mean(t) + Random(o.seed).Normal(); }, false)) &&
    Learners().Add("hungry", NumberLearner([](const TrainingRows&, const FitOptions&) -> double { throw std::bad_alloc(); }, false)) &&
    Learners().Add(
        "broken",
        NumberLearner([](const TrainingRows&, const FitOptions&) -> double { throw Error(ErrorKind::kInput, "cannot"); }, false)) &&
    Learners().Add(
        "bins", NumberLearner(
                    [](const TrainingRows& t, const FitOptions&) { return static_cast<double>(t.data->binned().columns[0].bins); }, false));

// Targets 1 … rows, one feature that counts from 0.
Dataset Counting(size_t rows) {
  std::vector<double> values(rows), target(rows);
  std::iota(values.begin(), values.end(), 0.0);
  std::iota(target.begin(), target.end(), 1.0);
  return Dataset({false}, {0}, std::move(values), std::move(target), {}, 0);
}

const std::vector<Fold> kThreeFolds{{{2, 3, 4, 5}, {0, 1}}, {{0, 1, 4, 5}, {2, 3}}, {{0, 1, 2, 3}, {4, 5}}};

SearchOptions Options(const std::vector<std::string>& learners) {
  SearchOptions options;
  options.metric = "rmse";
  options.threads = 1;
  for (const std::string& name : learners) options.candidates.push_back(DefaultCandidate(name));
  return options;
}

TEST(CrossValidation, MeanAndStandardErrorAreThoseOfTheFolds) {
  // By hand: the means of the train parts are 4.5, 3.5, 2.5, so the errors are (3.5, 2.5), (0.5, 0.5), (2.5, 3.5).
  const double outer = std::sqrt((3.5 * 3.5 + 2.5 * 2.5) / 2), middle = 0.5;
  const double mean = (2 * outer + middle) / 3;
  const double variance = (2 * (outer - mean) * (outer - mean) + (middle - mean) * (middle - mean)) / 2;
  const Leaderboard board = CrossValidate(Counting(6), kThreeFolds, {DefaultCandidate("constant")}, {.metric = "rmse", .threads = 1});
  ASSERT_EQ(board.rows.size(), 1U);
  EXPECT_EQ(board.rows[0].status, TrialStatus::kOk);
  EXPECT_NEAR(board.rows[0].value, mean, 1e-14);
  EXPECT_NEAR(board.rows[0].standard_error, std::sqrt(variance / 3), 1e-14);
}

TEST(CrossValidation, KeepsOutOfFoldPredictions) {
  const std::vector<Fold> folds{{{0, 1}, {2, 3}}, {{0, 1, 2, 3}, {4, 5}}};
  const Leaderboard board =
      CrossValidate(Counting(6), folds, {DefaultCandidate("constant")}, {.metric = "rmse", .threads = 1, .keep_predictions = true});
  const std::vector<double>& predictions = board.rows[0].predictions;
  ASSERT_EQ(predictions.size(), 6U);
  EXPECT_TRUE(std::isnan(predictions[0]) && std::isnan(predictions[1]));
  EXPECT_EQ(std::vector<double>(predictions.begin() + 2, predictions.end()), (std::vector<double>{1.5, 1.5, 2.5, 2.5}));
}

TEST(CrossValidation, AFailureIsARowWithItsReason) {
  const SearchResult result = RunQuickSearch(Counting(6), kThreeFolds, Options({"broken", "hungry", "constant"}));
  ASSERT_EQ(result.board.rows.size(), 3U);
  EXPECT_EQ(result.board.rows[0].name, "constant");
  EXPECT_EQ(result.board.rows[1].status, TrialStatus::kFailed);
  EXPECT_EQ(result.board.rows[1].reason, "cannot");
  EXPECT_EQ(result.board.rows[2].reason, "out of memory");
  EXPECT_TRUE(std::isnan(result.board.rows[2].value));
}

TEST(CrossValidation, ThreadsDoNotChangeResultsButTheSeedDoes) {
  const Dataset data = Counting(60);
  const std::vector<Fold> folds = RandomFolds(60, 5, 1);
  const auto run = [&](int threads, uint64_t seed) {
    SearchOptions options = Options({"noise", "constant"});
    options.threads = threads;
    options.seed = seed;
    const Leaderboard board = RunQuickSearch(data, folds, options).board;
    std::map<std::string, double> values;
    for (const LeaderboardRow& row : board.rows) values[row.name] = row.value;
    return values;
  };
  EXPECT_EQ(run(1, 7), run(4, 7));
  EXPECT_NE(run(1, 7)["noise"], run(1, 8)["noise"]);
  EXPECT_EQ(run(1, 7)["constant"], run(1, 8)["constant"]);
}

TEST(CrossValidation, ReportsProgressOfEveryPiece) {
  std::atomic<size_t> calls = 0;
  SearchOptions options = Options({"constant", "noise"});
  options.progress = [&](size_t, size_t all) {
    EXPECT_EQ(all, 6U);
    ++calls;
  };
  RunQuickSearch(Counting(6), kThreeFolds, options);
  EXPECT_EQ(calls, 6U);
}

TEST(QuickSearch, WhenTheBestCannotBeRefittedTheNextOneIs) {
  const SearchResult result = RunQuickSearch(Counting(6), kThreeFolds, Options({}));
  EXPECT_EQ(result.board.rows[0].name, "best_on_parts");
  EXPECT_EQ(result.board.rows[0].reason, "the fit on all rows failed: too many rows");
  EXPECT_EQ(result.board.rows[result.best].name, "constant");
  double value = 0;
  result.model->PredictRow(nullptr, &value);
  EXPECT_DOUBLE_EQ(value, 3.5);
}

TEST(QuickSearch, TheDefaultsAreTheQuickLearnersOfTheTask) {
  std::vector<std::string> names;
  for (const Candidate& candidate : QuickCandidates(0, false)) names.push_back(candidate.learner);
  EXPECT_EQ(names, (std::vector<std::string>{"best_on_parts", "constant"}));
  EXPECT_TRUE(QuickCandidates(2, false).empty());
}

TEST(QuickSearch, ABudgetStopsWhatDoesNotFitButNeverTheConstant) {
  // One unit a fit, three folds and the refit: four units a candidate.
  SearchOptions options = Options({"noise", "bins", "constant"});
  options.budget_units = 7;
  const SearchResult result = RunQuickSearch(Counting(6), kThreeFolds, options);
  ASSERT_EQ(result.board.rows.size(), 3U);
  EXPECT_EQ(result.board.rows[2].name, "bins");
  EXPECT_EQ(result.board.rows[2].status, TrialStatus::kStopped);
  EXPECT_EQ(result.board.rows[2].reason, "it needs 4 units, the budget has 3 left");
  EXPECT_EQ(result.board.rows[2].candidate, 1U);
}

TEST(QuickSearch, StoppedAtOnceItStillGivesAModel) {
  SearchOptions options = Options({"noise"});
  options.stop = [] { return true; };
  const SearchResult result = RunQuickSearch(Counting(6), kThreeFolds, options);
  EXPECT_EQ(result.board.rows[0].status, TrialStatus::kStopped);
  EXPECT_EQ(result.board.rows[result.best].learner, "constant");
  EXPECT_NE(result.model, nullptr);
}

TEST(QuickSearch, WithoutFoldsTheModelIsTheConstant) {
  const SearchResult result = RunQuickSearch(Counting(1), {}, Options({"noise"}));
  EXPECT_EQ(result.board.rows[result.best].learner, "constant");
  EXPECT_EQ(result.board.rows[result.best].value, 0);
  EXPECT_EQ(result.board.rows[1].status, TrialStatus::kStopped);
}

TEST(QuickSearch, InOrderOfTimeFoldsSeeTheBinsOfThePastOnly) {
  // The feature has one distinct value a row: bins (with the one of missing values) count the rows that they were fitted on.
  const Dataset data = Counting(40);
  const std::vector<Fold> folds = SequentialFolds(40, {.count = 3});
  SearchOptions options = Options({"bins"});
  options.keep_predictions = options.time_ordered = true;
  const SearchResult result = RunQuickSearch(data, folds, options);
  const auto row = std::find_if(result.board.rows.begin(), result.board.rows.end(), [](const auto& r) { return r.name == "bins"; });
  const double on_folds = row->predictions.back();
  EXPECT_NEAR(on_folds, static_cast<double>(folds.front().train.size()), 1);
  EXPECT_NEAR(static_cast<double>(data.binned().columns[0].bins), 40, 1);
}

TEST(Leaderboard, IsSortedByDirectionWithFailuresLast) {
  Leaderboard board{"auc", true, std::vector<LeaderboardRow>(4)};
  for (size_t i = 0; i < 4; ++i) board.rows[i].candidate = i;
  board.rows[0].status = TrialStatus::kFailed;
  board.rows[1].value = 0.5;
  board.rows[2].value = 0.9;
  board.rows[3].value = 0.5;
  board.Sort();
  std::vector<size_t> order;
  for (const LeaderboardRow& row : board.rows) order.push_back(row.candidate);
  EXPECT_EQ(order, (std::vector<size_t>{2, 1, 3, 0}));
  EXPECT_EQ(ToText(ToJson(board.rows[3]).at("value")), "null");
}

}  // namespace
}  // namespace everlearn
