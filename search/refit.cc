#include "search/refit.h"

#include <algorithm>
#include <optional>

#include "base/error.h"

namespace everlearn {
namespace {

constexpr double kLookEvery = 0.1;  // seconds

// All rows, times those that the first fold was fitted on.
double MoreRows(const Dataset& data, const std::vector<Fold>& folds) {
  return static_cast<double>(data.rows()) / static_cast<double>(std::max<size_t>(1, folds.front().train.size()));
}

// What was best on the first fold, but not fewer than on half of the folds: where what is to be predicted there is new, its best is chance.
int64_t Rounds(const Trial& trial) {
  std::vector<int64_t> rounds;
  for (const auto& piece : trial.pieces)
    if (piece && piece->status == TrialStatus::kOk && !piece->cut) rounds.push_back(piece->rounds);
  if (rounds.empty()) return trial.pieces[0]->rounds;
  const auto middle = rounds.begin() + static_cast<std::ptrdiff_t>((rounds.size() - 1) / 2);
  std::nth_element(rounds.begin(), middle, rounds.end());
  return std::max(trial.pieces[0]->rounds, *middle);
}

class Refitting {
 public:
  Refitting(const Trials& all, const Dataset& data, const std::vector<Fold>& folds, WorkerPool* pool, const RefitOptions& options)
      : all_(all), data_(data), options_(options), pool_(pool), units_(options.units), more_rows_(MoreRows(data, folds)) {}

  Refitted Run(const std::vector<size_t>& trials) {
    Refitted refitted;
    auto next = trials.begin();
    while (!Ended() && (next != trials.end() || pool_->busy() > 0)) {
      for (; next != trials.end() && pool_->idle() > 0; ++next) Start(*next);
      for (PieceResult& result : pool_->Wait(kLookEvery)) {
        refitted.fit_seconds += result.fit_seconds;
        // One that had to end early is not what was measured.
        if (result.status == TrialStatus::kOk && !result.cut) refitted.models[result.number] = std::move(result.model);
      }
      if (options_.between) options_.between();
    }
    pool_->Abandon();
    return refitted;
  }

 private:
  bool Ended() const { return no_worker_ || (options_.stop && options_.stop()) || (options_.units == 0 && options_.seconds_left() <= 0); }

  // Where there is time for it.
  void Start(size_t number) {
    const Trial& trial = all_[number];
    const int64_t rounds = Rounds(trial);
    if (rounds == 0) return;                       // what was measured made none
    const double margin = rounds > 0 ? 0.5 : 1.1;  // on a fold, rounds went on for a while beyond the best
    const Candidate& candidate = trial.candidate;
    PieceRequest request{.number = number,
                         .learner = candidate.learner,
                         .parameters = ToText(candidate.parameters.ToJson()),
                         .fold = kAllRows,
                         .seed = FitSeed(options_.seed, 0),
                         .rounds = std::max<int64_t>(0, rounds)};
    if (options_.units > 0) {
      const double needed = Learners()
                                .Get(candidate.learner)
                                .cost_units(static_cast<double>(data_.rows()), static_cast<double>(data_.features()),
                                            static_cast<double>(data_.outputs()), candidate.parameters);
      if (needed > units_) return;
      units_ -= needed;
    } else {
      request.seconds = options_.seconds_left();
      if (trial.pieces[0]->cut || trial.pieces[0]->fit_seconds * more_rows_ * margin > request.seconds) return;
    }
    try {
      pool_->Start(request);
    } catch (const Error&) {  // the system gives no process: what there is must do
      no_worker_ = true;
    }
  }

  const Trials& all_;
  const Dataset& data_;
  const RefitOptions& options_;
  WorkerPool* pool_;
  double units_;  // left
  double more_rows_;
  bool no_worker_ = false;
};

}  // namespace

Refitted RefitTrials(const std::vector<size_t>& trials, const Trials& all, const Dataset& data, const std::vector<Fold>& folds,
                     WorkerPool* pool, const RefitOptions& options) {
  return Refitting(all, data, folds, pool, options).Run(trials);
}

double RefitSeconds(const std::vector<size_t>& trials, const Trials& all, const Dataset& data, const std::vector<Fold>& folds,
                    double workers) {
  constexpr double kMargin = 1.3;
  double longest = 0, sum = 0;
  for (const size_t trial : trials) {
    const double seconds = all[trial].pieces[0]->fit_seconds;
    longest = std::max(longest, seconds);
    sum += seconds;
  }
  return kMargin * MoreRows(data, folds) * std::max(longest, sum / workers);
}

}  // namespace everlearn
