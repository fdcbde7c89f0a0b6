// One training of the loop: the search for the first models, or the refit of a lineage, on rows whose outcomes are known.
//
// A pure function of job and data: the same result in a worker process and in this one, on any number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "loop/state.h"

namespace everlearn {

struct LoopState;
struct TrainRequest;

// The rows of a deployment, encoded; shared read-only with workers.
struct EncodedRows {
  size_t classes = 0;
  std::vector<bool> is_category;
  std::span<const double> values;          // rows × features
  std::span<const double> target;          // NaN where there is none
  std::span<const uint64_t> numbers = {};  // of the rows in the loop; empty: 0, 1, …
  size_t features() const { return is_category.size(); }
};

struct TrainingJob {
  std::string learner, parameters;                              // empty learner: search among the candidates
  std::vector<std::pair<std::string, std::string>> candidates;  // learner and parameters
  std::string metric;
  std::vector<uint32_t> rows;   // with a known outcome, in order of time
  std::vector<double> targets;  // of these rows; empty: as the data has them
  std::vector<uint64_t> bank;   // numbers of the rows of an evidence bank; the model to be judged on them is trained without them,
  uint64_t bank_end = 0;        // on the rows before this one
  uint64_t recent_row = 0;      // the rows from this one on may teach more than all do; 0: all
  double units = 0;             // budget: the oldest rows are left out until the learner's declared cost fits; 0: none
  double seconds = 0;           // deadline, where > 0
  std::string frame = {};       // of a task whose rows are read from its ledger (TaskFrame::Encode); empty otherwise
  uint64_t seed = 0;
  int threads = 1;

  std::string Encode() const;
  static TrainingJob Decode(std::string_view bytes);
};

struct TrainingResult {
  std::shared_ptr<const Model> model;  // null where it failed
  std::string learner, parameters;
  std::string failure;            // the reason, where it failed
  uint64_t rows = 0;              // that were trained on
  double units = 0;               // declared cost
  JsonArray leaderboard;          // of a search
  std::vector<double> bank;       // predictions for the rows of the bank, rows × outputs
  std::vector<double> residuals;  // of a search, regression: absolute out-of-fold errors of its best
  uint64_t since_row = 0;         // trained on the rows from this one on only
  double cpu_seconds = 0;

  std::string Encode() const;
  // Throws kDamaged.
  static TrainingResult Decode(std::string_view bytes);
};

// Learner and parameters of who competes to be the model of day one: the batch learners of the roster, or, where none was named, the quick
// ones.
std::vector<std::pair<std::string, std::string>> FirstCandidates(const LoopState& state);

// What a request says about evidence bank and window.
void SetBank(const TrainRequest& request, TrainingJob* job);

// Never throws for a failed training: that is a result.
TrainingResult RunTraining(const TrainingJob& job, const EncodedRows& data);

}  // namespace everlearn
