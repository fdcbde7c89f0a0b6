// Predictions and outcomes: rows are read and answered on the calling thread, recorded by the engine, and leave once they are durable.
#include <chrono>
#include <cmath>

#include "base/timestamp.h"
#include "server/api.h"

namespace everlearn {
namespace {

// What a request must be, and the row of it that was wrong.
class BadRow : public std::exception {
 public:
  BadRow(const Error& error, size_t row) : response(ProblemOf(error, static_cast<int64_t>(row))) {}
  HttpResponse response;
};

const JsonArray& ListOf(const Json& body, const char* name) {
  const Json* list = body.is_object() ? body.as_object().if_contains(name) : nullptr;
  if (list == nullptr || !list->is_array())
    throw Error(ErrorKind::kInput, std::string("the request must be an object with a list '") + name + "'");
  return list->get_array();
}

// The rows with what the snapshot says about each, its champion first.
std::vector<AnsweredRow> Answer(const Snapshot& snapshot, const JsonArray& rows) {
  std::vector<AnsweredRow> answered(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    AnsweredRow& row = answered[i];
    try {
      if (!rows[i].is_object()) throw Error(ErrorKind::kInput, "a row must be an object");
      const JsonObject& object = rows[i].get_object();
      row.features.resize(snapshot.frame().space.size());
      row.unseen = snapshot.encoder().Encode(object, RowEncoder::Absent::kRefused, row.features.data());
      row.key = snapshot.encoder().Key(object);
      snapshot.encoder().Time(object, &row.time);
      row.text = ToText(rows[i]);
    } catch (const RowError& error) {
      throw BadRow(RowError(error.column(), "row " + std::to_string(i) + ": " + error.message(), error.hint()), i);
    } catch (const Error& error) {
      throw BadRow(Error(error.kind(), "row " + std::to_string(i) + ": " + error.message(), error.hint()), i);
    }
    row.learnt = snapshot.learnt();
    row.half_width = snapshot.half_width();
    snapshot.Predict(row.features.data(), &row.members, &row.predictions);
  }
  return answered;
}

HttpResponse OwnAnswer(const AnsweredBatch& batch) {
  JsonArray predictions;
  predictions.reserve(batch.rows());
  for (size_t i = 0; i < batch.rows(); ++i) {
    JsonObject one{{"id", batch.ids[i]}, {"prediction", batch.Prediction(i)}};
    if (batch.task->is_classification()) {
      JsonObject probabilities;
      for (size_t k = 0; k < batch.task->labels.size(); ++k)
        probabilities[batch.task->labels[k]] = batch.predictions[i * batch.task->outputs() + k];
      one["probabilities"] = std::move(probabilities);
    }
    if (const double value = batch.predictions[i * batch.task->outputs()];
        !batch.task->is_classification() && std::isfinite(batch.half_width)) {
      one["lower"] = value - batch.half_width;
      one["upper"] = value + batch.half_width;
    }
    one["model"] = batch.model;
    one["version"] = batch.version;
    predictions.push_back(std::move(one));
  }
  return {.body = ToText(JsonObject{{"predictions", std::move(predictions)}})};
}

struct OneOutcome {
  std::string id;  // empty: by key
  uint64_t key = 0;
  double truth = 0;
  int64_t time = kNoTime;
};

OneOutcome ReadOutcome(const RowEncoder& encoder, const Task& task, const Json& json) {
  if (!json.is_object()) throw Error(ErrorKind::kInput, "an outcome must be an object");
  const JsonObject& object = json.get_object();
  OneOutcome one;
  const Json* outcome = object.if_contains("outcome");
  if (outcome == nullptr) throw RowError(task.target, "an outcome must have the member 'outcome'");
  one.truth = encoder.Truth(*outcome);
  const bool time_is_key = std::find(task.key.begin(), task.key.end(), "time") != task.key.end();
  if (const Json* time = object.if_contains("time"); !time_is_key && time != nullptr && !time->is_null()) {
    const auto parsed = time->is_string() ? ParseTimestamp(std::string_view(time->get_string())) : std::nullopt;
    constexpr double kMostSeconds = 9e12;
    if (parsed) one.time = *parsed;
    else if (time->is_number() && std::abs(time->to_number<double>()) < kMostSeconds)
      one.time = std::llround(time->to_number<double>() * static_cast<double>(kMicrosecondsPerSecond));
    else throw RowError("time", "the outcome's time is '" + ToText(*time) + "', which is not a timestamp");
  }
  const auto in_key = [&](const char* name) { return std::find(task.key.begin(), task.key.end(), name) != task.key.end(); };
  const Json* id = object.if_contains("id");
  // A task may have a key of that name: then an id is what has the form of one.
  if (id != nullptr && in_key("id") && !(id->is_string() && LiveTask::LooksLikeId(std::string(id->get_string())))) id = nullptr;
  if (id != nullptr && !id->is_null()) {
    if (!id->is_string()) throw RowError("id", "an outcome's id must be a text");
    one.id = std::string(id->get_string());
    if (one.id.empty()) throw RowError("id", "an outcome's id is empty");
    return one;
  }
  one.key = encoder.Key(object);
  if (one.key == 0) {
    std::string key;
    for (const std::string& name : task.key) key += (key.empty() ? "" : ", ") + name;
    throw Error(ErrorKind::kInput, key.empty() ? "an outcome must have the id of its prediction: the task has no key"
                                               : "an outcome must have the id of its prediction, or its key (" + key + ")");
  }
  return one;
}

}  // namespace

void Api::Predict(Call& call, LiveTask& task, const JsonArray& rows, Format format) {
  const auto began = std::chrono::steady_clock::now();
  const auto snapshot = task.snapshot();
  if (snapshot == nullptr) throw Error(ErrorKind::kResource, "the task '" + task.name() + "' has no model yet");
  if (rows.size() > options_.most_rows) {
    call.respond(ProblemResponse(413, "a request may have at most " + std::to_string(options_.most_rows) + " rows"));
    return;
  }
  std::shared_ptr<std::vector<AnsweredRow>> answered;
  try {
    answered = std::make_shared<std::vector<AnsweredRow>>(Answer(*snapshot, rows));
  } catch (const BadRow& bad) {
    call.respond(bad.response);
    return;
  }
  Submit(call, task, rows.size(), [this, &task, snapshot, answered, format = std::move(format), began]() -> Recorded {
    AnsweredBatch batch;
    batch.task = &snapshot->frame().task;
    batch.model = snapshot->champion();
    batch.version = snapshot->version();
    batch.half_width = snapshot->half_width();
    const auto outputs = static_cast<std::ptrdiff_t>(batch.task->outputs());
    for (const AnsweredRow& row : *answered) {
      batch.ids.push_back(task.AddRow(row));
      batch.predictions.insert(batch.predictions.end(), row.predictions.begin(), row.predictions.begin() + outputs);
    }
    return {format(batch), [this, &task, rows = batch.rows(), began] {
              metrics_.AddPredictions(task.name(), rows, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
            }};
  });
}

void Api::Predictions(Call& call) {
  LiveTask& task = TaskOf(call, 2);
  const Json body = ParseJson(call.request.body, "the request");
  Predict(call, task, ListOf(body, "rows"), OwnAnswer);
}

void Api::Outcomes(Call& call) {
  LiveTask& task = TaskOf(call, 2);
  const Json body = ParseJson(call.request.body, "the request");
  const JsonArray& list = ListOf(body, "outcomes");
  if (list.size() > options_.most_rows) {
    call.respond(ProblemResponse(413, "a request may have at most " + std::to_string(options_.most_rows) + " outcomes"));
    return;
  }
  const auto read = std::make_shared<std::vector<OneOutcome>>();
  for (size_t i = 0; i < list.size(); ++i) {
    try {
      read->push_back(ReadOutcome(task.encoder(), task.first_frame().task, list[i]));
    } catch (const Error& error) {
      call.respond(ProblemOf(error, static_cast<int64_t>(i)));
      return;
    }
  }
  Submit(call, task, read->size(), [this, &task, read]() -> Recorded {
    JsonArray statuses;
    std::map<std::string, uint64_t> counts;
    for (const OneOutcome& one : *read) {
      const OutcomeStatus status =
          one.id.empty() ? task.AddOutcomeByKey(one.key, one.truth, one.time) : task.AddOutcome(one.id, one.truth, one.time);
      const std::string name(OutcomeStatusName(status));
      ++counts[name];
      statuses.push_back(JsonObject{{"status", name}});
    }
    return {{.body = ToText(JsonObject{{"outcomes", std::move(statuses)}})}, [this, &task, counts = std::move(counts)] {
              for (const auto& [name, count] : counts) metrics_.AddOutcomes(task.name(), name, count);
            }};
  });
}

}  // namespace everlearn
