// A task that is served: state, ledger, trainings and the snapshot that answers. The driver of `run`, as replay.cc is of `replay`.
//
// One thread (the engine's) but for snapshot(). What is recorded is durable after the store's Commit(), which the engine does for all tasks
// at once; after an Error of the ledger the task must be made anew from it.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "loop/checkpoint.h"
#include "loop/due_outcomes.h"
#include "loop/recorder.h"
#include "loop/snapshot.h"
#include "loop/trainer.h"

namespace everlearn {

// A row that was answered and waits to be recorded.
struct AnsweredRow {
  std::vector<double> features;
  bool unseen = false;              // it has a category that the snapshot did not know
  std::string text;                 // the row as JSON
  uint64_t key = 0;                 // RowEncoder::Key
  int64_t time = kNoTime;           // of the row; kNoTime: now
  uint64_t learnt = 0;              // Snapshot::learnt
  double half_width = kNoInterval;  // Snapshot::half_width
  std::vector<uint32_t> members;
  std::vector<double> predictions;
};

// A row that the task's source has brought.
struct SourceRow {
  JsonObject row;           // without the target and the time of the outcome; every value fits its column
  uint64_t key = 0;         // RowEncoder::Key
  int64_t time = kNoTime;   // of the row; kNoTime: now
  double truth = kMissing;  // NaN: none yet
  int64_t due = kNoTime;    // when the outcome is known; kNoTime: `after` the row's time
  int64_t after = 0;        // microseconds
};

enum class OutcomeStatus { kJoined, kDuplicate, kCorrected, kUnknown, kEarly };
std::string_view OutcomeStatusName(OutcomeStatus status);

struct LiveOptions {
  int threads = 1;
  double longest_training_seconds = 3600;                                  // then the worker is killed
  uint64_t checkpoint_events = 20'000;                                     // between two checkpoints, at least
  size_t checkpoint_bytes = 65'536;                                        // of a checkpoint's rows, written with one commit
  std::function<int64_t()> clock;                                          // microseconds since 1970
  std::function<void(const std::string& kind, const JsonObject&)> notice;  // each event of the task, once it is recorded
  std::function<void(OutcomeStatus)> source_outcome;                       // each outcome that the source brought, when it was applied
};

class LiveTask {
 public:
  // What makes a new task; its ledger must be empty. `options` are LoopOptions with history set when rows of history will follow.
  static void Create(Ledger& ledger, const TaskFrame& frame, const LoopOptions& options);

  // Goes on from the ledger. `trainer` reads the rows from the same ledger.
  LiveTask(std::string name, Ledger& ledger, std::unique_ptr<Trainer> trainer, LiveOptions options);

  const std::string& name() const { return name_; }
  const LoopState& state() const { return *state_; }
  const TaskFrame& frame() const { return frame_; }
  Ledger& ledger() const { return ledger_; }

  // Of the frame as the task was made: what key, time and outcome are never changes. Any thread.
  const RowEncoder& encoder() const { return *encoder_; }
  const TaskFrame& first_frame() const { return first_frame_; }

  // Null until there is a champion. Any thread.
  std::shared_ptr<const Snapshot> snapshot() const;

  // A row of the past with its outcome (NaN: none).
  void AddHistory(const JsonObject& row, double truth);
  // The search for the first models begins; until it has ended there is no champion.
  void EndHistory();

  // Whether a text has the form of a prediction's id.
  static bool LooksLikeId(const std::string& text);
  // Returns the prediction's id.
  std::string AddRow(const AnsweredRow& row);
  // A row of the source: after the outcomes that were due before it, all members predict it; where its key has been predicted before (asked
  // for by a request, or without its outcome yet), it only brings the outcome. An outcome that is due later waits for the task's clock; one
  // that is dated before its own row is learnt from and never scored. Returns whether it was predicted. There must be a champion.
  bool AddSourceRow(const SourceRow& row);
  size_t waiting_outcomes() const { return due_.size(); }

  // `time` kNoTime: now.
  OutcomeStatus AddOutcome(const std::string& id, double truth, int64_t time);
  OutcomeStatus AddOutcomeByKey(uint64_t key, double truth, int64_t time);

  // "promote" (a member by its name), "rollback", "pause", "resume". Throws kNotFound (no such member) and kUsage (it cannot serve).
  void Wish(const std::string& word, const std::string& member, const std::string& by);
  // Other options from now on, by their names in LoopOptions::ToJson(); `changes` says it in words. Throws kDamaged as LoopOptions::With.
  void Configure(const JsonObject& options, const std::vector<std::string>& changes);
  void Note(const std::string& kind, const JsonObject& detail);

  // What need not be waited for: shadow predictions, trainings that ended, a newer snapshot, a piece of a checkpoint. Shadows score one row
  // in 2^`shadow_shift`, drawn by the hash of the prediction's id, for about so long; what is left then is for the next call.
  void CatchUp(int shadow_shift, int64_t shadow_microseconds = std::numeric_limits<int64_t>::max());
  size_t unscored() const { return unscored_.size(); }  // rows that shadows may still have to score
  // The answer to a request that is sent again within a day; `name` is the request's.
  std::optional<std::string> Reply(const std::string& name) const;
  void KeepReply(const std::string& name, const std::string& value);

  // Whether CatchUp has something to wait for.
  bool training() const { return !running_.empty(); }
  void Checkpoint();
  // The task as the ledger has it; trainings begin again.
  void Reload();

 private:
  struct Running {
    int64_t started;
    TrainRequest request;
    std::string failure;  // the reason, where no worker could be started
  };
  int64_t Now(int64_t time) const;
  void Restore();
  uint64_t Record(Event* event, bool given = false);
  void Begin(const TrainRequest& request);
  void TakeTrainings();
  void ScoreShadows(int shift, int64_t microseconds);
  void Publish(bool now, const Snapshot* before);
  void BeginCheckpoint();
  bool ParseId(const std::string& id, uint64_t* row) const;
  std::string IdOf(uint64_t row) const;
  uint64_t PredictSourceRow(const SourceRow& row, int64_t time);
  bool TakeEarlyOutcome(uint64_t row, uint64_t key);
  void PutEarlyNote(uint64_t key, double truth);
  void AddKnown(uint64_t row, double truth);
  void ApplyDueOutcomes(int64_t now);
  OutcomeStatus AddOutcomeOfRow(uint64_t row, double truth, int64_t time);
  Event Stored(uint64_t number) const;  // an event of the ledger
  OutcomeStatus Correct(const LedgerOutcome& before, double truth, int64_t time);

  std::string name_;
  Ledger& ledger_;
  std::unique_ptr<Trainer> trainer_;
  LiveOptions options_;
  TaskFrame frame_;                            // dictionaries grow with the rows
  std::unique_ptr<const RowEncoder> growing_;  // of frame_
  TaskFrame first_frame_;                      // as it was made
  std::unique_ptr<const RowEncoder> encoder_;
  uint64_t secret_ = 0;
  std::unique_ptr<LoopState> state_;
  std::unique_ptr<Recorder> recorder_;
  CheckpointWriter checkpoint_;
  DueOutcomes due_;
  std::map<uint32_t, Running> running_;
  std::deque<uint64_t> unscored_;  // rows that shadows have not scored, the oldest first
  Event event_;
  mutable std::mutex snapshot_lock_;
  std::shared_ptr<const Snapshot> snapshot_;
  uint64_t published_outcomes_ = 0, checkpointed_events_ = 0;
  int64_t published_at_ = 0, tidied_at_ = 0;
  int64_t snapshot_cost_ = 0;  // of the last one, in microseconds
  bool roster_changed_ = true;
};

}  // namespace everlearn
