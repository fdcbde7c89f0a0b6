#include "search/search_report.h"

#include <algorithm>
#include <cmath>

namespace everlearn {

double MeanOfKnown(const std::vector<double>& values) {
  double sum = 0, count = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    sum += value;
    ++count;
  }
  return count > 0 ? sum / count : kMissing;
}

double TrainingUnits(const Candidate& candidate, const Dataset& data, const std::vector<Fold>& folds) {
  return Learners()
      .Get(candidate.learner)
      .cost_units(static_cast<double>(folds.front().train.size()), static_cast<double>(data.features()),
                  static_cast<double>(data.outputs()), candidate.parameters);
}

std::vector<ExperienceTrial> LearntByTrials(const Trials& trials, const Dataset& data, const std::vector<Fold>& folds,
                                            const Metric& metric) {
  std::vector<ExperienceTrial> list;
  for (size_t i = 0; i < trials.size(); ++i) {
    const Trial& trial = trials[i];
    ExperienceTrial learnt;
    learnt.learner = trial.candidate.learner;
    learnt.parameters = trial.candidate.parameters.ToJson().as_object();
    double count = 0;
    for (const auto& piece : trial.pieces) {
      if (!piece) continue;
      learnt.fold_losses.push_back(metric.higher_is_better ? -piece->value : piece->value);
      learnt.seconds += piece->seconds();
      ++count;
    }
    if (count == 0 && trial.status == TrialStatus::kOk) continue;  // it ran when time was up
    if (count > 0) learnt.seconds /= count;
    learnt.units = TrainingUnits(trial.candidate, data, folds);
    learnt.status = TrialStatusName(trial.status);
    list.push_back(std::move(learnt));
  }
  return list;
}

void DescribeResult(const Trials& trials, const std::vector<Fold>& folds, const std::string& metric_name, double spent_seconds,
                    FinalModel final, BudgetedSearchResult* result) {
  const Metric& metric = Metrics().Get(metric_name);
  Leaderboard& board = result->board;
  board.metric = metric_name;
  board.higher_is_better = metric.higher_is_better;
  board.rows = trials.Rows(folds);
  LeaderboardRow constant;
  constant.candidate = board.rows.size();
  constant.name = constant.learner = "constant";
  constant.value = metric.higher_is_better ? -result->constant_loss : result->constant_loss;
  board.rows.push_back(std::move(constant));
  LeaderboardRow own;
  own.candidate = board.rows.size();
  const bool single = final.members.size() == 1;
  own.name = final.members.empty() ? "constant" : "ensemble";
  own.learner = own.name;
  for (size_t m = 0; m < final.members.size(); ++m) own.parameters[trials[final.members[m]].name] = final.weights[m];
  own.value = MeanOfKnown(final.fold_values);
  double squares = 0, count = 0;
  for (const double value : final.fold_values) {
    if (std::isnan(value)) continue;
    squares += (value - own.value) * (value - own.value);
    ++count;
  }
  if (count > 1) own.standard_error = std::sqrt(squares / (count - 1) / count);
  if (final.stacked) own.parameters["stacked"] = true;
  own.fit_seconds = spent_seconds;
  own.predict_seconds_per_row = final.seconds_per_row;
  const size_t own_candidate = final.members.empty() ? own.candidate - 1 : single ? final.members[0] : own.candidate;
  if (final.members.size() > 1) board.rows.push_back(std::move(own));
  board.Sort();
  const auto row_of = [&](size_t candidate) {
    return static_cast<size_t>(
        std::find_if(board.rows.begin(), board.rows.end(), [&](const auto& row) { return row.candidate == candidate; }) -
        board.rows.begin());
  };
  result->best = row_of(own_candidate);
  for (const size_t member : final.members) result->members.push_back(row_of(member));
  result->member_weights = std::move(final.weights);
  result->member_models = std::move(final.models);
  result->trials = trials.size();
  result->seconds_per_row = final.seconds_per_row;
  result->model = std::move(final.model);
  result->predictions = std::move(final.predictions);
  result->fold_values = std::move(final.fold_values);
  result->train_value = final.train_value;
}

}  // namespace everlearn
