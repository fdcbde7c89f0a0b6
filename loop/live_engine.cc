#include "loop/live_engine.h"

#include <algorithm>
#include <chrono>
#include <exception>

namespace everlearn {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kBusyWait{10}, kIdleWait{100};
constexpr milliseconds kRetryWait{500};  // before a ledger that failed is tried again
constexpr size_t kRowsOfATurn = 4096;
constexpr size_t kRowsWithAllShadows = 2048;  // beyond so many waiting rows, shadows score a sample
// Shadows score so long, then requests have their turn again: the less that commits cost, since requests that come meanwhile share the
// next.
constexpr double kLeastShadowMicroseconds = 250, kMostShadowMicroseconds = 1000, kShadowsOfACommit = 0.25;
constexpr double kForgetting = 0.125;

}  // namespace

LiveEngine::LiveEngine(std::shared_ptr<LedgerStore> store, LiveEngineOptions options)
    : store_(std::move(store)), options_(std::move(options)) {}

LiveEngine::~LiveEngine() { Stop(); }

LiveTask& LiveEngine::Add(const std::string& name, const std::function<std::unique_ptr<LiveTask>(Ledger&, Notice)>& make) {
  return *tasks_.emplace_back(make(store_->Open(name), [this, name](const std::string& kind, const JsonObject& event) {
    said_.push_back({name, kind, event});
  }));
}

LiveTask* LiveEngine::Find(const std::string& name) const {
  for (const auto& task : tasks_)
    if (task->name() == name) return task.get();
  return nullptr;
}

void LiveEngine::Start() {
  thread_ = std::thread([this] { Run(); });
}

void LiveEngine::Stop() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LiveEngine::Submit(size_t rows, LiveWork work, std::function<void(const Error&)> fail) {
  {
    const std::lock_guard guard(lock_);
    if (!stopping_) {
      queue_.push_back({rows, std::move(work), std::move(fail)});
      queued_rows_ += rows;
      wake_.notify_one();
      return;
    }
  }
  fail(Error(ErrorKind::kInterrupted, "the service is stopping"));
}

size_t LiveEngine::queued() const {
  const std::lock_guard guard(lock_);
  return queued_rows_;
}

// How long a turn waits for work.
milliseconds LiveEngine::Patience() const {
  bool busy = damaged_;
  for (const auto& task : tasks_) {
    if (task->unscored() > 0 && !damaged_) return milliseconds(0);
    busy = busy || task->training() || (task->snapshot() != nullptr && task->snapshot()->learns());
  }
  return busy ? kBusyWait : kIdleWait;
}

int LiveEngine::ShadowShift() const {
  int shift = 0;
  size_t waiting = queued();
  for (const auto& task : tasks_) waiting += task->unscored();
  for (size_t rows = waiting; rows > kRowsWithAllShadows && shift < 8; rows /= 2) ++shift;
  return shift;
}

void LiveEngine::Run() {
  for (;;) {
    std::deque<Piece> pieces;
    {
      std::unique_lock guard(lock_);
      wake_.wait_for(guard, Patience(), [&] { return stopping_ || !queue_.empty(); });
      for (size_t rows = 0; !queue_.empty() && rows < kRowsOfATurn; queue_.pop_front()) {
        rows += queue_.front().rows;
        queued_rows_ -= queue_.front().rows;
        pieces.push_back(std::move(queue_.front()));
      }
      if (stopping_ && pieces.empty() && queue_.empty()) break;
    }
    if (damaged_) Reload();
    if (damaged_) {
      for (Piece& piece : pieces) piece.fail(Error(ErrorKind::kResource, "the ledger cannot be written at present"));
      std::this_thread::sleep_for(kRetryWait);
      continue;
    }
    const bool idle = pieces.empty();
    Turn(std::move(pieces));
    CatchUp(idle);
  }
  if (damaged_) Reload();  // a checkpoint of what the ledger does not hold would be worse than none
  if (damaged_) return;
  try {
    for (const auto& task : tasks_) {
      task->CatchUp(0);
      task->Checkpoint();
    }
    store_->Commit();
  } catch (const std::exception& problem) {
    options_.log(std::string("the last checkpoint could not be written: ") + problem.what());
  }
}

bool LiveEngine::Commit(std::string* failure) {
  const auto began = std::chrono::steady_clock::now();
  try {
    store_->Commit();
  } catch (const Error& error) {
    *failure = error.message();
    damaged_ = true;
    said_.clear();
    return false;
  }
  const double took = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began).count();
  commit_microseconds_ += kForgetting * (took - commit_microseconds_);
  for (const Said& said : said_) options_.notice(said.task, said.kind, said.event);
  said_.clear();
  return true;
}

void LiveEngine::Turn(std::deque<Piece> pieces) {
  if (pieces.empty()) return;
  std::vector<std::function<void()>> answers(pieces.size());
  std::string failure;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (damaged_) break;
    try {
      answers[i] = pieces[i].work();
      continue;
    } catch (const Error& error) {
      // Wrong wishes leave no trace; anything else may have stopped between state and ledger.
      const bool harmless = error.kind() == ErrorKind::kInput || error.kind() == ErrorKind::kUsage || error.kind() == ErrorKind::kNotFound;
      if (!harmless) {
        damaged_ = true;
        failure = error.message();
        break;
      }
      answers[i] = [fail = pieces[i].fail, error] { fail(error); };
    } catch (const std::exception& problem) {
      damaged_ = true;
      failure = problem.what();
    }
  }
  if (!damaged_ && Commit(&failure)) {
    for (const auto& answer : answers) answer();
    return;
  }
  said_.clear();
  for (Piece& piece : pieces) piece.fail(Error(ErrorKind::kResource, "nothing was recorded: " + failure));
}

// What it records becomes durable with the next turn's commit, or when there is none.
void LiveEngine::CatchUp(bool idle) {
  if (damaged_) return;
  std::string failure;
  try {
    const double shadows = std::clamp(kShadowsOfACommit * commit_microseconds_, kLeastShadowMicroseconds, kMostShadowMicroseconds);
    bool done = true;
    for (const auto& task : tasks_) {
      task->CatchUp(ShadowShift(), static_cast<int64_t>(shadows));
      done = done && task->unscored() == 0;
    }
    if (idle && done && !Commit(&failure)) options_.log("not recorded: " + failure);
  } catch (const std::exception& problem) {
    damaged_ = true;
    said_.clear();
    options_.log(std::string("not recorded: ") + problem.what());
  }
  for (const auto& task : tasks_) options_.looked(*task);
}

void LiveEngine::Reload() {
  try {
    store_->Rollback();
    for (const auto& task : tasks_) task->Reload();
    damaged_ = false;
  } catch (const std::exception& problem) {
    options_.log(std::string("the ledger cannot be read: ") + problem.what());
  }
}

}  // namespace everlearn
