// The trials of a search, as their pieces come in: how good each is so far, which are hopeless, and what the leaderboard says of them.
//
// Belongs to one thread. Pieces of a trial are done in the order of the folds, so that two trials can be compared on the folds that both
// have.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/spill_file.h"
#include "learner/dataset.h"
#include "search/cross_validation.h"
#include "search/piece.h"

namespace everlearn {

struct Trial {
  std::string name;
  Candidate candidate;
  std::vector<std::optional<PieceResult>> pieces;  // one a fold, without their models
  std::vector<SpilledBytes> models;                // one a fold
  std::vector<bool> running;                       // one a fold
  TrialStatus status = TrialStatus::kOk;           // failed: no further piece is started
  std::string reason = {};
  bool hopeless = false;
  bool forgotten = false;  // its predictions and models are dropped, also those that are still to come

  size_t done() const;  // folds from the first on that are done
};

class Trials {
 public:
  // `constant_losses`: of the constant model, one a fold: what no trial should be worse than.
  Trials(const Metric& metric, const std::vector<Fold>& folds, std::vector<double> constant_losses);

  size_t size() const { return trials_.size(); }
  Trial& operator[](size_t i) { return trials_[i]; }
  const Trial& operator[](size_t i) const { return trials_[i]; }
  size_t folds() const { return folds_; }

  size_t Add(Candidate candidate);
  // Takes a result of `trial`, and looks anew at whether it is hopeless.
  void Take(size_t trial, PieceResult result);

  // Mean loss of the constant model on the first `folds` folds.
  double ConstantLoss(size_t folds) const;
  // Mean loss on the first `folds` folds (the metric, negated where higher is better); NaN where it is not known.
  double Loss(size_t trial, size_t folds) const;
  // How far behind the one that is the furthest ahead of it, each on the folds that both have: 0 for the best, 1 as bad as the constant.
  // Infinity without a value.
  double Gap(size_t trial) const;
  // Trials with a value on the first fold, the best (by gap) first.
  std::vector<size_t> Ranked() const;
  // Drops predictions and models of all but the `most` best and the best few of each learner, for good.
  void Forget(size_t most);

  // One row a trial, in the order of the trials.
  std::vector<LeaderboardRow> Rows(const std::vector<Fold>& folds) const;

 private:
  void FindLeast();
  bool BestOfItsLearner(size_t trial) const;

  const Metric& metric_;
  size_t folds_;
  std::vector<double> fold_rows_;  // of validation
  std::vector<double> constant_losses_;
  std::vector<Trial> trials_;
  SpillFile spilled_;
  // The least loss on the first so many folds, infinite where there is none: of the trials that have these and no more, and of all that
  // have these.
  std::vector<double> least_of_these_, least_;
};

}  // namespace everlearn
