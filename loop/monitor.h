// Watches a served task: the loss that is to be expected while outcomes are late, and the drift of its inputs.
//
// Part of the state, changed by Step alone; it decides nothing. What only has stored predictions to go by (recomputing) has no features:
// the drift then stands still, and so does the estimated loss of a regression. One thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "guard/drift_tracker.h"
#include "loop/loss_estimate.h"
#include "loop/pending.h"

namespace everlearn {

constexpr size_t kDriftColumns = 20;  // that are shown: those with the largest effect

class Monitor {
 public:
  // `columns`: names of the features; where there are fewer, a feature goes by its number.
  Monitor(const std::string& metric, size_t classes, const std::vector<bool>& is_category, std::vector<std::string> columns);

  // A row was predicted, or remembered as history: its estimates are written into it. Returns the details of the alarms that it completes:
  // of a column, of the whole table (column null).
  std::vector<JsonObject> OnRow(PendingRow* row, uint32_t champion);
  // A served row's outcome and its loss; `counted` as of BlockMeanSequence.
  void OnOutcome(const PendingRow& row, double truth, double loss, uint64_t counted);
  // An outcome that was known before the prediction, so that it is not scored.
  void OnKnown(const PendingRow& row) { estimate_.OnWithdrawn(row); }
  // Takes an erased row's values out; true where there were some.
  bool Forget(uint64_t row) { return drift_.Forget(row); }

  EstimatedLoss Estimated() const { return estimate_.Get(); }
  Json EstimatedJson() const;
  // Columns by their estimated effect on the loss, at most so many; none before the first window.
  JsonArray DriftJson(size_t most) const;
  // The same columns with their Jensen–Shannon distance.
  std::vector<std::pair<std::string, double>> Distances(size_t most) const;
  const DriftTracker& drift() const { return drift_; }
  std::string ColumnName(size_t column) const;

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  JsonObject ColumnJson(size_t column) const;

  size_t features_;
  std::vector<std::string> columns_;
  LossEstimate estimate_;
  DriftTracker drift_;
  uint32_t champion_ = 0;
  bool served_ = false;  // a row that is no history came
};

}  // namespace everlearn
