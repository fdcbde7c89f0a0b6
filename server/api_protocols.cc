// The paths that other systems' clients speak: Open Inference Protocol and MLflow; and the description of all paths.
#include "server/api.h"
#include "server/inference_protocol.h"
#include "server/mlflow.h"
#include "server/openapi.h"

namespace everlearn {

void Api::ProtocolServer(Call& call) { call.respond({.body = ToText(ProtocolServerMetadata(options_.version))}); }

void Api::ProtocolModel(Call& call) {
  const LiveTask& task = TaskOf(call, 2);
  const auto snapshot = task.snapshot();
  const std::string version = snapshot == nullptr ? "0" : std::to_string(snapshot->version());
  const TaskFrame& frame = task.first_frame();
  call.respond({.body = ToText(ProtocolModelMetadata(task.name(), version, frame.task, frame.schema, frame.RequestColumns()))});
}

void Api::ProtocolReady(Call& call) {
  const LiveTask& task = TaskOf(call, 2);
  if (task.snapshot() == nullptr) throw Error(ErrorKind::kResource, "the task '" + task.name() + "' has no model yet");
  call.respond({.body = ToText(JsonObject{{"name", task.name()}, {"ready", true}})});
}

void Api::ProtocolInfer(Call& call) {
  LiveTask& task = TaskOf(call, 2);
  const auto request =
      std::make_shared<const InferRequest>(ParseInferRequest(call.request.body, call.request.Header("inference-header-content-length")));
  Predict(call, task, request->rows, [request, name = task.name()](const AnsweredBatch& batch) {
    JsonArray predictions;
    for (size_t i = 0; i < batch.rows(); ++i) predictions.push_back(batch.Prediction(i));
    const JsonArray ids(batch.ids.begin(), batch.ids.end());
    const size_t classes = batch.task->is_classification() ? batch.task->labels.size() : 0;
    return InferResponse(*request, name, std::to_string(batch.version), ids, predictions,
                         classes > 0 ? batch.predictions : std::vector<double>(), classes);
  });
}

void Api::Invocations(Call& call) {
  LiveTask& task = OnlyTask();
  const std::string type = call.request.Header("content-type");
  const JsonArray rows = RowsOfInvocation(type, call.request.body);
  Predict(call, task, rows, [](const AnsweredBatch& batch) {
    JsonArray predictions;
    for (size_t i = 0; i < batch.rows(); ++i) predictions.push_back(batch.Prediction(i));
    return HttpResponse{.body = ToText(JsonObject{{"predictions", std::move(predictions)}})};
  });
}

void Api::OpenApi(Call& call) {
  std::vector<OpenApiTask> tasks;
  for (const auto& task : engine_.tasks()) {
    const TaskFrame& frame = task->first_frame();
    tasks.push_back({task->name(), &frame.task, &frame.schema, frame.RequestColumns(), frame.space.Columns()});
  }
  call.respond({.body = ToText(OpenApiDocument(options_.version, tasks))});
}

}  // namespace everlearn
