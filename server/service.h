// A running service: engine, HTTP server, metrics, webhook and log put together.
//
// One thread makes and stops it.
#pragma once

#include <memory>
#include <string>

#include "loop/live_engine.h"
#include "loop/source_feed.h"
#include "server/service_config.h"

namespace everlearn {

struct ServiceOptions {
  HttpServerOptions http;
  std::string ledger, webhook, version;
  std::map<std::string, std::string> outcome_times;  // by task
};

// One line of JSON on standard error: time, level, message, and further members. Any thread.
void LogLine(const char* level, const std::string& message, const JsonObject& members = {});

class Service {
 public:
  // `store` is open for writing. Tasks are added to engine() before Start().
  Service(std::shared_ptr<LedgerStore> store, ServiceOptions options);
  ~Service();
  LiveEngine& engine();
  // Before Start(), after the task was added. `source`: as the user named it. Throws as SourceFeed.
  void Feed(LiveTask& task, std::unique_ptr<GrowingSource> growing, const std::string& source, const SourceOutcome& outcome);
  // What LiveOptions::source_outcome must do.
  void CountSourceOutcome(const std::string& task, OutcomeStatus status);
  // Listens. Throws as HttpServer::Start.
  void Start();
  uint16_t port() const;
  // Lets running requests end, records what was submitted, writes checkpoints.
  void Stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace everlearn
