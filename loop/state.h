// The state of the loop: everything Step needs and changes, and its checkpoint.
//
// One thread. A state is made from LoopOptions alone; from there on only events change it, so equal events give equal states.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "loop/blend.h"
#include "loop/error_watch.h"
#include "loop/evidence.h"
#include "loop/evidence_bank.h"
#include "loop/lags.h"
#include "loop/loss_alarm.h"
#include "loop/monitor.h"
#include "loop/pending.h"
#include "loop/roster.h"
#include "statistics/quantile_tracker.h"

namespace everlearn {

enum class RetrainRule : uint8_t { kAuto, kNever, kEveryTime, kEveryRows };
// What the loop does with a decision: nothing, say it and wait for a person, carry it out.
enum class Autonomy : uint8_t { kObserve, kSuggest, kAct };

struct LoopOptions {
  std::string metric;
  size_t classes = 0;                             // 0: regression
  std::vector<bool> is_category;                  // one a feature
  std::vector<std::string> columns;               // names of the features, for people; may be missing
  std::vector<std::string> detectors;             // drift detectors over the errors of what is served
  std::vector<std::string> roster;                // learners, and "blend"; empty: the default roster
  std::map<std::string, std::string> parameters;  // JSON, by learner
  bool quick_roster = false;                      // the default roster of a service: members that are small and quick
  bool lags = true;                               // false: no-change is reported, but neither blended, nor served, nor a guard
  size_t lag_features = 0;                        // the last so many features are lags (loop/lags.h), which Step fills in
  bool history = false;                           // rows come before the first models, which a search then chooses
  EvidenceOptions evidence;
  int64_t window_time = 0;            // microseconds after the prediction in which an outcome counts; 0: for ever
  uint64_t window_rows = 0;           // the same in rows
  double missing_outcome = kMissing;  // the value that silence means; NaN: none
  Autonomy autonomy = Autonomy::kAct;
  RetrainRule retrain = RetrainRule::kAuto;
  int64_t retrain_every = 0;          // microseconds or rows
  uint64_t most_waiting = 1'000'000;  // rows that are kept for an outcome beyond the usual; older ones are given up
  double budget_units = 2000;
  double budget_seconds = 0;  // a deadline instead of units, where > 0
  double row_units = 0;       // work a row that online members may cost (loop/router.h), and trainings half as much; 0: no limit
  uint64_t seed = 0;

  size_t outputs() const { return classes == 0 ? 1 : classes; }
  std::vector<bool> own_features() const;  // is_category of those that are no lags
  bool IsOutcome(double truth) const;      // a class, or a finite value
  bool has_window() const { return window_time > 0 || window_rows > 0; }
  Json ToJson() const;
  // Throws kDamaged where a value is of the wrong type or out of its range.
  static LoopOptions FromJson(const Json& json);
  // What may become another value while the task lives, by the names in ToJson(): an event says so, and checkpoints carry it.
  static const std::vector<std::string>& Changeable();
  // A copy with other values. Throws kDamaged for a name that is not changeable, or a value out of its range.
  LoopOptions With(const JsonObject& values) const;
};

// A training that the driver shall run; its result comes back as an event.
struct TrainRequest {
  uint32_t number = 0;
  uint32_t lineage = 0;  // 0: the search for the first models
  std::string learner, parameters;
  uint64_t outcomes = 0;       // train on the rows of the first so many outcomes
  uint64_t first_waiting = 0;  // and, where silence means a value, on those before this row whose outcome never came
  std::vector<BankRow> bank;   // kept out of a first fit, which is scored on them; empty: none
  uint64_t recent_row = 0;     // trains on the rows from this one on only, where that is better; 0: on all
  double units = 0;            // budget
  double seconds = 0;          // deadline instead, where > 0
  int64_t due = kNoTime;       // time of the event that brings the result; kNoTime: before the next row
};

struct LoopState {
  explicit LoopState(LoopOptions options);

  LoopOptions options;
  RowLoss loss;
  Roster roster;
  Blend blend;
  Evidence evidence;
  EvidenceBank bank;
  LossAlarm alarm;  // of what is served
  ErrorWatch watch;
  PendingRows pending;
  std::vector<TrainRequest> requests;  // running
  std::vector<uint32_t> speakers;      // members that predict, the champion first; follows from the roster
  uint64_t events = 0, outcomes = 0, predicted = 0, decisions = 0;
  uint32_t requests_made = 0;
  uint64_t next_retrain = 0;  // outcomes at which the next scheduled retraining begins
  uint64_t recent_row = 0;    // where the change began that the last alarm was about; 0: none
  uint32_t patience = 1;      // the schedule is so many times slower, since retraining gained nothing
  uint64_t judged_at = 0;     // outcomes at the newest retraining of which it is known what it gained
  int64_t retrained_at = kNoTime;
  int64_t now = kNoTime;
  double last_outcome = kMissing;
  Lags lags;
  RunningScore served;
  BlockMeanSequence served_loss;
  QuantileTracker interval;  // of the served answers' absolute errors; regression
  Monitor monitor;
  bool paused = false;     // by a person: no trainings, no decisions
  uint32_t suggested = 0;  // member whose promotion waits for a person; 0: none

  // The driver's own, carried along in checkpoints.
  std::string driver;

  // Seconds of CPU, to sample what each member costs; null: not measured. It never influences the state's other parts.
  double (*cpu_clock)() = nullptr;

  // Other options from now on; throws as LoopOptions::With.
  void Change(const JsonObject& values);
  // Adds a member of a lineage; the newest of it from now on.
  Member& AddMember(uint32_t lineage, std::string name);
  // The champion first, then the others by number.
  void UpdateSpeakers();
  // Of the rows as a lineage sees them; the lags, which come last, may be cut off.
  StreamShape ShapeFor(const Lineage& lineage) const {
    return {lineage.sees_lags ? options.is_category : options.own_features(), options.classes};
  }

  std::string Save() const;
  // All but the waiting rows, of which pending.SavePart() then gives the parts; `place` says where they will lie.
  std::string SaveWithoutRows(uint32_t place);
  using ModelOf = std::function<std::shared_ptr<const Model>(const std::string& hash)>;
  using PartOf = std::function<std::string(uint32_t place, uint64_t event, uint32_t part, bool* more)>;
  // Models are fetched by hash; a null `model_of` leaves them out (events are then only recomputed). `part_of` fetches the parts of the
  // rows where they lie elsewhere. Throws kDamaged.
  void Load(const std::string& bytes, const ModelOf& model_of, const PartOf& part_of = nullptr);
  // Of the checkpoint that was loaded or saved last; kWhole where it had its rows in it.
  uint32_t rows_place() const { return rows_place_; }
  static constexpr uint32_t kWhole = UINT32_MAX;

 private:
  std::string SaveAll(uint32_t place) const;
  uint32_t rows_place_ = kWhole;
  void LoadMembers(ByteReader* in, const ModelOf& model_of);
  void LoadChangeable(const std::string& text);
  void CheckNumbers() const;  // that members and lineages which are named exist; throws kDamaged
};

}  // namespace everlearn
