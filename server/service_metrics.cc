#include "server/service_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') out += "\\n";
    else out += c;
  }
  return out;
}

std::string Number(double value) {
  return std::isnan(value) ? "NaN" : std::isinf(value) ? (value > 0 ? "+Inf" : "-Inf") : fmt::format("{}", value);
}

void Head(std::string* text, const char* name, const char* type, const char* help) {
  *text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

template <typename Map>
void Lines(std::string* text, const char* name, const char* label, const Map& values) {
  for (const auto& [key, value] : values)
    *text += fmt::format("{}{{task=\"{}\",{}=\"{}\"}} {}\n", name, Escaped(key.first), label, Escaped(key.second),
                         Number(static_cast<double>(value)));
}

}  // namespace

void ServiceMetrics::AddTask(const std::string& task) {
  const std::lock_guard guard(lock_);
  predictions_.try_emplace(task, 0);
  for (const char* status : {"joined", "duplicate", "corrected", "unknown", "early"}) outcomes_.try_emplace({task, status}, 0);
}

void ServiceMetrics::AddPredictions(const std::string& task, uint64_t rows, double seconds) {
  const auto bucket = static_cast<size_t>(std::lower_bound(kBuckets.begin(), kBuckets.end(), seconds) - kBuckets.begin());
  const std::lock_guard guard(lock_);
  predictions_[task] += rows;
  ++requests_;
  seconds_ += seconds;
  if (bucket < bucket_.size()) ++bucket_[bucket];
}

void ServiceMetrics::AddSourcePredictions(const std::string& task, uint64_t rows) {
  const std::lock_guard guard(lock_);
  predictions_[task] += rows;
}

void ServiceMetrics::AddOutcomes(const std::string& task, const std::string& status, uint64_t count) {
  const std::lock_guard guard(lock_);
  outcomes_[{task, status}] += count;
}

void ServiceMetrics::AddEvent(const std::string& task, const std::string& kind) {
  const std::lock_guard guard(lock_);
  ++events_[{task, kind}];
}

void ServiceMetrics::AddWorkerRestart() {
  const std::lock_guard guard(lock_);
  ++restarts_;
}

void ServiceMetrics::SetQueueRows(uint64_t rows) {
  const std::lock_guard guard(lock_);
  queue_rows_ = rows;
}

void ServiceMetrics::SetLoss(const std::string& task, const std::string& model, double loss) {
  const std::lock_guard guard(lock_);
  losses_[{task, model}] = loss;
}

void ServiceMetrics::SetEstimatedLoss(const std::string& task, double loss) {
  const std::lock_guard guard(lock_);
  estimated_[task] = loss;
}

void ServiceMetrics::SetDrift(const std::string& task, const std::string& column, double drift) {
  const std::lock_guard guard(lock_);
  drifts_[{task, column}] = drift;
}

void ServiceMetrics::SetModels(const std::string& task, const std::vector<Pair>& model_and_role) {
  const std::lock_guard guard(lock_);
  models_[task] = model_and_role;
}

std::string ServiceMetrics::Render() const {
  const std::lock_guard guard(lock_);
  std::string text;
  Head(&text, "everlearn_build_info", "gauge", "Version of the program.");
  text += fmt::format("everlearn_build_info{{version=\"{}\"}} 1\n", Escaped(version_));
  Head(&text, "everlearn_predictions_total", "counter", "Rows that were answered.");
  for (const auto& [task, rows] : predictions_) text += fmt::format("everlearn_predictions_total{{task=\"{}\"}} {}\n", Escaped(task), rows);
  Head(&text, "everlearn_prediction_seconds", "histogram", "Time from a read request to its durable answer.");
  uint64_t below = 0;
  for (size_t i = 0; i < kBuckets.size(); ++i)
    text += fmt::format("everlearn_prediction_seconds_bucket{{le=\"{}\"}} {}\n", kBuckets[i], below += bucket_[i]);
  text += fmt::format("everlearn_prediction_seconds_bucket{{le=\"+Inf\"}} {}\n", requests_);
  text += fmt::format("everlearn_prediction_seconds_sum {}\neverlearn_prediction_seconds_count {}\n", Number(seconds_), requests_);
  Head(&text, "everlearn_outcomes_total", "counter", "Outcomes by what became of them.");
  Lines(&text, "everlearn_outcomes_total", "status", outcomes_);
  Head(&text, "everlearn_loss", "gauge", "Mean loss of a model over its rows with an outcome.");
  Lines(&text, "everlearn_loss", "model", losses_);
  Head(&text, "everlearn_estimated_loss", "gauge", "Loss of the champion as estimated before the outcomes come.");
  for (const auto& [task, loss] : estimated_)
    text += fmt::format("everlearn_estimated_loss{{task=\"{}\"}} {}\n", Escaped(task), Number(loss));
  Head(&text, "everlearn_drift", "gauge", "Distance of a column's recent values from those of the training.");
  Lines(&text, "everlearn_drift", "column", drifts_);
  Head(&text, "everlearn_model_info", "gauge", "Models that are alive.");
  for (const auto& [task, models] : models_)
    for (const auto& [model, role] : models)
      text += fmt::format("everlearn_model_info{{task=\"{}\",model=\"{}\",role=\"{}\"}} 1\n", Escaped(task), Escaped(model), Escaped(role));
  Head(&text, "everlearn_events_total", "counter", "Events by kind, since the start.");
  Lines(&text, "everlearn_events_total", "kind", events_);
  Head(&text, "everlearn_ledger_queue_rows", "gauge", "Rows that wait to be recorded.");
  text += fmt::format("everlearn_ledger_queue_rows {}\n", queue_rows_);
  Head(&text, "everlearn_worker_restarts_total", "counter", "Trainings that failed.");
  text += fmt::format("everlearn_worker_restarts_total {}\n", restarts_);
  return text;
}

}  // namespace everlearn
