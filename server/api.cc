#include "server/api.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>

#include "base/bytes.h"
#include "ledger/sha256.h"
#include "loop/records.h"

namespace everlearn {
namespace {

constexpr size_t kEventsOfAPage = 100;
constexpr const char* kPredict = "predict";
constexpr const char* kOutcome = "outcome";
constexpr const char* kAdmin = "admin";
constexpr const char* kAnybody = "";

HttpResponse JsonResponse(const JsonObject& document, int status = 200) { return {.status = status, .body = ToText(document)}; }

std::vector<std::string> Parts(const std::string& path) {
  std::vector<std::string> parts;
  for (size_t begin = 1; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

bool Matches(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  return pattern.size() == path.size() &&
         std::equal(pattern.begin(), pattern.end(), path.begin(),
                    [](const auto& wanted, const auto& part) { return wanted == "{}" ? !part.empty() : wanted == part; });
}

uint64_t NumberOf(const std::string& text, const char* what) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  constexpr uint64_t kMost = uint64_t{1} << 53;  // every JSON reader keeps it exactly
  if (error != std::errc() || end != text.data() + text.size() || number >= kMost)
    throw Error(ErrorKind::kInput, std::string(what) + " is no number from 0 to 9007199254740991: '" + text + "'");
  return number;
}

// Clients of the Open Inference Protocol look for the member `error`.
HttpRespond WithProtocolError(HttpRespond respond) {
  return [respond = std::move(respond)](HttpResponse response) {
    if (response.status >= 400) {
      JsonObject problem = ParseJson(response.body, "a problem").as_object();
      problem["error"] = problem["detail"];
      response.body = ToText(problem);
    }
    respond(std::move(response));
  };
}

// A good answer, to be given again.
std::string EncodeAnswer(const HttpResponse& response) {
  ByteWriter out;
  out.PutText(response.content_type);
  out.PutVarint(response.headers.size());
  for (const auto& [name, value] : response.headers) {
    out.PutText(name);
    out.PutText(value);
  }
  out.PutText(response.body);
  return out.Take();
}

HttpResponse DecodeAnswer(std::string_view bytes) {
  ByteReader in(bytes);
  HttpResponse response;
  response.content_type = in.GetText();
  for (uint64_t left = in.GetCount(); left > 0; --left) {
    std::string name = in.GetText();
    response.headers.emplace_back(std::move(name), in.GetText());
  }
  response.body = in.GetText();
  return response;
}

}  // namespace

Json AnsweredBatch::Prediction(size_t row) const {
  const double* p = predictions.data() + row * task->outputs();
  if (!task->is_classification()) return std::isfinite(*p) ? Json(*p) : Json(nullptr);
  return Json(task->labels[PredictedClass(p, task->labels.size(), task->decision)]);
}

HttpResponse ProblemOf(const Error& error, int64_t row) {
  int status = 500;
  switch (error.kind()) {
    case ErrorKind::kUsage:
      status = 409;
      break;
    case ErrorKind::kInput:
      status = 400;
      break;
    case ErrorKind::kNotFound:
      status = 404;
      break;
    case ErrorKind::kResource:
    case ErrorKind::kPermission:
    case ErrorKind::kInterrupted:
    case ErrorKind::kDamaged:
      status = 503;
      break;
    case ErrorKind::kInternal:
      break;
  }
  HttpResponse response = ProblemResponse(status, error.message());
  JsonObject problem = ParseJson(response.body, "a problem").as_object();
  if (row >= 0) problem["row"] = row;
  if (const auto* row_error = dynamic_cast<const RowError*>(&error)) problem["column"] = row_error->column();
  if (!error.hint().empty()) problem["hint"] = error.hint();
  response.body = ToText(problem);
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

Api::Api(LiveEngine& engine, ServiceMetrics& metrics, ApiOptions options)
    : engine_(engine), metrics_(metrics), options_(std::move(options)) {}

const std::vector<Api::Route>& Api::Routes() {
  static const std::vector<Route> routes = {
      {"GET", "/", kAnybody, &Api::Home},
      {"GET", "/health/live", kAnybody, &Api::Live},
      {"GET", "/health/ready", kAnybody, &Api::Ready},
      {"GET", "/ping", kAnybody, &Api::Ping},
      {"GET", "/version", kAnybody, &Api::Version},
      {"GET", "/metrics", kAnybody, &Api::Metrics},
      {"GET", "/openapi.json", kAnybody, &Api::OpenApi},
      {"GET", "/v1/tasks", kAnybody, &Api::Tasks},
      {"GET", "/v1/tasks/{}", kAnybody, &Api::TaskState},
      {"POST", "/v1/tasks/{}/predictions", kPredict, &Api::Predictions},
      {"POST", "/v1/tasks/{}/outcomes", kOutcome, &Api::Outcomes},
      {"GET", "/v1/tasks/{}/models", kAnybody, &Api::Models},
      {"GET", "/v1/tasks/{}/events", kAnybody, &Api::Events},
      {"GET", "/v1/tasks/{}/decisions/{}", kAnybody, &Api::Decision},
      {"POST", "/v1/tasks/{}/promote", kAdmin, &Api::Wish},
      {"POST", "/v1/tasks/{}/rollback", kAdmin, &Api::Wish},
      {"POST", "/v1/tasks/{}/pause", kAdmin, &Api::Wish},
      {"POST", "/v1/tasks/{}/resume", kAdmin, &Api::Wish},
      {"GET", "/v2", kAnybody, &Api::ProtocolServer},
      {"GET", "/v2/health/live", kAnybody, &Api::Live},
      {"GET", "/v2/health/ready", kAnybody, &Api::Ready},
      {"GET", "/v2/models/{}", kAnybody, &Api::ProtocolModel},
      {"GET", "/v2/models/{}/ready", kAnybody, &Api::ProtocolReady},
      {"POST", "/v2/models/{}/infer", kPredict, &Api::ProtocolInfer},
      {"POST", "/invocations", kPredict, &Api::Invocations},
  };
  return routes;
}

void Api::Handle(HttpRequest request, HttpRespond respond) {
  Call call{std::move(request), std::move(respond), {}};
  call.path = Parts(call.request.path);
  if (call.path.front() == "v2") call.respond = WithProtocolError(std::move(call.respond));
  std::string allowed;
  for (const Route& route : Routes()) {
    if (!Matches(Parts(route.pattern), call.path)) continue;
    if (call.request.method != route.method) {
      allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
      continue;
    }
    const auto& rights = call.request.rights;
    if (*route.right != '\0' && std::find(rights.begin(), rights.end(), route.right) == rights.end()) {
      call.respond(ProblemResponse(403, std::string("the key has no right '") + route.right + "'"));
      return;
    }
    try {
      (this->*route.action)(call);
    } catch (const Error& error) {
      call.respond(ProblemOf(error));
    }
    return;
  }
  if (allowed.empty()) {
    call.respond(ProblemResponse(404, "there is nothing at " + call.request.path));
    return;
  }
  HttpResponse response = ProblemResponse(405, call.request.method + " is not possible at " + call.request.path);
  response.headers.emplace_back("Allow", allowed);
  call.respond(std::move(response));
}

LiveTask& Api::TaskOf(const Call& call, size_t part) const {
  LiveTask* task = engine_.Find(call.path[part]);
  if (task == nullptr) throw Error(ErrorKind::kNotFound, "there is no task '" + call.path[part] + "'");
  return *task;
}

LiveTask& Api::OnlyTask() const {
  if (engine_.tasks().size() != 1)
    throw Error(ErrorKind::kUsage, "the service has several tasks: /invocations serves a service with one",
                "use /v1/tasks/NAME/predictions");
  return *engine_.tasks().front();
}

void Api::Submit(Call& call, LiveTask& task, size_t rows, std::function<Recorded()> record) {
  if (engine_.queued() > options_.most_queued) throw Error(ErrorKind::kResource, "too many rows are waiting to be recorded");
  const bool changes = call.request.method == "POST";
  const std::string key = changes ? call.request.Header("idempotency-key") : "";
  constexpr size_t kLongestKey = 200;
  const bool given = changes && call.request.headers.contains("idempotency-key");
  const bool plain = key.empty() != given && key.size() <= kLongestKey && std::all_of(key.begin(), key.end(), [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '_' || c == '.' || c == ':' || c == '-';
                     });
  if (!plain) throw Error(ErrorKind::kInput, "the Idempotency-Key must be at most 200 letters, digits, '_', '.', ':' or '-'");
  const auto respond = std::make_shared<HttpRespond>(std::move(call.respond));
  const auto fail = [respond](const Error& error) { (*respond)(ProblemOf(error)); };
  if (key.empty()) {
    engine_.Submit(
        rows,
        [respond, record = std::move(record)]() -> std::function<void()> {
          return [respond, recorded = std::make_shared<Recorded>(record())] {
            if (recorded->counted) recorded->counted();
            (*respond)(std::move(recorded->response));
          };
        },
        fail);
    return;
  }
  // The same request again gets the same answer; the same key with another request is a mistake.
  const std::string name = HexText(Sha256({call.request.caller, "\n", call.request.path, "\n", key}));
  const std::string mark = Sha256({call.request.body});
  engine_.Submit(
      rows,
      [respond, name, mark, &task, record = std::move(record)]() -> std::function<void()> {
        const auto recorded = std::make_shared<Recorded>();
        if (const auto before = task.Reply(name)) {
          if (before->substr(0, mark.size()) != mark) {
            recorded->response = ProblemResponse(409, "this Idempotency-Key came with another request before");
          } else {
            recorded->response = DecodeAnswer(std::string_view(*before).substr(mark.size()));
          }
        } else {
          *recorded = record();
          task.KeepReply(name, mark + EncodeAnswer(recorded->response));
        }
        return [respond, recorded] {
          if (recorded->counted) recorded->counted();
          (*respond)(std::move(recorded->response));
        };
      },
      fail);
}

void Api::Home(Call& call) {
  call.respond({.content_type = "text/plain; charset=utf-8",
                .body = "Everlearn " + options_.version + "\nTasks: /v1/tasks\nDescription of all paths: /openapi.json\n"});
}

void Api::Live(Call& call) { call.respond(JsonResponse({{"status", "live"}})); }

void Api::Ready(Call& call) {
  for (const auto& task : engine_.tasks())
    if (task->snapshot() == nullptr) throw Error(ErrorKind::kResource, "the task '" + task->name() + "' has no model yet");
  call.respond(JsonResponse({{"status", "ready"}}));
}

void Api::Ping(Call& call) {
  const bool ready =
      std::all_of(engine_.tasks().begin(), engine_.tasks().end(), [](const auto& task) { return task->snapshot() != nullptr; });
  call.respond({.status = ready ? 200 : 503, .content_type = "text/plain", .body = "\n"});
}

void Api::Version(Call& call) { call.respond(JsonResponse({{"version", options_.version}})); }

void Api::Metrics(Call& call) {
  metrics_.SetQueueRows(engine_.queued());
  call.respond({.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_.Render()});
}

void Api::Tasks(Call& call) {
  JsonArray tasks;
  for (const auto& task : engine_.tasks()) {
    const auto snapshot = task->snapshot();
    tasks.push_back(JsonObject{{"name", task->name()},
                               {"ready", snapshot != nullptr},
                               {"champion", snapshot == nullptr ? Json(nullptr) : Json(snapshot->champion())}});
  }
  call.respond(JsonResponse({{"tasks", tasks}}));
}

void Api::TaskState(Call& call) {
  LiveTask& task = TaskOf(call, 2);
  const auto found = options_.outcome_times.find(task.name());
  const std::string outcome_time = found == options_.outcome_times.end() ? "" : found->second;
  Submit(call, task, 0, [this, &task, outcome_time]() -> Recorded {
    const LoopState& state = task.state();
    std::vector<double> values{state.served.Value(state.options.metric)};
    for (const Member& member : state.roster.members) values.push_back(member.score.Value(state.options.metric));
    JsonObject status = StatusJson(state, task.frame().task, values);
    JsonObject& described = status["task"].as_object();
    described["name"] = task.name();
    described["time"] = task.frame().task.time;
    described["outcome_time"] = outcome_time;
    described["key"] = JsonArray(task.frame().task.key.begin(), task.frame().task.key.end());
    status["training"] = task.training();
    status["events"] = state.events;
    status["source"] = options_.source_status ? options_.source_status(task.name()) : Json(nullptr);
    if (JsonObject* source = status["source"].if_object()) (*source)["waiting_outcomes"] = task.waiting_outcomes();
    return {JsonResponse(status)};
  });
}

void Api::Models(Call& call) {
  LiveTask& task = TaskOf(call, 2);
  const auto after = call.request.query.find("after");
  const uint64_t first = after == call.request.query.end() ? 0 : NumberOf(after->second, "after");
  Submit(call, task, 0, [&task, first]() -> Recorded {
    JsonArray models;
    const Roster& roster = task.state().roster;
    for (const Member& member : roster.members) {
      if (member.id <= first) continue;
      JsonObject model{{"name", member.name},
                       {"learner", roster.LineageOf(member.id).learner},
                       {"parameters", ParseJson(roster.LineageOf(member.id).parameters, "parameters")},
                       {"role", RoleName(roster, member)},
                       {"version", member.version},
                       {"hash", member.model_hash.empty() ? Json(nullptr) : Json(member.model_hash)},
                       {"since_row", member.since_row},
                       {"day_one", member.id == roster.day_one}};
      for (const auto& [name, value] : ScoreJson(member.score, member.loss, member.score.Value(task.state().options.metric)))
        model[name] = value;
      models.push_back(model);
    }
    return {JsonResponse({{"models", models}, {"next", nullptr}})};
  });
}

void Api::Events(Call& call) {
  LiveTask& task = TaskOf(call, 2);
  const auto after = call.request.query.find("after");
  const uint64_t first = after == call.request.query.end() ? 0 : NumberOf(after->second, "after");
  Submit(call, task, 0, [&task, first]() -> Recorded {
    const std::vector<LedgerNotice> notices = task.ledger().Notices(first, kEventsOfAPage + 1);
    JsonArray events;
    for (size_t i = 0; i < std::min(notices.size(), kEventsOfAPage); ++i) {
      JsonObject event = ParseJson(notices[i].body, "a stored event").as_object();
      event["number"] = notices[i].number;
      events.push_back(event);
    }
    const bool more = notices.size() > kEventsOfAPage;
    return {JsonResponse({{"events", events}, {"next", more ? Json(notices[kEventsOfAPage - 1].number) : Json(nullptr)}})};
  });
}

// Recomputing reads the whole ledger: beside the engine, and one at a time.
void Api::Decision(Call& call) {
  const LiveTask& task = TaskOf(call, 2);
  const uint64_t number = NumberOf(call.path[4], "the decision");
  const auto recompute = [this, name = task.name(), number, respond = std::move(call.respond)] {
    try {
      const std::lock_guard one_at_a_time(working_);
      const auto ledger = OpenLedger(options_.ledger, {.read_only = true}, name);
      respond(JsonResponse(ExplainDecision(*ledger, static_cast<int64_t>(std::min<uint64_t>(number, INT64_MAX)))));
    } catch (const Error& error) {
      respond(ProblemOf(error));
    } catch (const std::exception& problem) {
      respond(ProblemResponse(500, problem.what()));
    }
  };
  const std::lock_guard guard(recomputing_);
  std::erase_if(recomputations_, [](const auto& done) { return done.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
  recomputations_.push_back(std::async(std::launch::async, recompute));
}

void Api::Wish(Call& call) {
  LiveTask& task = TaskOf(call, 2);
  const std::string word = call.path[3];
  std::string member;
  if (word == "promote") {
    const Json body = ParseJson(call.request.body, "the request");
    const Json* named = body.is_object() ? body.as_object().if_contains("member") : nullptr;
    if (named == nullptr || !named->is_string()) throw Error(ErrorKind::kInput, "the request must name a member: {\"member\": \"…\"}");
    member = std::string(named->get_string());
  }
  const std::string by = call.request.caller.empty() ? "the service's owner" : call.request.caller;
  Submit(call, task, 0, [&task, word, member, by]() -> Recorded {
    task.Wish(word, member, by);
    const Roster& roster = task.state().roster;
    return {JsonResponse({{"task", task.name()},
                          {"champion", roster.champion == 0 ? Json(nullptr) : Json(roster.Get(roster.champion).name)},
                          {"paused", task.state().paused}})};
  });
}

}  // namespace everlearn
