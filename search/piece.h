// A piece of a trial: one candidate fitted on the train part of one fold and measured on its validation part. What workers do, and what
// they are told and answer.
//
// Plain values and pure functions, safe from any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "data/folds.h"
#include "learner/learner.h"
#include "search/leaderboard.h"

namespace everlearn {

// What all pieces of a search share; a worker is told once.
struct SearchPlan {
  std::string metric;
  std::vector<Fold> folds;
  std::vector<int8_t> monotone;  // as FitOptions::monotone
  uint64_t memory_bytes = 0;     // that a worker may allocate; 0: no limit
  int64_t parent = 0;            // process that the worker ends with

  std::string Encode() const;
  static SearchPlan Decode(std::string_view bytes);
};

constexpr uint32_t kAllRows = std::numeric_limits<uint32_t>::max();

struct PieceRequest {
  uint64_t number = 0;  // given back with the result
  std::string learner, parameters;
  uint32_t fold = 0;  // kAllRows: fitted on all rows and measured on none
  uint64_t seed = 0;
  uint64_t train_rows = 0;  // so many of the fold's training rows, drawn by the seed; 0: all
  int64_t rounds = 0;       // as FitOptions::rounds
  double seconds = 0;       // an iterative learner ends with the best so far after so long; 0: no limit

  std::string Encode() const;
  static PieceRequest Decode(std::string_view bytes);
};

struct PieceResult {
  uint64_t number = 0;
  TrialStatus status = TrialStatus::kOk;
  std::string reason;                                             // why it failed
  double value = std::numeric_limits<double>::quiet_NaN();        // the metric on the validation rows; NaN where it is not defined
  double train_value = std::numeric_limits<double>::quiet_NaN();  // and on (a sample of) the training rows
  double fit_seconds = 0;
  double predict_seconds = 0;
  int64_t rounds = -1;              // of the model, where its learner makes rounds; 0: nothing that could be made again
  bool cut = false;                 // its limit of seconds ended the fit
  std::vector<double> predictions;  // validation rows × outputs
  std::string model;                // ModelBytes

  double seconds() const { return fit_seconds + predict_seconds; }
  std::string Encode() const;
  static PieceResult Decode(std::string_view bytes);
};

// Never throws for what goes wrong in the fit: that is a failed result.
PieceResult RunPiece(const SearchPlan& plan, const Dataset& data, const PieceRequest& request);

}  // namespace everlearn
