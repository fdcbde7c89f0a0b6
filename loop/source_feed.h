// Takes what a growing source brings into a served task: reads it on a thread of its own, hands the rows to the engine, and commits with
// them how far the source was read, so that each row counts exactly once whatever happens.
//
// Made before the engine starts, on the thread that made the task; Status() on any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "data/growing_source.h"
#include "loop/live_engine.h"
#include "loop/source_rows.h"

namespace everlearn {

struct SourceFeedOptions {
  std::string source;  // as the user named it
  SourceOutcome outcome;
  std::function<void(const char* level, const std::string& message)> log;
  std::function<void(uint64_t rows)> predicted;  // after each commit
};

class SourceFeed {
 public:
  // Keeps the position of a history that was read, to be committed with its rows.
  static void KeepPosition(Ledger& ledger, const GrowingSource& source, const std::string& position, uint64_t rows);

  // Goes on from the position that the ledger has; from the beginning where it has none. Throws kUsage where the position is that of
  // another kind of source.
  SourceFeed(LiveEngine& engine, LiveTask& task, std::unique_ptr<GrowingSource> source, SourceFeedOptions options);
  ~SourceFeed();  // as Stop()
  const LiveTask& task() const { return task_; }

  // After the engine's Start().
  void Start();
  // Before the engine's Stop().
  void Stop();

  // {"source", "kind", "state": "reading" | "waiting" | "failing" | "ended", "rows", "position", "last_error", "lag_seconds",
  // "lacking_columns", "rows_without_time"}. The lag is the time since the source was last seen read to its end.
  JsonObject Status() const;

 private:
  using Clock = std::chrono::steady_clock;
  void Run();
  // Whether there may be more at once.
  bool Look();
  void Pause(double seconds);
  bool Commit(const GrowthBatch& batch, const std::string& position);
  bool Submit(size_t rows, const LiveWork& work);
  void TellFailure(const Error& error);
  void TellRecovery();
  void SetState(const char* state);

  LiveEngine& engine_;
  LiveTask& task_;
  std::unique_ptr<GrowingSource> source_;
  SourceFeedOptions options_;
  SourceRows rows_;
  std::string position_;
  uint64_t rows_read_ = 0;
  double failing_seconds_ = 0;  // until the next try
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
  mutable std::mutex lock_;  // of what Status() tells
  JsonObject status_;
  Clock::time_point at_end_ = Clock::now();
};

}  // namespace everlearn
