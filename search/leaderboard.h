// What a search tried and how good it was: one row a candidate, failures among them.
//
// Plain values, safe to share read-only.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/json.h"

namespace everlearn {

enum class TrialStatus { kOk, kStopped, kFailed };
std::string_view TrialStatusName(TrialStatus status);  // "ok", "stopped", "failed"

struct LeaderboardRow {
  size_t candidate = 0;  // its place in the list of candidates
  std::string name;
  std::string learner;
  JsonObject parameters;
  double value = std::numeric_limits<double>::quiet_NaN();           // mean of the metric over the folds
  double standard_error = std::numeric_limits<double>::quiet_NaN();  // standard deviation over the folds / √folds
  double fit_seconds = 0;                                            // mean of one fit
  double predict_seconds_per_row = 0;
  TrialStatus status = TrialStatus::kOk;
  std::string reason;  // why it stopped or failed
  // Out-of-fold predictions, rows × outputs, NaN in rows that no fold validates; empty unless asked for.
  std::vector<double> predictions;
};

struct Leaderboard {
  std::string metric;
  bool higher_is_better = false;
  std::vector<LeaderboardRow> rows;

  // Best first; rows without a value behind those with one; equal ones in the order of their candidates.
  void Sort();
};

// In the form of interface.md's `fit`; NaN is null.
JsonObject ToJson(const LeaderboardRow& row);
JsonArray ToJson(const Leaderboard& board);

}  // namespace everlearn
