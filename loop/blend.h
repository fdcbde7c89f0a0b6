// The blend: prediction with expert advice by fixed share (Herbster & Warmuth, Tracking the best expert, 1998), in two layers.
//
// The first layer are parties: mixes of the experts by fixed share, one a learning rate (fast ones follow a change of the best expert, slow
// ones average over more outcomes), and pools that refine what the mixes say (expert_pools.h). The second mixes the parties, also by fixed
// share. Classification: Bayes weights by log-loss; regression: weights of Gaussian errors whose variance is the blend's own of late.
//
// Outcomes may be late. A party is judged by what it said when the row was predicted, not by what it would say with the outcomes of
// neighbouring rows in hand; and since outcomes that nobody knew then are nearly one observation, pools and the second layer learn at the
// rate 1/√(1 + rows of delay) (the order that is best for delayed feedback: Joulani, György & Szepesvári, Online learning under delayed
// feedback, 2013). But what an expert said before it could know of a change says little about what it says after: so once an outcome was
// late there are as many mixes again, whose weights follow what experts say about the row just before they learn its outcome. The second
// layer judges these parties like all others. And there is a second blend, which learns as if these were predictions whose outcomes came at
// once: after a change it is right as soon as its experts are, where the first one follows for another delay what was wrong; but it
// believes experts that know nothing except what came last. The two are mixed by what both said when the row was predicted, in the long
// run: at the rate 1/(1 + rows of delay).
//
// Of classes, what they say together is then one of the voices of a choice by hits and misses (expert_choice.h). Where the loss that tests
// compare is 0 or 1, as accuracy's, what the choice says is the answer. Elsewhere it is pooled with a quarter of the weight, as a geometric
// mean: an arithmetic one would take too much from what is sure and right. Where outcomes are late no bound is claimed.
//
// The bound, without delay: of the loss −ln(p + 0.0001), p what was said of the outcome, so that one sure of what is wrong loses 9.2 and
// not all. Over T outcomes the mix at rate 1 loses at most (k+1) ln n + k ln(1/a) + (T−k−1) ln(1/(1−a)) more than any sequence of experts
// with k changes, and the blend at most ln N + T ln(1/(1−b)) more than that: n experts, N parties, a and b the two shares.
//
// One thread changes it, any number may call Predict meanwhile on a copy; no allocation a row.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "loop/expert_choice.h"
#include "loop/expert_pools.h"
#include "loop/pending.h"

namespace everlearn {

class Blend {
 public:
  static constexpr std::array<double, 3> kRates = {1, 0.1, 0.01};            // of the mixes
  static constexpr std::array<double, 3> kShares = {0.002, 0.0005, 0.0001};  // that each spreads evenly after an outcome
  static constexpr double kPartyShare = 0.001;
  static constexpr double kLeastProbability = 1e-4;  // is added to the probability of what happened

  // `zero_one`: whether the loss that tests compare is 0 or 1 (RowLoss).
  explicit Blend(size_t classes, bool zero_one = false);

  // Experts are members of the roster; a new one begins with the average weight.
  void AddExpert(uint32_t member);
  // Another member of the same lineage takes an expert's place and its weights.
  void ReplaceExpert(uint32_t member, uint32_t by);
  bool HasExpert(uint32_t member) const;
  size_t size() const { return experts_.size(); }

  // Blends the experts' predictions of this row (those of `members`, outputs numbers each) into `out`; false when none of them predicted.
  // `parties` (may be null): what each party says, outputs numbers each, for Learn; where outcomes are late, then what both blends say
  // and, of classes, ExpertChoice::kSaid numbers.
  bool Predict(const std::vector<uint32_t>& members, const std::vector<double>& predictions, double* out,
               std::vector<double>* parties = nullptr) const;

  // An outcome, so many rows after its row was predicted: weights follow what experts and parties had predicted on that row. `now`: what
  // the row's members would say by now, laid out like its predictions; empty where that is not known.
  void Learn(const PendingRow& row, double truth, uint64_t delay, const std::vector<double>& now = {});

  struct Expert {
    uint32_t member;
    // Its mean weight in the mixes that follow the past, over the last 1,000 outcomes or so: from stored predictions alone, so that what
    // depends on it can be recomputed.
    double trust = 0;
    std::array<double, 2 * kRates.size()> weights;  // of the mixes; the second half is in use once an outcome was late
  };
  const std::vector<Expert>& experts() const { return experts_; }
  // In the mean of the mixes, by their shares; of both blends and the choice. `expert`: of experts().
  double Weight(const Expert& expert) const;
  std::span<const double> shares() const { return shares_; }  // of the parties: the mixes, then the pools

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  size_t outputs() const { return classes_ == 0 ? 1 : classes_; }
  // Of the numbers of a row that Predict gives Learn, those that stand behind what the parties say.
  size_t said_further() const { return fresh_.empty() ? 0 : 2 * outputs() + (choice_.empty() ? 0 : ExpertChoice::kSaid); }
  size_t mixes() const { return late_ ? 2 * kRates.size() : kRates.size(); }
  void BeLate();
  struct Row;
  static Row& RowAtHand();
  bool ReadRow(const std::vector<uint32_t>& members, const std::vector<double>& predictions, Row* row) const;
  void Load(ByteReader* in, bool may_be_late);
  const double* AdviceNow(size_t expert, const std::vector<uint32_t>& members, const std::vector<double>& now) const;
  void LearnMix(size_t mix, const std::vector<const double*>& advice, double truth);
  void LearnFrom(const std::vector<uint32_t>& members, const std::vector<double>& predictions, const std::vector<double>& parties,
                 double truth, uint64_t delay, const std::vector<double>& now);
  double OwnWeight(const Expert& expert) const;
  void LearnChoice(const double* said, const std::vector<double>& parties, std::span<const double* const> advice, double truth,
                   uint64_t delay);
  void Pool(const double* chosen, double* out) const;
  void JudgeFresh(const double* said, double truth, double rate);
  double Likelihood(const double* prediction, double truth) const;
  void FollowVariance(double error);

  size_t classes_;
  bool zero_one_;
  bool late_ = false;
  double variance_ = 0;  // of the blend's error, regression
  double variance_rows_ = 0;
  std::vector<Expert> experts_;
  ExpertPools pools_;
  std::vector<double> shares_;
  std::vector<Blend> fresh_;          // one once an outcome was late
  double fresh_share_ = 0.5;          // of what it says in what is said
  std::vector<ExpertChoice> choice_;  // one once an outcome was late, of classes
};

}  // namespace everlearn
