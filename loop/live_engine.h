// The one thread that changes the tasks of a service: takes submitted work in order, commits many pieces at once, and answers after the
// commit.
//
// Submit() and queued() from any thread. A failed commit (disk full, say) answers all its pieces with the error; the tasks are then made
// anew from the ledger, which holds what was committed before.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "ledger/ledger.h"
#include "loop/live_task.h"

namespace everlearn {

// Runs on the engine's thread, before the commit; what it returns is called after it.
using LiveWork = std::function<std::function<void()>()>;

struct LiveEngineOptions {
  // Failures that no caller hears of: a commit of shadow predictions, a task that could not be made anew.
  std::function<void(const std::string&)> log;
  // Each event of a task, after it was committed; on the engine's thread.
  std::function<void(const std::string& task, const std::string& kind, const JsonObject& event)> notice;
  // After each turn, with the tasks as they are; for metrics.
  std::function<void(const LiveTask&)> looked;
};

class LiveEngine {
 public:
  LiveEngine(std::shared_ptr<LedgerStore> store, LiveEngineOptions options);
  ~LiveEngine();  // as Stop()

  // Before Start(). `make` is given what its LiveOptions::notice must be.
  using Notice = std::function<void(const std::string&, const JsonObject&)>;
  LiveTask& Add(const std::string& name, const std::function<std::unique_ptr<LiveTask>(Ledger&, Notice)>& make);
  void Start();
  // Finishes what was submitted, writes checkpoints, ends the thread.
  void Stop();

  // `rows` measure the queue. `fail` is called instead of the work's answer where it throws an Error or its commit fails.
  void Submit(size_t rows, LiveWork work, std::function<void(const Error&)> fail);
  size_t queued() const;  // rows
  LiveTask* Find(const std::string& name) const;
  const std::vector<std::unique_ptr<LiveTask>>& tasks() const { return tasks_; }

 private:
  struct Piece {
    size_t rows;
    LiveWork work;
    std::function<void(const Error&)> fail;
  };
  struct Said {
    std::string task, kind;
    JsonObject event;
  };
  void Run();
  void Turn(std::deque<Piece> pieces);
  bool Commit(std::string* failure);
  void CatchUp(bool idle);
  void Reload();
  std::chrono::milliseconds Patience() const;
  int ShadowShift() const;

  std::shared_ptr<LedgerStore> store_;
  LiveEngineOptions options_;
  std::vector<std::unique_ptr<LiveTask>> tasks_;
  std::vector<Said> said_;
  mutable std::mutex lock_;
  std::condition_variable wake_;
  std::deque<Piece> queue_;
  size_t queued_rows_ = 0;
  bool stopping_ = false;
  double commit_microseconds_ = 0;  // that one takes, of late
  bool damaged_ = false;            // the tasks are ahead of the ledger
  std::thread thread_;
};

}  // namespace everlearn
