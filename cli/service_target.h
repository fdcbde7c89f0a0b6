// What a control command talks about: a task of a running service (given as its URL), or of a ledger (given as its path).
//
// One thread.
#pragma once

#include <memory>
#include <string>

#include "base/json.h"
#include "ledger/ledger.h"
#include "server/http_client.h"

namespace CLI {
class App;
}

namespace everlearn {

struct TargetFlags {
  std::string place;  // URL or path
  std::string task;   // empty: the only one there is
  std::string api_key_file;
};

// Declares the first argument, under this name, and --task; where it may be a URL also --api-key-file.
void AddTargetFlags(CLI::App& app, const char* name, TargetFlags* flags);

// Throws kUsage where it could not stand in a path of a URL.
void CheckTaskName(const std::string& name);

// The ledger, for looking. Throws as OpenLedger does; kUsage where the place is a URL, or a key was given that nobody asks for.
std::shared_ptr<Ledger> OpenTarget(const TargetFlags& flags);

// What a service answers but 2xx, as an Error with its detail: kPermission (401, 403), kNotFound (404), kInput (other 4xx), kResource (429,
// 5xx). `what` is the request.
[[noreturn]] void ThrowProblem(const HttpAnswer& answer, const std::string& what);

// A task of a running service. All throw what HttpClient and ThrowProblem throw.
class ServedTask {
 public:
  // Asks for the names of the tasks where the flags say none; kUsage where there is not exactly one.
  explicit ServedTask(const TargetFlags& flags);

  // `rest` is what follows the task in the path: "", "/decisions/3".
  Json Get(const std::string& rest);
  Json Post(const std::string& rest, const JsonObject& body);
  // All pages of a list: "events", "models".
  JsonArray GetAll(const std::string& list);

 private:
  Json Send(const std::string& method, const std::string& target, const std::string& body);

  std::unique_ptr<HttpClient> client_;
  std::string path_;  // "/v1/tasks/late"
};

}  // namespace everlearn
