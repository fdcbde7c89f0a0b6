// The loss of what is served, estimated while its outcomes are late.
//
// Classification: the loss that is to be expected of the answer under its own probabilities, calibrated by the outcomes that came (Platt
// scaling; of several classes the confidence in the served label, the rest in the stated proportion). This is confidence-based performance
// estimation (NannyML's CBPE; Guillory et al., Predicting with confidence on unseen distributions, 2021). Regression: an online linear
// model of the loss over the features and the prediction, learnt as outcomes come (NannyML's direct loss estimation).
//
// Neither can see a change of what the inputs mean before its outcomes come: both say what the loss is if the world answers as it did.
//
// The band is about the mean loss of the rows that wait. Past estimates, each made before its outcome, are compared with what came, in
// blocks of rows that were predicted before the first of them had counted (statistics/block_mean.h): the mean error of a block of n rows
// has the variance σ²/n of its rows and τ² of what its rows have in common (DerSimonian & Laird, Meta-analysis in clinical trials, 1986;
// here by medians over the newest 30 blocks, so that a bad start is soon forgotten). The band is so many of its deviations wide as 95% of
// past blocks needed (Student's t of few blocks, then a tracked quantile, which keeps its coverage under drift).
//
// Deterministic, of bounded size; one thread. From the 50,000th served row on, one in eight, drawn by the hash of its number, is estimated.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "learner/learner.h"
#include "loop/loss.h"
#include "loop/pending.h"
#include "statistics/platt_scaling.h"
#include "statistics/quantile_tracker.h"

namespace everlearn {

// Over the newest 10,240 rows, those of them that are estimated. Means are NaN where there is no row, bounds while too few blocks came.
struct EstimatedLoss {
  static constexpr double kCoverage = 0.95;  // of the band
  uint64_t rows = 0;                         // that wait for their outcome
  double loss, lower, upper;                 // of them
  double accuracy;                           // of them; NaN for regression
  uint64_t recent_rows = 0;                  // waiting or not
  double recent_loss;                        // estimated, of all of them
  uint64_t matured_rows = 0;                 // whose outcome came
  double matured_loss, realised_loss;        // of these: estimated before the outcome, and what it was
  double realised_accuracy;
  uint64_t blocks = 0, covered = 0;  // past blocks with a band, and those whose mean loss lay inside
};

class LossEstimate {
 public:
  LossEstimate(const std::string& metric, size_t classes, const std::vector<bool>& is_category);

  // A row was predicted (or, of history, not): writes its estimates, NaN where it has none.
  void OnRow(PendingRow* row);
  // A served row's outcome and its loss; `counted` as of BlockMeanSequence.
  void OnOutcome(const PendingRow& row, double truth, double loss, uint64_t counted);
  // The row waits no longer, and is not scored.
  void OnWithdrawn(const PendingRow& row);

  EstimatedLoss Get() const;

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  // Rows with neighbouring numbers.
  struct Span {
    uint64_t number = 0;  // of the span, from 1; 0: none yet
    uint64_t waiting = 0, matured = 0;
    double waiting_loss = 0, waiting_accuracy = 0;
    double matured_estimate = 0, realised = 0, right = 0;
  };
  // A complete one: its mean error's square, the variance of its rows' errors, and that of their mean.
  struct Block {
    double squared_error = 0, variance = 0, mean_variance = 0;
  };
  static constexpr size_t kBlocks = 30;
  // Half the band's width around the mean of some rows.
  struct Band {
    double row_variance = 0, common_variance = 0;
    double width = 0;  // in deviations; 0: not known
    double Deviation(double rows) const;
  };
  static constexpr uint64_t kSpanRows = 256, kSpans = 40;

  bool Knows(const PendingRow& row) const;  // has all that an estimate needs
  void Estimate(PendingRow* row) const;
  void Learn(const PendingRow& row, double truth, double loss);
  Span* SpanOf(uint64_t row);
  void AddToBlock(double error, uint64_t informed, uint64_t counted);
  void EndBlock();
  Band Now() const;

  RowLoss loss_;
  size_t classes_, features_;
  StreamShape shape_;  // of the model of the loss
  PlattScaling calibration_;
  std::unique_ptr<OnlineModel> model_;  // of the loss; regression
  mutable std::vector<double> inputs_;  // features and prediction
  uint64_t served_ = 0, learnt_ = 0;
  uint64_t newest_ = 0;  // number of the newest row's span
  std::array<Span, kSpans> spans_ = {};
  // The block that grows, of errors (realised − estimated).
  uint64_t block_first_ = 0, block_rows_ = 0;
  double block_sum_ = 0, block_squares_ = 0;
  // Of past blocks.
  uint64_t blocks_ = 0;
  std::array<Block, kBlocks> past_ = {};                  // the newest ones, a ring
  Band announced_;                                        // as it was a block ago, when the rows of the one that grows were predicted
  QuantileTracker width_{EstimatedLoss::kCoverage, 0.5};  // a block is many rows: it follows fast
};

}  // namespace everlearn
