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

enum class EventKind : uint8_t {
  kRow = 1,      // a row arrived and was predicted (or, before the first models, only remembered)
  kOutcome = 2,  // the true value of an earlier row became known
  kModel = 3,    // a training ended: a model with its hash, or a failure
};

struct Event {
  EventKind kind = EventKind::kRow;
  int64_t time = kNoTime;  // microseconds since 1970 in UTC; kNoTime where the task has no time

  // kRow, kOutcome: number of the row, from 0 in order of arrival.
  uint64_t row = 0;

  // kRow
  const double* features = nullptr;  // not stored in a replay: its source is known by hash
  bool history = false;              // before the first models: learnt from, neither predicted nor scored
  std::vector<uint32_t> members;     // who predicted, the champion first
  std::vector<double> predictions;   // members × outputs

  // kOutcome: class index or value.
  double truth = 0;

  // kModel
  uint32_t request = 0;             // number of the training request; 0: the first models
  std::string learner, parameters;  // of the first models: what was chosen
  std::string hash;                 // of the model file; empty where the training failed
  std::string detail;               // JSON: rows, units, or the reason of a failure
};

// Replaces `bytes` by the event's encoding; reads it back (throws kDamaged). A binary prediction is stored as one number.
void EncodeEvent(const Event& event, size_t outputs, bool classification, std::string* bytes);
void DecodeEvent(std::string_view bytes, size_t outputs, bool classification, Event* event);

}  // namespace everlearn
