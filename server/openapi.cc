#include "server/openapi.h"

#include <algorithm>

namespace everlearn {
namespace {

// What does not depend on the tasks.
constexpr const char* kComponents = R"json({
  "securitySchemes": {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}
  },
  "parameters": {
    "after": {"name": "after", "in": "query", "required": false, "description": "go on after this number (`next` of the page before)",
              "schema": {"type": "integer", "minimum": 0, "maximum": 9007199254740991}},
    "idempotency": {"name": "Idempotency-Key", "in": "header", "required": false,
                    "description": "the same key with the same request gets the same answer for a day",
                    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[A-Za-z0-9_.:-]+$"}}
  },
  "schemas": {
    "Problem": {"type": "object", "required": ["type", "title", "status", "detail"],
      "properties": {"type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"},
                     "row": {"type": "integer", "minimum": 0}, "column": {"type": "string"}, "hint": {"type": "string"}}},
    "Prediction": {"type": "object", "required": ["id", "prediction", "model"],
      "properties": {"id": {"type": "string"}, "prediction": {"type": ["string", "number", "null"]},
                     "probabilities": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
                     "lower": {"type": ["number", "null"]}, "upper": {"type": ["number", "null"]},
                     "model": {"type": "string"}, "version": {"type": "integer"}}},
    "Predictions": {"type": "object", "required": ["predictions"],
      "properties": {"predictions": {"type": "array", "items": {"$ref": "#/components/schemas/Prediction"}}}},
    "OutcomeStatuses": {"type": "object", "required": ["outcomes"], "properties": {"outcomes": {"type": "array", "items": {"type": "object",
      "required": ["status"], "properties": {"status": {"enum": ["joined", "duplicate", "corrected", "unknown", "early"]}}}}}},
    "Event": {"type": "object", "required": ["row", "time", "kind", "member", "detail"],
      "properties": {"row": {"type": ["integer", "null"]}, "time": {"type": ["string", "null"]}, "kind": {"type": "string"},
                     "member": {"type": ["string", "null"]}, "decision": {"type": "integer"}, "detail": {"type": "object"}}},
    "Events": {"type": "object", "required": ["events", "next"], "properties": {
      "events": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}}, "next": {"type": ["integer", "null"]}}},
    "Models": {"type": "object", "required": ["models", "next"], "properties": {
      "models": {"type": "array", "items": {"type": "object", "required": ["name", "learner", "role"]}}, "next": {"type": ["integer", "null"]}}},
    "Tasks": {"type": "object", "required": ["tasks"], "properties": {"tasks": {"type": "array", "items": {"type": "object",
      "required": ["name", "ready", "champion"],
      "properties": {"name": {"type": "string"}, "ready": {"type": "boolean"}, "champion": {"type": ["string", "null"]}}}}}},
    "TaskState": {"type": "object", "required": ["task", "champion", "served", "members", "estimated", "drift"], "properties": {
      "task": {"type": "object"}, "champion": {"type": ["string", "null"]}, "served": {"type": "object"}, "members": {"type": "array"},
      "estimated": {"$ref": "#/components/schemas/EstimatedLoss"}, "drift": {"type": "array", "items": {"$ref": "#/components/schemas/ColumnDrift"}}}},
    "EstimatedLoss": {"description": "Of the newest rows: those that wait for their outcome, all, and those whose outcome came. The band is about the mean loss of the rows that wait.",
      "type": "object", "required": ["rows", "loss", "lower", "upper", "accuracy", "recent", "realised", "band"], "properties": {
      "rows": {"type": "integer"}, "loss": {"type": ["number", "null"]}, "lower": {"type": ["number", "null"]}, "upper": {"type": ["number", "null"]},
      "accuracy": {"type": ["number", "null"]},
      "recent": {"type": "object", "properties": {"rows": {"type": "integer"}, "loss": {"type": ["number", "null"]}}},
      "realised": {"type": "object", "properties": {"rows": {"type": "integer"}, "loss": {"type": ["number", "null"]},
        "estimated": {"type": ["number", "null"]}, "accuracy": {"type": ["number", "null"]}}},
      "band": {"type": "object", "properties": {"coverage": {"type": "number"}, "blocks": {"type": "integer"}, "realised": {"type": ["number", "null"]}}}}},
    "ColumnDrift": {"description": "A column of the newest window against the reference; by estimated effect on the mean loss.", "type": "object",
      "required": ["column", "effect", "p", "drifting"], "properties": {"column": {"type": "string"}, "effect": {"type": "number"},
      "p": {"description": "corrected for the number of columns", "type": "number"}, "ks": {"type": "number"}, "chi_squared": {"type": "number"},
      "wasserstein": {"type": "number"}, "jensen_shannon": {"type": "number"}, "psi": {"type": "number"}, "missing": {"type": "number"},
      "reference_missing": {"type": "number"}, "drifting": {"type": "boolean"}}},
    "Decision": {"type": "object", "required": ["decision", "kind", "champion", "challenger", "recomputed_equal"]},
    "Wished": {"type": "object", "required": ["task", "champion", "paused"],
      "properties": {"task": {"type": "string"}, "champion": {"type": ["string", "null"]}, "paused": {"type": "boolean"}}},
    "Invocation": {"type": "object", "minProperties": 1, "properties": {"dataframe_split": {"type": "object"}, "dataframe_records": {"type": "array"},
      "instances": {"type": "array"}, "inputs": {}}},
    "Member": {"type": "object", "required": ["member"], "properties": {"member": {"type": "string"}}},
    "Infer": {"description": "All inputs have as many values as their shapes say; each is a column.", "type": "object", "required": ["inputs"], "properties": {"id": {"type": "string"}, "inputs": {"type": "array", "minItems": 1,
      "items": {"type": "object", "required": ["name", "shape", "datatype", "data"], "properties": {"name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}}, "datatype": {"enum": ["BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP16", "FP32", "FP64", "BYTES"]}, "data": {"type": "array"}}}}}},
    "Inferred": {"type": "object", "required": ["model_name", "outputs"]},
    "Invoked": {"type": "object", "required": ["predictions"], "properties": {"predictions": {"type": "array"}}},
    "AnyObject": {"type": "object"}
  }
})json";

Json Reference(const std::string& schema) { return JsonObject{{"$ref", "#/components/schemas/" + schema}}; }

JsonObject JsonContent(const std::string& schema) { return {{"application/json", JsonObject{{"schema", Reference(schema)}}}}; }

JsonObject Answer(const std::string& what, JsonObject content) { return {{"description", what}, {"content", std::move(content)}}; }

// Every failure has the same form.
void AddProblems(JsonObject* responses, std::initializer_list<int> statuses) {
  for (const int status : statuses)
    (*responses)[std::to_string(status)] =
        Answer("a problem", {{"application/problem+json", JsonObject{{"schema", Reference("Problem")}}}});
}

JsonObject Operation(const std::string& id, const std::string& summary, JsonObject content, std::initializer_list<int> problems,
                     JsonArray parameters = {}, const std::string& body_schema = "") {
  JsonObject responses{{"200", Answer(summary, std::move(content))}};
  AddProblems(&responses, {401, 403, 429, 500, 503});
  AddProblems(&responses, problems);
  JsonObject operation{{"operationId", id}, {"summary", summary}, {"responses", std::move(responses)}};
  if (!parameters.empty()) operation["parameters"] = std::move(parameters);
  if (!body_schema.empty()) operation["requestBody"] = JsonObject{{"required", true}, {"content", JsonContent(body_schema)}};
  return operation;
}

// What is taken: numbers and truth values may come as texts, as they do from a CSV.
Json ValueSchema(const ColumnSchema& column) {
  switch (column.type) {
    case ColumnType::kNumber:
    case ColumnType::kInteger:
      return JsonObject{{"type", JsonArray{"number", "string", "boolean", "null"}}, {"description", "a number"}};
    case ColumnType::kBoolean:
      return JsonObject{{"type", JsonArray{"boolean", "string", "number", "null"}}, {"description", "a truth value"}};
    case ColumnType::kTimestamp:
      return JsonObject{{"type", JsonArray{"string", "null"}}, {"description", "a point in time, ISO 8601"}};
    default:
      return JsonObject{{"type", JsonArray{"string", "number", "boolean", "null"}}, {"description", "a category"}};
  }
}

// Rows, outcomes and their requests of one task; the names of the schemas end in the task's.
void AddTaskSchemas(const OpenApiTask& described, JsonObject* schemas) {
  JsonObject columns, key;
  const JsonArray required(described.required.begin(), described.required.end());
  const Task& task = *described.task;
  for (const std::string& name : described.columns) {
    const ColumnSchema* column = described.schema->Find(name);
    if (column == nullptr) continue;
    columns[name] = ValueSchema(*column);
    if (std::find(task.key.begin(), task.key.end(), name) != task.key.end()) key[name] = ValueSchema(*column);
  }
  const std::string& suffix = described.name;
  JsonObject rows{{"type", "array"}, {"items", JsonObject{{"type", "object"}, {"required", required}, {"properties", columns}}}};
  (*schemas)["Rows_" + suffix] =
      JsonObject{{"type", "object"}, {"required", JsonArray{"rows"}}, {"properties", JsonObject{{"rows", rows}}}};
  JsonObject outcome = key;
  outcome["id"] = JsonObject{{"type", "string"}, {"minLength", 1}};
  outcome["time"] =
      JsonObject{{"type", JsonArray{"string", "number", "null"}}, {"description", "when it became known: ISO 8601, or seconds since 1970"}};
  JsonArray labels(task.labels.begin(), task.labels.end());
  outcome["outcome"] = task.is_classification() ? JsonObject{{"type", JsonArray{"string", "number", "boolean"}}, {"examples", labels}}
                                                : JsonObject{{"type", JsonArray{"number", "string", "boolean"}}};
  JsonObject outcomes{{"type", "array"},
                      {"items", JsonObject{{"type", "object"}, {"required", JsonArray{"outcome", "id"}}, {"properties", outcome}}}};
  (*schemas)["Outcomes_" + suffix] =
      JsonObject{{"type", "object"}, {"required", JsonArray{"outcomes"}}, {"properties", JsonObject{{"outcomes", outcomes}}}};
}

void AddTaskPaths(const OpenApiTask& task, JsonObject* paths) {
  const std::string at = "/v1/tasks/" + task.name, id = task.name;
  const Json after = JsonObject{{"$ref", "#/components/parameters/after"}},
             idempotency = JsonObject{{"$ref", "#/components/parameters/idempotency"}};
  const auto add = [&](const std::string& path, const char* method, JsonObject operation) {
    operation["tags"] = JsonArray{task.name};
    (*paths)[path] = JsonObject{{method, std::move(operation)}};
  };
  add(at, "get", Operation("state_" + id, "how the task stands", JsonContent("TaskState"), {}));
  add(at + "/predictions", "post",
      Operation("predict_" + id, "predict rows; an answer has been recorded", JsonContent("Predictions"), {400, 408, 409, 413},
                {idempotency}, "Rows_" + id));
  add(at + "/outcomes", "post",
      Operation("outcomes_" + id, "true values of earlier predictions", JsonContent("OutcomeStatuses"), {400, 408, 409, 413}, {idempotency},
                "Outcomes_" + id));
  add(at + "/models", "get", Operation("models_" + id, "members of the roster", JsonContent("Models"), {400}, {after}));
  add(at + "/events", "get", Operation("events_" + id, "what happened, oldest first", JsonContent("Events"), {400}, {after}));
  const Json number = JsonObject{{"name", "n"},
                                 {"in", "path"},
                                 {"required", true},
                                 {"schema", JsonObject{{"type", "integer"}, {"minimum", 1}, {"maximum", int64_t{9007199254740991}}}}};
  add(at + "/decisions/{n}", "get", Operation("decision_" + id, "a decision, recomputed", JsonContent("Decision"), {400, 404}, {number}));
  add(at + "/promote", "post",
      Operation("promote_" + id, "make a member the champion", JsonContent("Wished"), {400, 404, 408, 409, 413}, {idempotency}, "Member"));
  for (const char* wish : {"rollback", "pause", "resume"})
    add(at + "/" + wish, "post", Operation(std::string(wish) + "_" + id, wish, JsonContent("Wished"), {400, 408, 409, 413}, {idempotency}));
  add("/v2/models/" + id, "get", Operation("v2_model_" + id, "metadata of the Open Inference Protocol", JsonContent("AnyObject"), {}));
  add("/v2/models/" + id + "/ready", "get", Operation("v2_ready_" + id, "whether it answers", JsonContent("AnyObject"), {}));
  add("/v2/models/" + id + "/infer", "post",
      Operation("v2_infer_" + id, "Open Inference Protocol V2", JsonContent("Inferred"), {400, 408, 409, 413}, {idempotency}, "Infer"));
}

void AddServicePaths(JsonObject* paths) {
  const auto text = [](const char* type) { return JsonObject{{type, JsonObject{{"schema", JsonObject{{"type", "string"}}}}}}; };
  const auto add = [&](const char* path, JsonObject operation) { (*paths)[path] = JsonObject{{"get", std::move(operation)}}; };
  add("/", Operation("home", "what this is", text("text/plain"), {}));
  add("/ping", Operation("ping", "MLflow's probe", text("text/plain"), {}));
  add("/metrics", Operation("metrics", "figures for Prometheus", text("text/plain"), {}));
  add("/version", Operation("version", "version of the program", JsonContent("AnyObject"), {}));
  add("/openapi.json", Operation("openapi", "this description", JsonContent("AnyObject"), {}));
  add("/health/live", Operation("live", "the process runs", JsonContent("AnyObject"), {}));
  add("/health/ready", Operation("ready", "every task has a model", JsonContent("AnyObject"), {}));
  add("/v1/tasks", Operation("tasks", "the tasks", JsonContent("Tasks"), {}));
  add("/v2", Operation("v2", "server metadata of the Open Inference Protocol", JsonContent("AnyObject"), {}));
  (*paths)["/invocations"] = JsonObject{{"post", Operation("invocations", "as MLflow's scoring server, of a service with one task",
                                                           JsonContent("Invoked"), {400, 408, 409, 413}, {}, "Invocation")}};
}

}  // namespace

JsonObject OpenApiDocument(const std::string& version, const std::vector<OpenApiTask>& tasks) {
  JsonObject components = ParseJson(kComponents, "the description").as_object();
  JsonObject paths;
  AddServicePaths(&paths);
  for (const OpenApiTask& task : tasks) {
    AddTaskSchemas(task, &components["schemas"].as_object());
    AddTaskPaths(task, &paths);
  }
  return {{"openapi", "3.1.0"},
          {"info", JsonObject{{"title", "Everlearn"}, {"version", version}, {"description", "Predictive models that run themselves."}}},
          {"security", JsonArray{JsonObject(), JsonObject{{"bearer", JsonArray()}}, JsonObject{{"key", JsonArray()}}}},
          {"paths", paths},
          {"components", components}};
}

}  // namespace everlearn
