// What the paths of interface.md's HTTP table do: requests become work of the engine, its results become answers.
//
// Handle() on any thread.
#pragma once

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/json.h"
#include "loop/live_engine.h"
#include "server/http.h"
#include "server/service_metrics.h"

namespace everlearn {

struct ApiOptions {
  std::string ledger;  // for what is recomputed from it, besides the engine
  std::string version;
  size_t most_rows = 10'000;    // of a request
  size_t most_queued = 50'000;  // rows; beyond: 503
  // By task: what clients need to know besides the frame.
  std::map<std::string, std::string> outcome_times;
  // How the task's growing source stands; null where it has none. Any thread.
  std::function<Json(const std::string& task)> source_status;
};

// Rows that were answered and recorded.
struct AnsweredBatch {
  const Task* task = nullptr;
  std::vector<std::string> ids;
  std::vector<double> predictions;  // rows × outputs, of the champion
  std::string model;                // the champion's name
  uint32_t version = 0;
  double half_width = kNoInterval;
  size_t rows() const { return ids.size(); }
  // The label or number of a row, as JSON.
  Json Prediction(size_t row) const;
};

class Api {
 public:
  Api(LiveEngine& engine, ServiceMetrics& metrics, ApiOptions options);
  void Handle(HttpRequest request, HttpRespond respond);

 private:
  using Format = std::function<HttpResponse(const AnsweredBatch&)>;
  struct Call {
    HttpRequest request;
    HttpRespond respond;
    std::vector<std::string> path;  // its parts
  };
  using Action = void (Api::*)(Call& call);
  struct Route {
    const char* method;
    const char* pattern;  // "/v1/tasks/{}/predictions"
    const char* right;    // "" : any caller
    Action action;
  };
  static const std::vector<Route>& Routes();

  LiveTask& TaskOf(const Call& call, size_t part) const;
  LiveTask& OnlyTask() const;
  void Predict(Call& call, LiveTask& task, const JsonArray& rows, Format format);
  // What work comes to: the answer, and what is done once it is durable (not again where it is given a second time).
  struct Recorded {
    HttpResponse response;
    std::function<void()> counted = {};
  };
  // Work whose JSON answer may be kept under the request's Idempotency-Key.
  void Submit(Call& call, LiveTask& task, size_t rows, std::function<Recorded()> record);

  void Live(Call& call);
  void Ready(Call& call);
  void Ping(Call& call);
  void Version(Call& call);
  void Metrics(Call& call);
  void OpenApi(Call& call);
  void Home(Call& call);
  void Tasks(Call& call);
  void TaskState(Call& call);
  void Predictions(Call& call);
  void Outcomes(Call& call);
  void Models(Call& call);
  void Events(Call& call);
  void Decision(Call& call);
  void Wish(Call& call);
  void ProtocolServer(Call& call);
  void ProtocolModel(Call& call);
  void ProtocolReady(Call& call);
  void ProtocolInfer(Call& call);
  void Invocations(Call& call);

  LiveEngine& engine_;
  ServiceMetrics& metrics_;
  ApiOptions options_;
  std::mutex working_;  // one decision at a time is recomputed
  std::mutex recomputing_;
  std::vector<std::future<void>> recomputations_;  // their end is waited for
};

// The problem JSON of an Error; `row` < 0: none.
HttpResponse ProblemOf(const Error& error, int64_t row = -1);

}  // namespace everlearn
