#include "loop/source_feed.h"

#include <algorithm>
#include <future>

#include "base/error.h"

namespace everlearn {
namespace {

constexpr const char* kNote = "source";
constexpr size_t kRowsOfACommit = 500;  // requests wait for so many rows at most
constexpr double kLeastPause = 1, kMostPause = 60;
constexpr double kPauseForALook = 4;  // times as long as a look at the source took, so that looking costs a fifth of a core at most
constexpr size_t kLongestShown = 2000;

std::string StoredText(const GrowingSource& source, const std::string& position, uint64_t rows, const JsonObject& told) {
  return ToText(JsonObject{{"kind", source.kind()}, {"position", position}, {"rows", rows}, {"told", told}});
}

}  // namespace

void SourceFeed::KeepPosition(Ledger& ledger, const GrowingSource& source, const std::string& position, uint64_t rows) {
  ledger.PutNote(kNote, 0, StoredText(source, position, rows, {}));
}

SourceFeed::SourceFeed(LiveEngine& engine, LiveTask& task, std::unique_ptr<GrowingSource> source, SourceFeedOptions options)
    : engine_(engine), task_(task), source_(std::move(source)), options_(std::move(options)), rows_(task.first_frame(), options_.outcome) {
  if (const auto note = task.ledger().Note(kNote)) {
    const Json stored = ParseJson(*note, "the position in the source");
    if (TextField(stored, "kind") != source_->kind())
      throw Error(
          ErrorKind::kUsage,
          "the source of the task '" + task.name() + "' was " + TextField(stored, "kind") + ", and cannot become " + source_->kind(),
          "name another task or another ledger");
    position_ = TextField(stored, "position");
    rows_read_ = static_cast<uint64_t>(IntegerField(stored, "rows"));
    const JsonObject& told = Field(stored, "told").as_object();
    if (!told.empty()) rows_.Load(told);
  }
  status_ = {{"source", options_.source}, {"kind", source_->kind()}, {"last_error", nullptr}};
  SetState("waiting");
}

SourceFeed::~SourceFeed() { Stop(); }

void SourceFeed::Start() {
  thread_ = std::thread([this] { Run(); });
}

void SourceFeed::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void SourceFeed::Run() {
  while (!stopping_) {
    if (task_.snapshot() == nullptr) {  // the first models are being trained, and nobody could predict
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      continue;
    }
    const Clock::time_point began = Clock::now();
    try {
      if (Look()) continue;
      failing_seconds_ = 0;
    } catch (const Error& error) {
      TellFailure(error);
    } catch (const std::exception& problem) {
      TellFailure(Error(ErrorKind::kInternal, problem.what()));
    }
    if (source_->ended()) {
      SetState("ended");
      return;
    }
    const double look = std::chrono::duration<double>(Clock::now() - began).count();
    Pause(failing_seconds_ > 0 ? failing_seconds_ : std::clamp(kPauseForALook * look, kLeastPause, kMostPause));
  }
}

bool SourceFeed::Look() {
  GrowthBatch batch;
  std::string position = position_;
  const bool more = source_->Next(kRowsOfACommit, &position, &batch);
  TellRecovery();
  if (more) SetState("reading");
  if ((more || !batch.findings.empty()) && !Commit(batch, position)) return false;
  position_ = std::move(position);
  if (!more) {
    const std::lock_guard guard(lock_);
    at_end_ = Clock::now();
  }
  if (!more) SetState("waiting");
  return more;
}

void SourceFeed::Pause(double seconds) {
  const Clock::time_point until = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  while (!stopping_ && Clock::now() < until)
    if (source_->Wait(std::chrono::milliseconds(100)) && failing_seconds_ == 0) return;
}

// The rows, what was odd about them, and the position behind them, in one commit. False where the service stops.
bool SourceFeed::Commit(const GrowthBatch& batch, const std::string& position) {
  std::vector<JsonObject> changes;
  const auto rows = std::make_shared<const std::vector<SourceRow>>(rows_.Take(batch, &changes));
  const uint64_t read = rows_read_ + batch.rows.rows;
  const std::string stored = StoredText(*source_, position, read, rows_.Save());
  for (const SourceFinding& finding : batch.findings) options_.log(finding.lost ? "error" : "warning", finding.message);
  auto predicted = std::make_shared<uint64_t>(0);
  const auto work = [this, &batch, &changes, rows, stored, predicted] {
    *predicted = 0;
    for (const SourceFinding& finding : batch.findings)
      task_.Note("source", {{"source", options_.source}, {"message", finding.message}, {"rows_lost", finding.lost}});
    for (const JsonObject& change : changes) task_.Note("schema", change);
    for (const SourceRow& row : *rows) *predicted += task_.AddSourceRow(row) ? 1 : 0;
    task_.ledger().PutNote(kNote, 0, stored);
    return [] {};
  };
  while (!Submit(rows->size(), work)) {
    if (stopping_) return false;
    Pause(kLeastPause);
  }
  rows_read_ = read;
  if (options_.predicted) options_.predicted(*predicted);
  return true;
}

// Waits for the engine; false where it was not recorded.
bool SourceFeed::Submit(size_t rows, const LiveWork& work) {
  std::promise<bool> done;
  const auto guarded = [&]() -> std::function<void()> {
    try {
      const std::function<void()> answer = work();
      return [&done, answer] {
        answer();
        done.set_value(true);
      };
    } catch (const Error& error) {
      // Part of it may have been done: for the engine that is no wrong wish without traces.
      throw Error(ErrorKind::kInternal, error.message());
    }
  };
  engine_.Submit(rows, guarded, [&](const Error& error) {
    if (error.kind() != ErrorKind::kInterrupted) options_.log("error", "rows of the source are not recorded: " + error.message());
    done.set_value(false);
  });
  return done.get_future().get();
}

// Once for each failure, however often it is tried again.
void SourceFeed::TellFailure(const Error& error) {
  failing_seconds_ = std::min(kMostPause, std::max(kLeastPause, 2 * failing_seconds_));
  bool known = false;
  {
    const std::lock_guard guard(lock_);
    known = status_["last_error"] == Json(error.message()) && status_["state"] == Json("failing");
    status_["last_error"] = error.message();
  }
  SetState("failing");
  if (known) return;
  options_.log("error", "the source cannot be read: " + error.message());
  Submit(0, [&] {
    task_.Note("source", {{"source", options_.source}, {"message", error.message()}, {"hint", error.hint()}, {"state", "failing"}});
    return [] {};
  });
}

void SourceFeed::TellRecovery() {
  {
    const std::lock_guard guard(lock_);
    if (status_["state"] != Json("failing")) return;
  }
  SetState("waiting");
  options_.log("info", "the source can be read again");
  Submit(0, [&] {
    task_.Note("source", {{"source", options_.source}, {"message", "it can be read again"}, {"state", "reading"}});
    return [] {};
  });
}

void SourceFeed::SetState(const char* state) {
  const std::lock_guard guard(lock_);
  status_["state"] = state;
  status_["rows"] = rows_read_;
  status_["position"] = position_.size() <= kLongestShown ? Json(position_) : Json(nullptr);
  status_["lacking_columns"] = rows_.Lacking();
  status_["rows_without_time"] = rows_.without_time();
}

JsonObject SourceFeed::Status() const {
  const std::lock_guard guard(lock_);
  JsonObject status = status_;
  const bool ended = status["state"] == Json("ended");
  status["lag_seconds"] = ended ? Json(0.0) : Json(std::chrono::duration<double>(Clock::now() - at_end_).count());
  return status;
}

}  // namespace everlearn
