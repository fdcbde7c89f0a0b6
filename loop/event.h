// The numbered events of a task's life: everything that earlier events do not determine. What the ledger stores, in order.
//
// Plain values. Predictions are stored with their row, so that evidence can be recomputed without any model.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace everlearn {

constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();
constexpr double kNoInterval = std::numeric_limits<double>::quiet_NaN();

enum class EventKind : uint8_t {
  kRow = 1,      // a row arrived and was predicted (or, before the first models, only remembered)
  kOutcome = 2,  // the true value of an earlier row became known
  kModel = 3,    // a training ended: a model with its hash, or a failure
  // In `run` also:
  kShadow = 4,      // what members besides those that were asked for the answer predicted for a row
  kKnown = 5,       // an outcome that was known before its row was predicted: learnt from, never scored
  kCorrection = 6,  // another value for an outcome that had counted
  kWish = 7,        // of an operator: promote, roll back, pause, resume, configure
  kTick = 8,        // nothing but the time
  kNotice = 9,      // something that concerns the task and changes nothing in its state
};

struct Event {
  EventKind kind = EventKind::kRow;
  int64_t time = kNoTime;  // microseconds since 1970 in UTC; kNoTime where the task has no time

  // All but kModel, kWish, kTick and kNotice: number of the row, from 0 in order of arrival.
  uint64_t row = 0;

  // kRow
  const double* features = nullptr;  // not stored: a replay's source is known by hash, the rows of `run` lie beside the events
  bool history = false;              // before the first models: learnt from, neither predicted nor scored
  std::string row_hash;              // SHA-256 of the row's body, in `run`; empty in `replay`
  uint64_t learnt = 0;               // the last event that the answering models had learnt from, in `run`
  double half_width = kNoInterval;   // of the interval that was answered (regression)
  // kRow, kShadow, kCorrection (nobody where the first outcome was not scored)
  std::vector<uint32_t> members;    // who predicted, the champion first
  std::vector<double> predictions;  // members × outputs; of kModel: on the rows of its evidence bank, rows × outputs,
                                    // or, of the first models, absolute residuals out of fold

  // kOutcome, kKnown, kCorrection: class index or value; and what it was before.
  double truth = 0, old_truth = 0;

  // kWish: what, whom (0: none); kNotice: its kind. `detail` says by whom, or more.
  std::string word;
  uint32_t member = 0;

  // kModel
  uint32_t request = 0;             // number of the training request; 0: the first models
  std::string learner, parameters;  // of the first models: what was chosen
  std::string hash;                 // of the model file; empty where the training failed
  std::string detail;               // JSON: rows, units, or the reason of a failure (also of kWish and kNotice)
};

// Replaces `bytes` by the event's encoding; reads it back (throws kDamaged). A binary prediction is stored as one number.
void EncodeEvent(const Event& event, size_t outputs, bool classification, std::string* bytes);
void DecodeEvent(std::string_view bytes, size_t outputs, bool classification, Event* event);

}  // namespace everlearn
