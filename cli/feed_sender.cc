#include "cli/feed_sender.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/resources.h"
#include "base/timestamp.h"
#include "cli/service_target.h"
#include "loop/ledger_rows.h"

namespace everlearn {
namespace {

constexpr double kLook = 0.05;  // seconds between two looks at stop()
constexpr double kAgain = 0.5;  // seconds after which a service that does not answer any more is asked again

void Sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

// Seconds; a date, or nothing, is a second.
double RetryAfter(const HttpAnswer& answer) {
  const std::string text = answer.Header("retry-after");
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return error == std::errc() && end == text.data() + text.size() && seconds >= 0 ? std::max(seconds, kLook) : 1;
}

std::string LabelOf(const Json& prediction) {
  if (prediction.is_string()) return std::string(prediction.get_string());
  return ToText(prediction);
}

class Feeder {
 public:
  Feeder(const FeedPlan& plan, const FeedOptions& options) : plan_(plan), options_(options), steps_(plan.schedule(), options.batch) {
    report_.rows_a_request = options.batch;
  }

  FeedReport Run() {
    std::vector<std::thread> threads;
    for (int i = 0; i < options_.connections; ++i) threads.emplace_back([this] { Work(); });
    for (std::thread& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
    report_.seconds = clock_.Seconds();
    report_.interrupted = options_.stop();
    return report_;
  }

 private:
  void Work() {
    try {
      const std::unique_ptr<HttpClient> client = options_.connect();
      FeedStep step;
      while (Claim(&step)) {
        if (!SleepUntil(Due(step))) break;
        if (step.outcomes) SendOutcomes(*client, step);
        else SendPredictions(*client, step);
      }
    } catch (...) {  // carried to the thread that called
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
    answered_.notify_all();
  }

  bool Stopped() {
    const std::lock_guard lock(mutex_);
    return failure_ != nullptr || options_.stop();
  }

  bool Claim(FeedStep* step) {
    const std::lock_guard lock(mutex_);
    if (failure_ || options_.stop()) return false;
    return steps_.Next(EventNow(), step);
  }

  // Event time by the wall clock; without a speed all of it is past.
  int64_t EventNow() const {
    if (options_.speed == 0) return std::numeric_limits<int64_t>::max();
    const double passed = clock_.Seconds() * options_.speed * static_cast<double>(kMicrosecondsPerSecond);
    return plan_.schedule().time(0) + static_cast<int64_t>(std::min(passed, 4e18));
  }

  // When a step is to be sent, in seconds of the clock.
  double Due(const FeedStep& step) const {
    double due = 0;
    if (options_.speed > 0) {
      const auto event_time = static_cast<double>(step.time - plan_.schedule().time(0));
      due = event_time / static_cast<double>(kMicrosecondsPerSecond) / options_.speed;
    }
    if (options_.rows_a_second > 0 && !step.outcomes) due = std::max(due, static_cast<double>(step.rows_before) / options_.rows_a_second);
    return due;
  }

  // False where it is to stop instead.
  bool SleepUntil(double due) {
    for (double now = clock_.Seconds(); now < due; now = clock_.Seconds()) {
      if (Stopped()) return false;
      Sleep(std::min(due - now, kLook));
    }
    return true;
  }

  // Nothing where it was stopped while the service put it off. A service that has answered before is waited for while it is started anew;
  // the key keeps what is then sent again from counting twice.
  std::optional<HttpAnswer> Post(HttpClient& client, const std::string& target, const std::string& body) {
    const double first = clock_.Seconds();
    const std::string key = "feed-" + HashText(feed_) + "-" + std::to_string(++posts_);
    for (;;) {
      const double sent = clock_.Seconds();
      HttpAnswer answer;
      try {
        answer = client.Send("POST", options_.path + target, body, {{"Content-Type", "application/json"}, {"Idempotency-Key", key}});
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kResource || !HasAnswered() || clock_.Seconds() + kAgain - first > options_.most_wait_seconds) throw;
        if (!SleepUntil(clock_.Seconds() + kAgain)) return std::nullopt;
        continue;
      }
      const double now = clock_.Seconds();
      {
        const std::lock_guard lock(mutex_);
        ++report_.requests;
        ++report_.answers[answer.status];
        if (answer.status == 200 && target == kPredictions) report_.latency.Add(now - sent);
      }
      if (answer.status >= 200 && answer.status < 300) return answer;
      const double wait = RetryAfter(answer);
      const bool put_off = answer.status == 429 || answer.status == 503;
      if (!put_off || now + wait - first > options_.most_wait_seconds) ThrowProblem(answer, options_.path + target);
      if (!SleepUntil(now + wait)) return std::nullopt;
    }
  }

  bool HasAnswered() {
    const std::lock_guard lock(mutex_);
    return report_.rows > 0;
  }

  // The list of that name in the answer, one entry an item.
  static JsonArray Answers(const HttpAnswer& answer, std::string_view name, size_t items) {
    const Json document = ParseJson(answer.body, "the service's answer");
    JsonArray list = ArrayField(document, name);
    if (list.size() != items)
      throw Error(ErrorKind::kInput, "the service answered " + std::to_string(list.size()) + " " + std::string(name) + " for " +
                                         std::to_string(items) + " that were sent");
    return list;
  }

  void SendPredictions(HttpClient& client, const FeedStep& step) {
    const auto answer = Post(client, kPredictions, plan_.PredictionsBody(step.items));
    if (!answer) return;
    const JsonArray predictions = Answers(*answer, "predictions", step.items.size());
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < predictions.size(); ++i) {
      const uint32_t row = plan_.schedule().row(step.items[i]);
      const std::string id = ToText(Field(predictions[i], "id"));
      if (plan_.expects_outcome(row)) ids_[row] = id;
      if (plan_.knows_target(row)) Score(predictions[i].get_object(), row);
    }
    report_.rows += step.items.size();
    options_.progress(report_.rows);
    answered_.notify_all();
  }

  void Score(const JsonObject& answer, uint32_t row) {
    const Json* prediction = answer.if_contains("prediction");
    if (prediction == nullptr || prediction->is_null()) return;
    const bool number = prediction->is_number() && !answer.contains("probabilities");
    if (number) report_.score.AddNumber(prediction->to_number<double>(), plan_.target().Number(row));
    else report_.score.AddLabel(LabelOf(*prediction), plan_.target().Label(row));
  }

  // The ids of a step's rows, forgotten here; waits for those that another connection has asked for. Nothing where it is to stop.
  std::optional<std::vector<std::string>> TakeIds(const FeedStep& step) {
    std::vector<std::string> ids;
    std::unique_lock lock(mutex_);
    for (const size_t item : step.items) {
      const uint32_t row = plan_.schedule().row(item);
      while (ids_.count(row) == 0) {
        if (failure_ || options_.stop()) return std::nullopt;
        answered_.wait_for(lock, std::chrono::duration<double>(kLook));
      }
      ids.push_back(std::move(ids_.extract(row).mapped()));
    }
    return ids;
  }

  void SendOutcomes(HttpClient& client, const FeedStep& step) {
    const auto ids = TakeIds(step);
    if (!ids) return;
    const auto answer = Post(client, kOutcomes, plan_.OutcomesBody(step.items, *ids));
    if (!answer) return;
    const JsonArray outcomes = Answers(*answer, "outcomes", step.items.size());
    const std::lock_guard lock(mutex_);
    for (const Json& outcome : outcomes) ++report_.outcome_statuses[TextField(outcome, "status")];
    report_.outcomes += outcomes.size();
  }

  static constexpr const char* kPredictions = "/predictions";
  static constexpr const char* kOutcomes = "/outcomes";

  const FeedPlan& plan_;
  const FeedOptions& options_;
  const Stopwatch clock_;
  const uint64_t feed_ = SystemRandomBits();  // tells this feed's requests from those of others
  std::atomic<uint64_t> posts_ = 0;
  std::mutex mutex_;  // of all below
  std::condition_variable answered_;
  FeedSteps steps_;
  FeedReport report_;
  std::unordered_map<uint32_t, std::string> ids_;  // as JSON, of rows whose outcome is still to be sent
  std::exception_ptr failure_;
};

}  // namespace

FeedReport RunFeed(const FeedPlan& plan, const FeedOptions& options) { return Feeder(plan, options).Run(); }

}  // namespace everlearn
