#include "server/webhook.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "server/http_client.h"
#include "server/url.h"

namespace everlearn {
namespace {

using std::chrono::milliseconds;
constexpr size_t kMostWaiting = 1000;
constexpr int kAttempts = 3;
constexpr milliseconds kFirstPause{200};
constexpr double kTimeoutSeconds = 2;

class HttpWebhook : public Webhook {
 public:
  HttpWebhook(const std::string& url, std::function<void(const std::string&)> log)
      : url_(url),
        target_(ParseUrl(url) && ParseUrl(url)->path.empty() ? "/" : ""),
        client_(HttpClient::Make(url, {.timeout_seconds = kTimeoutSeconds})),
        log_(std::move(log)),
        thread_([this] { Run(); }) {}

  ~HttpWebhook() override {
    {
      const std::lock_guard guard(lock_);
      stopping_ = true;
      stop_at_ = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    }
    wake_.notify_one();
    thread_.join();
  }

  void Send(const JsonObject& message) override {
    const std::lock_guard guard(lock_);
    if (waiting_.size() == kMostWaiting) {
      waiting_.pop_front();
      log_("the webhook is too slow: an event was dropped");
    }
    waiting_.push_back(ToText(message));
    wake_.notify_one();
  }

 private:
  bool Late() const { return stopping_ && std::chrono::steady_clock::now() > stop_at_; }

  void Run() {
    std::unique_lock guard(lock_);
    for (;;) {
      wake_.wait(guard, [&] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty() || Late()) return;
      const std::string message = std::move(waiting_.front());
      waiting_.pop_front();
      guard.unlock();
      Deliver(message);
      guard.lock();
    }
  }

  void Deliver(const std::string& message) {
    milliseconds pause = kFirstPause;
    for (int attempt = 1;; ++attempt, pause *= 4) {
      std::string problem;
      try {
        const HttpAnswer answer = client_->Send("POST", target_, message, {{"Content-Type", "application/json"}});
        if (answer.status < 300) return;
        problem = "it answered " + std::to_string(answer.status);
      } catch (const Error& error) {
        problem = error.message();
      }
      if (attempt == kAttempts) {
        log_("an event could not be sent to " + url_ + ": " + problem);
        return;
      }
      std::this_thread::sleep_for(pause);
    }
  }

  std::string url_, target_;
  std::unique_ptr<HttpClient> client_;
  std::function<void(const std::string&)> log_;
  std::mutex lock_;
  std::condition_variable wake_;
  std::deque<std::string> waiting_;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point stop_at_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Webhook> Webhook::Start(const std::string& url, std::function<void(const std::string&)> log) {
  return std::make_unique<HttpWebhook>(url, std::move(log));
}

}  // namespace everlearn
