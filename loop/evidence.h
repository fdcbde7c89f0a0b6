// Decides who serves: promotion by an anytime-valid test on paired losses, roll back and guard by e-detectors (design.md, Evidence).
//
// Works on stored predictions and outcomes only, so that every decision can be recomputed from the ledger. One thread; deterministic.
//
// The unit of the tests is the block: rows that were predicted before the first of them had counted. Their differences may share a cause
// (the same storm) that no bet could have known of, so only their mean is one observation; without delay every row is a block of its own.
// Means of several rows are clipped at a multiple of their usual size, fixed on past blocks, as differences of regression losses are; the
// test is then about clipped means, and an asymptotic sequence with a hundred times wider clip, at the same level, must agree.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "loop/loss.h"
#include "loop/pending.h"
#include "loop/roster.h"
#include "statistics/block_mean.h"
#include "statistics/confidence_sequence.h"
#include "statistics/e_detector.h"
#include "statistics/e_process.h"

namespace everlearn {

struct EvidenceOptions {
  double error_rate = 0.05;        // of a false promotion over the whole life
  double minimum_gain = 0;         // in units of the loss
  double half_life = 2000;         // of the recent gain, in matured rows
  double rollback_rows = 100'000;  // mean time between false roll backs, in observations (matured rows; blocks where outcomes are late)
  double guard_rows = 1'000'000;   // the same for the guard
  uint64_t dwell = 100;            // matured rows after a change of champion before a roll back
};

struct Decision {
  std::string kind;         // "promoted", "rolled_back", "guarded"
  uint32_t champion = 0;    // before
  uint32_t challenger = 0;  // the new one
  JsonObject numbers;       // pair, alpha, evidence, rows, gain, recent_gain
};

// A difference of losses (champion's minus rival's: positive is better for the rival), brought into [-1, 1].
struct PairedLoss {
  double epsilon = 0.01;  // holds probabilities inside [epsilon, 1 − epsilon]
  double scale = 1;       // one unit of the test, in units of the loss; 0 while it is not fixed
};

class Evidence {
 public:
  Evidence(const std::string& metric, size_t classes, const EvidenceOptions& options);

  // From now on: the least gain of a promotion, and the error rate of pairs that are numbered later.
  void SetOptions(const EvidenceOptions& options) { options_ = options; }

  // A change of champion, by whomever: tests begin anew from row `next_row` on.
  void OnChampion(const Roster& roster, uint64_t next_row);

  // A row whose outcome counts for tests, in the order the tests see rows. Returns the decision that it brings about, if any; the caller
  // carries it out and then calls OnChampion.
  std::optional<Decision> Consume(const PendingRow& row, double truth, const Roster& roster, uint64_t next_row);

  // A new model of a lineage on the rows of its evidence bank: means of blocks of the differences of losses (positive: better than the
  // champion), and how many rows there were. Where its pair with the champion has no number yet, they are what it is screened on.
  void ScreenOnBank(uint32_t lineage, const std::vector<double>& block_means, uint64_t rows, uint64_t next_row);

  // An outcome that is no part of the tests, but of what is known about the classes' shares.
  void CountLabel(double truth);

  // Rows consumed so far.
  uint64_t rows() const { return rows_; }

  // Mean loss of the model of day one minus that of what was served, with the width that its blocks give.
  Interval GainSinceDayOne() const { return day_one_.Get(); }
  uint64_t rows_since_day_one() const { return day_one_.rows(); }
  uint64_t pairs() const { return pairs_numbered_; }
  // The open tests, for status: [{"challenger", "pair", "evidence", "alpha", "rows", "gain"}].
  JsonArray OpenTests(const Roster& roster) const;

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);
  // Whether it fits a roster: names only members and lineages that there are. For what was loaded.
  bool Fits(const Roster& roster) const;

 private:
  // Differences of the rows of the current block.
  struct Block {
    uint64_t first = 0;  // rows that had counted when it began
    uint64_t rows = 0;
    double sum = 0;
  };
  // A complete block.
  struct Unit {
    double mean;
    uint64_t rows;
  };
  // What a pair and a watch have in common.
  struct Comparison {
    uint64_t first_row = 0;  // rows predicted from here on count
    PairedLoss loss;
    Block block;
    uint64_t rows = 0;                         // of complete blocks
    BoundedMeanSequence gain;                  // of blocks, in units of loss.scale
    AsymptoticMeanSequence wide;               // of blocks, clipped so far out that only the absurd is cut
    double recent_sum = 0, recent_weight = 0;  // discounted
    uint64_t past_units = 0, past_rows = 0;    // before the scale was fixed
  };
  // (lineage, champion), first screened, then numbered and tested.
  struct Pair : Comparison {
    uint32_t lineage = 0;
    uint64_t number = 0;  // 0 while it is screened
    double alpha = 0;
    EProcess evidence;
    std::vector<double> screen;  // the newest differences, a ring
  };
  // The champion watched against one rival: the former champion, or a safe baseline.
  struct Watch : Comparison {
    uint32_t rival = 0;
    bool guard = false;
    std::vector<double> past_absolute;  // differences before the scale was fixed
    EDetector detector;
  };

  double Epsilon() const;
  double Difference(const double* champion, const double* rival, double truth, double epsilon) const;
  std::optional<Unit> Add(Block* block, const PendingRow& row, double difference) const;
  void FixScale(Comparison* comparison, double mean_absolute) const;
  double Observe(Comparison* comparison, const Unit& unit) const;
  Pair& PairOf(uint32_t lineage);
  void Screen(Pair* pair, const Unit& unit, uint64_t next_row);
  void Judge(Pair* pair, uint64_t units, uint64_t next_row);
  bool WideMeanAgrees(const Comparison& comparison) const;
  bool Promotes(const Pair& pair) const;
  bool Alarmed(Watch* watch, const Unit& unit) const;
  std::optional<Decision> ConsumeWatches(const PendingRow& row, double truth, const Roster& roster);
  std::optional<Decision> ConsumePairs(const PendingRow& row, double truth, const Roster& roster, uint64_t next_row);
  JsonObject PairNumbers(const Pair& pair) const;
  static void Save(const Comparison& comparison, ByteWriter* out);
  static void Load(Comparison* comparison, ByteReader* in);

  RowLoss loss_;
  size_t classes_;
  EvidenceOptions options_;
  uint64_t pairs_numbered_ = 0;
  uint64_t labelled_ = 0;
  uint64_t rows_ = 0;  // consumed
  uint64_t rows_at_champion_ = 0;
  std::vector<uint64_t> class_rows_;
  std::deque<Pair> pairs_;  // addresses stay when one is added
  std::vector<Watch> watches_;
  BlockMeanSequence day_one_;
};

}  // namespace everlearn
