#include "search/quick_search.h"

#include <algorithm>
#include <new>
#include <numeric>

#include "base/error.h"
#include "base/parallel.h"

namespace everlearn {
namespace {

constexpr const char* kConstant = "constant";

double Units(const Dataset& data, const Candidate& candidate, size_t rows) {
  const LearnerInfo& learner = Learners().Get(candidate.learner);
  return learner.cost_units(static_cast<double>(rows), static_cast<double>(data.features()), static_cast<double>(data.outputs()),
                            candidate.parameters);
}

// Σ cost of the fits on the folds and of the refit.
double TrialUnits(const Dataset& data, const std::vector<Fold>& folds, const Candidate& candidate) {
  double units = Units(data, candidate, data.rows());
  for (const Fold& fold : folds) units += Units(data, candidate, fold.train.size());
  return units;
}

LeaderboardRow StoppedRow(const Candidate& candidate, std::string reason) {
  LeaderboardRow row;
  row.name = candidate.name;
  row.learner = candidate.learner;
  row.parameters = candidate.parameters.ToJson().as_object();
  row.status = TrialStatus::kStopped;
  row.reason = std::move(reason);
  return row;
}

std::string OneDecimal(double value) { return NumberText(std::round(value * 10) / 10); }

std::vector<uint32_t> AllRows(const Dataset& data) {
  std::vector<uint32_t> rows(data.rows());
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

// The same data, whose bins will be fitted on the first rows only.
std::unique_ptr<Dataset> WithEarlyBins(const Dataset& data, size_t first_rows) {
  std::vector<bool> is_category;
  std::vector<size_t> dictionary_sizes;
  for (size_t f = 0; f < data.features(); ++f) {
    is_category.push_back(data.is_category(f));
    dictionary_sizes.push_back(data.dictionary_size(f));
  }
  std::vector<double> weights;
  for (size_t i = 0; data.has_weights() && i < data.rows(); ++i) weights.push_back(data.weight(i));
  const RowsView view = data.view();
  auto copy = std::make_unique<Dataset>(
      std::move(is_category), std::move(dictionary_sizes), std::vector<double>(view.values, view.values + view.rows * view.columns),
      std::vector<double>(data.target().begin(), data.target().end()), std::move(weights), data.classes());
  copy->FitBinsOnFirst(first_rows);
  return copy;
}

// The board of a data set that is too small for folds.
Leaderboard WithoutFolds(const Dataset& data, const std::vector<Candidate>& candidates, const SearchOptions& options) {
  const Metric& metric = Metrics().Get(options.metric);
  Leaderboard board{options.metric, metric.higher_is_better, {}};
  for (size_t c = 0; c < candidates.size(); ++c) {
    LeaderboardRow row = StoppedRow(candidates[c], "there are too few rows to compare models");
    row.candidate = c;
    if (candidates[c].learner == kConstant) {
      const std::vector<uint32_t> rows = AllRows(data);
      const auto model = FitLearner(kConstant, {&data, rows}, candidates[c].parameters, {options.seed, 1, {}});
      row.value = Measure(metric, *model, data, rows);
      row.status = TrialStatus::kOk;
      row.reason = "measured on the rows it was fitted on";
    }
    board.rows.push_back(std::move(row));
  }
  board.Sort();
  return board;
}

}  // namespace

Candidate DefaultCandidate(const std::string& learner) { return {learner, learner, ParameterValues(Learners().Get(learner).parameters)}; }

std::vector<Candidate> QuickCandidates(size_t classes, bool weights) {
  std::vector<Candidate> candidates;
  for (const std::string& name : Learners().Names()) {
    const LearnerInfo& learner = Learners().Get(name);
    if (learner.quick && learner.supports(classes) && (learner.weights || !weights)) candidates.push_back(DefaultCandidate(name));
  }
  return candidates;
}

SearchResult FitBest(const Dataset& data, Leaderboard board, const std::vector<Candidate>& candidates, const SearchOptions& options,
                     size_t folds) {
  const std::vector<uint32_t> rows = AllRows(data);
  const FitOptions fit{FitSeed(options.seed, folds), options.threads > 0 ? options.threads : AvailableThreads(), {}};
  // Rows that have a value first, as the board has them; then constant, whatever became of it on the folds.
  std::vector<size_t> order;
  for (size_t i = 0; i < board.rows.size(); ++i) {
    if (board.rows[i].status == TrialStatus::kOk) order.push_back(i);
  }
  for (size_t i = 0; i < board.rows.size(); ++i) {
    if (board.rows[i].learner == kConstant) order.push_back(i);
  }
  for (const size_t i : order) {
    const Candidate& candidate = candidates[board.rows[i].candidate];
    try {
      auto model = FitLearner(candidate.learner, {&data, rows}, candidate.parameters, fit);
      return {std::move(board), i, std::move(model)};
    } catch (const Error& error) {
      board.rows[i].reason = "the fit on all rows failed: " + error.message();
    } catch (const std::bad_alloc&) {
      board.rows[i].reason = "the fit on all rows ran out of memory";
    }
  }
  throw Error(ErrorKind::kResource, "no model could be fitted" + (order.empty() ? "" : ": " + board.rows[order.back()].reason));
}

SearchResult RunQuickSearch(const Dataset& data, const std::vector<Fold>& folds, const SearchOptions& options) {
  std::vector<Candidate> candidates = options.candidates;
  if (candidates.empty()) candidates = QuickCandidates(data.classes(), data.has_weights());
  if (std::none_of(candidates.begin(), candidates.end(), [](const Candidate& c) { return c.learner == kConstant; }))
    candidates.push_back(DefaultCandidate(kConstant));  // last: a tie goes to what was asked for
  if (folds.empty()) return FitBest(data, WithoutFolds(data, candidates, options), candidates, options, 0);

  std::vector<Candidate> admitted;
  std::vector<size_t> numbers;  // of the admitted ones in `candidates`
  std::vector<LeaderboardRow> stopped;
  double left = options.budget_units;
  for (size_t c = 0; c < candidates.size(); ++c) {
    const double units = options.budget_units > 0 ? TrialUnits(data, folds, candidates[c]) : 0;
    if (units > left && candidates[c].learner != kConstant) {
      stopped.push_back(
          StoppedRow(candidates[c], "it needs " + OneDecimal(units) + " units, the budget has " + OneDecimal(left) + " left"));
      stopped.back().candidate = c;
      continue;
    }
    left -= units;
    admitted.push_back(candidates[c]);
    numbers.push_back(c);
  }
  const CrossValidationOptions validation{options.metric,           options.seed,    options.threads, options.stop,
                                          options.keep_predictions, options.progress};
  Leaderboard board = options.time_ordered ? CrossValidate(*WithEarlyBins(data, folds.front().train.size()), folds, admitted, validation)
                                           : CrossValidate(data, folds, admitted, validation);
  for (LeaderboardRow& row : board.rows) row.candidate = numbers[row.candidate];
  std::move(stopped.begin(), stopped.end(), std::back_inserter(board.rows));
  board.Sort();
  return FitBest(data, std::move(board), candidates, options, folds.size());
}

}  // namespace everlearn
