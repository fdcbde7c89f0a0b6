#include "server/service.h"

#include <chrono>
#include <cstdio>
#include <mutex>

#include "base/timestamp.h"
#include "server/api.h"
#include "server/service_metrics.h"
#include "server/webhook.h"

namespace everlearn {
namespace {

constexpr double kStopSeconds = 10;
constexpr int kServerError = 500;

int64_t WallClock() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

void LogLine(const char* level, const std::string& message, const JsonObject& members) {
  JsonObject line{{"time", TimestampText(WallClock())}, {"level", level}, {"message", message}};
  for (const auto& [name, value] : members) line[name] = value;
  const std::string text = ToText(line) + "\n";
  static std::mutex lock;
  const std::lock_guard guard(lock);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

struct Service::Parts {
  Parts(std::shared_ptr<LedgerStore> store, ServiceOptions given)
      : options(std::move(given)),
        metrics(options.version),
        engine(std::move(store),
               {.log = [](const std::string& message) { LogLine("error", message); },
                .notice = [this](const std::string& task, const std::string& kind, const JsonObject& event) { OnEvent(task, kind, event); },
                .looked = [this](const LiveTask& task) { OnLook(task); }}),
        api(engine, metrics,
            {.ledger = options.ledger,
             .version = options.version,
             .outcome_times = options.outcome_times,
             .source_status = [this](const std::string& task) { return SourceStatus(task); }}) {}

  Json SourceStatus(const std::string& task) const {
    for (const auto& feed : feeds)
      if (feed->task().name() == task) return feed->Status();
    return nullptr;
  }

  void OnEvent(const std::string& task, const std::string& kind, const JsonObject& event) {
    metrics.AddEvent(task, kind);
    if (kind == "failed") metrics.AddWorkerRestart();
    JsonObject message{{"task", task}};
    for (const auto& [name, value] : event) message[name] = value;
    JsonObject logged = message;
    if (JsonObject* detail = logged["detail"].if_object()) detail->erase("leaderboard");
    LogLine("info", kind, {{"event", logged}});
    if (webhook) webhook->Send(message);
  }

  void OnLook(const LiveTask& task) {
    constexpr std::chrono::milliseconds kApart{250};
    const auto now = std::chrono::steady_clock::now();
    auto& last = looked[task.name()];
    if (now - last < kApart) return;
    last = now;
    const LoopState& state = task.state();
    std::vector<std::pair<std::string, std::string>> models;
    for (const Member& member : state.roster.members) {
      if (!member.alive) continue;
      models.emplace_back(member.name, member.id == state.roster.champion ? "champion" : "challenger");
      if (member.score.rows() > 0) metrics.SetLoss(task.name(), member.name, member.loss.Get().value);
    }
    metrics.SetModels(task.name(), models);
  }

  ServiceOptions options;
  ServiceMetrics metrics;
  std::map<std::string, std::chrono::steady_clock::time_point> looked;
  std::unique_ptr<Webhook> webhook;
  LiveEngine engine;
  Api api;
  std::vector<std::unique_ptr<SourceFeed>> feeds;
  std::unique_ptr<HttpServer> http;
};

Service::Service(std::shared_ptr<LedgerStore> store, ServiceOptions options)
    : parts_(std::make_unique<Parts>(std::move(store), std::move(options))) {}

Service::~Service() { Stop(); }

LiveEngine& Service::engine() { return parts_->engine; }

void Service::Feed(LiveTask& task, std::unique_ptr<GrowingSource> growing, const std::string& source, const SourceOutcome& outcome) {
  SourceFeedOptions options;
  options.source = source;
  options.outcome = outcome;
  options.log = [name = task.name()](const char* level, const std::string& message) { LogLine(level, message, {{"task", name}}); };
  options.predicted = [this, name = task.name()](uint64_t rows) { parts_->metrics.AddSourcePredictions(name, rows); };
  parts_->feeds.push_back(std::make_unique<SourceFeed>(parts_->engine, task, std::move(growing), std::move(options)));
}

void Service::CountSourceOutcome(const std::string& task, OutcomeStatus status) {
  parts_->metrics.AddOutcomes(task, std::string(OutcomeStatusName(status)), 1);
}

uint16_t Service::port() const { return parts_->http->port(); }

void Service::Start() {
  Parts& parts = *parts_;
  if (!parts.options.webhook.empty())
    parts.webhook = Webhook::Start(parts.options.webhook, [](const std::string& message) { LogLine("warning", message); });
  for (const auto& task : parts.engine.tasks()) parts.metrics.AddTask(task->name());
  HttpServerOptions http = parts.options.http;
  http.on_answer = [](const HttpRequest& request, const HttpResponse& response, double seconds) {
    const bool is_probe = request.path.starts_with("/health/") || request.path == "/ping" || request.path.ends_with("/ready");
    if (response.status < kServerError || is_probe) return;
    LogLine("error", "request failed",
            {{"request", request.id},
             {"method", request.method},
             {"path", request.path},
             {"caller", request.caller},
             {"status", response.status},
             {"seconds", seconds},
             {"answer", response.body}});
  };
  // Listening comes first: a port that is taken is told before anything runs.
  parts.http = HttpServer::Start(
      http, [&parts](HttpRequest request, HttpRespond respond) { parts.api.Handle(std::move(request), std::move(respond)); });
  parts.engine.Start();
  for (const auto& feed : parts.feeds) feed->Start();
}

void Service::Stop() {
  if (parts_->http) parts_->http->Stop(kStopSeconds);
  for (const auto& feed : parts_->feeds) feed->Stop();
  parts_->engine.Stop();
  parts_->http.reset();
  parts_->webhook.reset();
}

}  // namespace everlearn
