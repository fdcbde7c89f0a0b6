#include "search/trials.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

namespace everlearn {
namespace {

// A trial that is so far behind on the folds it has, between the best (0) and the constant (1), is not gone on with; the best of its
// learner may be further behind, since an ensemble gains from what is different. Few rows say little: the margin grows with the standard
// error of a mean over them, of which differences between models are about this large.
constexpr double kHopelessGap = 0.06, kHopelessGapOfAKind = 0.3, kNoise = 1;
constexpr size_t kKeptOfALearner = 2;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

void Drop(Trial* trial) {
  for (auto& piece : trial->pieces)
    if (piece) piece->predictions = {};
  for (SpilledBytes& model : trial->models) model.Clear();
}

}  // namespace

size_t Trial::done() const {
  size_t count = 0;
  while (count < pieces.size() && pieces[count]) ++count;
  return count;
}

Trials::Trials(const Metric& metric, const std::vector<Fold>& folds, std::vector<double> constant_losses)
    : metric_(metric), folds_(folds.size()), constant_losses_(std::move(constant_losses)) {
  for (const Fold& fold : folds) fold_rows_.push_back(static_cast<double>(fold.validation.size()));
}

size_t Trials::Add(Candidate candidate) {
  const auto same = std::count_if(trials_.begin(), trials_.end(), [&](const Trial& t) { return t.candidate.learner == candidate.learner; });
  std::string name = candidate.learner + (same == 0 ? "" : fmt::format("_{}", same + 1));
  trials_.push_back({.name = std::move(name),
                     .candidate = std::move(candidate),
                     .pieces = std::vector<std::optional<PieceResult>>(folds_),
                     .models = std::vector<SpilledBytes>(folds_),
                     .running = std::vector<bool>(folds_)});
  return trials_.size() - 1;
}

void Trials::Take(size_t number, PieceResult result) {
  Trial& trial = trials_[number];
  const size_t fold = result.number % folds_;
  trial.running[fold] = false;
  const bool failed = result.status == TrialStatus::kFailed;
  if (failed) {
    trial.status = TrialStatus::kFailed;
    trial.reason = std::move(result.reason);
  } else {
    trial.models[fold] = spilled_.Put(std::exchange(result.model, {}));
    trial.pieces[fold] = std::move(result);
  }
  if (trial.status == TrialStatus::kFailed || trial.forgotten) Drop(&trial);
  if (failed) return;
  FindLeast();
  double rows = 0;
  for (size_t k = 0; k < trial.done(); ++k) rows += fold_rows_[k];
  const double limit = (BestOfItsLearner(number) ? kHopelessGapOfAKind : kHopelessGap) + kNoise / std::sqrt(std::max(1.0, rows));
  trial.hopeless = trial.forgotten || Gap(number) > limit;
}

double Trials::Loss(size_t number, size_t folds) const {
  const Trial& trial = trials_[number];
  double sum = 0, count = 0;
  for (size_t k = 0; k < folds; ++k) {
    if (!trial.pieces[k]) return kMissing;
    const double value = trial.pieces[k]->value;
    if (std::isnan(value)) continue;
    sum += metric_.higher_is_better ? -value : value;
    ++count;
  }
  return count > 0 ? sum / count : kMissing;
}

double Trials::ConstantLoss(size_t folds) const {
  double sum = 0, count = 0;
  for (size_t k = 0; k < folds; ++k) {
    if (std::isnan(constant_losses_[k])) continue;
    sum += constant_losses_[k];
    ++count;
  }
  return count > 0 ? sum / count : kMissing;
}

void Trials::FindLeast() {
  least_.assign(folds_ + 1, kInfinity);
  least_of_these_.assign(folds_ + 1, kInfinity);
  for (size_t i = 0; i < size(); ++i) {
    const size_t done = trials_[i].done();
    for (size_t folds = 1; folds <= done; ++folds) {
      const double loss = Loss(i, folds);
      if (loss < least_[folds]) least_[folds] = loss;
      if (folds == done && loss < least_of_these_[folds]) least_of_these_[folds] = loss;
    }
  }
}

double Trials::Gap(size_t number) const {
  const size_t done = trials_[number].done();
  if (done == 0 || std::isnan(Loss(number, done))) return kInfinity;
  double gap = 0;
  for (size_t folds = 1; folds <= done; ++folds) {
    const double best = folds < done ? least_of_these_[folds] : least_[folds];
    const double behind = Loss(number, folds) - best, range = ConstantLoss(folds) - best;
    if (behind > 0) gap = std::max(gap, range > 0 ? behind / range : 1);
  }
  return gap;
}

bool Trials::BestOfItsLearner(size_t number) const {
  const double gap = Gap(number);
  for (size_t i = 0; i < trials_.size(); ++i)
    if (i != number && trials_[i].candidate.learner == trials_[number].candidate.learner && Gap(i) < gap) return false;
  return true;
}

std::vector<size_t> Trials::Ranked() const {
  std::vector<size_t> order;
  std::vector<double> gaps(size());
  for (size_t i = 0; i < size(); ++i) {
    gaps[i] = Gap(i);
    if (trials_[i].status == TrialStatus::kOk && std::isfinite(gaps[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return gaps[a] < gaps[b]; });
  return order;
}

void Trials::Forget(size_t most) {
  std::map<std::string, size_t> kept_of_learner;
  size_t kept = 0;
  for (const size_t i : Ranked()) {
    if (kept < most || kept_of_learner[trials_[i].candidate.learner] < kKeptOfALearner) {
      ++kept;
      ++kept_of_learner[trials_[i].candidate.learner];
      continue;
    }
    trials_[i].hopeless = trials_[i].forgotten = true;
    Drop(&trials_[i]);
  }
}

std::vector<LeaderboardRow> Trials::Rows(const std::vector<Fold>& folds) const {
  std::vector<LeaderboardRow> rows;
  for (size_t i = 0; i < size(); ++i) {
    const Trial& trial = trials_[i];
    LeaderboardRow row;
    row.candidate = i;
    row.name = trial.name;
    row.learner = trial.candidate.learner;
    row.parameters = trial.candidate.parameters.ToJson().as_object();
    row.status = trial.status;
    row.reason = trial.reason;
    double sum = 0, count = 0, fit = 0, predict = 0, predicted = 0, done = 0;
    for (size_t k = 0; k < folds_; ++k) {
      if (!trial.pieces[k]) continue;
      const PieceResult& piece = *trial.pieces[k];
      ++done;
      fit += piece.fit_seconds;
      predict += piece.predict_seconds;
      predicted += static_cast<double>(folds[k].validation.size());
      if (std::isnan(piece.value)) continue;
      sum += piece.value;
      ++count;
    }
    if (count > 0) row.value = sum / count;
    double squares = 0;
    for (const auto& piece : trial.pieces)
      if (piece && !std::isnan(piece->value)) squares += (piece->value - row.value) * (piece->value - row.value);
    if (count > 1) row.standard_error = std::sqrt(squares / count / (count - 1));
    if (done > 0) row.fit_seconds = fit / done;
    if (predicted > 0) row.predict_seconds_per_row = predict / predicted;
    if (row.status == TrialStatus::kOk && done < static_cast<double>(folds_)) {
      row.status = TrialStatus::kStopped;
      row.reason = fmt::format("{} after {} of {} folds", trial.hopeless ? "too far behind the best" : "time ran out", done, folds_);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace everlearn
