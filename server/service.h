// A running service: engine, HTTP server, metrics, webhook and log put together.
//
// One thread makes and stops it.
#pragma once

#include <memory>
#include <string>

#include "loop/live_engine.h"
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
