// everlearn feed: sends the rows of a table to a running service in event time, and their outcomes when they are due.
#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "cli/command.h"
#include "cli/feed_plan.h"
#include "cli/feed_sender.h"
#include "cli/interrupt.h"
#include "cli/service_target.h"
#include "cli/task_flags.h"
#include "cli/terminal.h"
#include "data/postgres.h"
#include "data/reader.h"
#include "server/http_client.h"

namespace everlearn {
namespace {

constexpr int kInterruptedStatus = 130;
constexpr size_t kUsualBatch = 100;

struct FeedFlags {
  std::string source, url, task, speed = "max", api_key_file;
  size_t batch = 0;  // 0: by the speed
  double rate = 0;
  int connections = 1;
  TaskFlags types;
  FeedRequest request;
};

// 0: as fast as the answers come.
double ParseSpeed(const std::string& text) {
  if (text == "max") return 0;
  double speed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), speed);
  const std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error != std::errc() || !(speed > 0 && speed <= 1e12) || (!rest.empty() && rest != "x"))
    throw Error(ErrorKind::kUsage, "--speed: '" + text + "' is not understood",
                "write max, or how much faster than the clock, such as 3600x");
  return speed;
}

// What the service says about its task; nothing where this key may not ask.
JsonObject AskForTask(HttpClient& client, const std::string& path) {
  constexpr int kForbidden = 403;
  const HttpAnswer answer = client.Send("GET", path, "");
  if (answer.status == kForbidden) return {};
  if (answer.status != 200) ThrowProblem(answer, path);
  const Json document = ParseJson(answer.body, "the service's answer");
  const Json* task = document.is_object() ? document.get_object().if_contains("task") : nullptr;
  return task != nullptr && task->is_object() ? task->get_object() : JsonObject{};
}

std::string TextOrNothing(const JsonObject& object, std::string_view name) {
  const Json* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

// What no flag says is as the service says, where the table has such a column.
void Complete(const JsonObject& task, const Table& table, FeedRequest* request) {
  const auto column = [&](const char* name) {
    std::string text = TextOrNothing(task, name);
    return table.Find(text) >= 0 ? text : "";
  };
  if (request->target.empty()) request->target = column("target");
  if (request->time.empty()) request->time = column("time");
  const std::string outcome_time = column("outcome_time");
  if (!outcome_time.empty()) request->hidden.push_back(outcome_time);  // with --delay, too, it is not known when the row is
  if (request->outcome_time.empty() && request->delay.empty() && !request->time.empty()) request->outcome_time = outcome_time;
}

FeedPlan ReadPlan(const FeedFlags& flags, const JsonObject& task, const CommonOptions& common) {
  std::vector<std::string> said;
  Table raw = ReadTable(flags.source, {common.threads, common.memory_bytes, common.query}, &said);
  FeedRequest request = flags.request;
  Complete(task, raw, &request);
  if (request.target.empty()) said.emplace_back("no target is known: rows are sent, but no outcomes (name it with --target)");
  std::vector<SchemaWarning> warnings;
  FeedPlan plan(raw, ToInferOptions(flags.types, ShownPlace(flags.source)), request, &warnings);
  for (const std::string& message : said) Warn(common, message);
  for (const SchemaWarning& warning : warnings) Warn(common, warning.message);
  return plan;
}

int Feed(const FeedFlags& flags, const CommonOptions& common) {
  FeedOptions options;
  options.speed = ParseSpeed(flags.speed);
  CheckTaskName(flags.task);
  std::string url = flags.url;
  while (url.ends_with('/')) url.pop_back();
  options.path = "/v1/tasks/" + flags.task;
  options.rows_a_second = flags.rate;
  options.connections = flags.connections;
  options.batch = flags.batch > 0 ? flags.batch : options.speed > 0 ? 1 : kUsualBatch;
  options.connect = [&] { return HttpClient::Make(url, {.api_key_file = flags.api_key_file}); };

  const FeedPlan plan = ReadPlan(flags, AskForTask(*options.connect(), options.path), common);
  if (options.speed > 0 && !plan.has_times())
    throw Error(ErrorKind::kUsage, "--speed " + flags.speed + " needs times", "name their column with --time, or hold a rate with --rate");

  const GracefulInterrupt graceful;
  Progress progress(common, "sent rows:");
  options.stop = Interrupted;
  options.progress = [&](size_t rows) { progress.Show(rows, plan.rows()); };
  const FeedReport report = RunFeed(plan, options);
  if (common.json) PrintDocument(report.ToJson());
  else PrintText(report.Text());
  return report.interrupted ? kInterruptedStatus : 0;
}

void AddFlags(CLI::App& app, FeedFlags* flags) {
  const auto text = [&app](const char* name, std::string* value, const char* type, const char* doc) {
    return app.add_option(name, *value, doc)->type_name(type);
  };
  FeedRequest& request = flags->request;
  text("SOURCE", &flags->source, "", "file, pattern, SQL, postgresql://… with --query, or - for CSV on standard input")->required();
  text("--to", &flags->url, "URL", "where the service listens")->required();
  text("--task", &flags->task, "NAME", "the task of the service")->required();
  text("--target", &request.target, "COL", "the column of outcomes; it is not sent with the rows (default: as the service says)");
  text("--time", &request.time, "COL", "event time of the rows (default: as the service says; without any, the order of the source)");
  text("--outcome-time", &request.outcome_time, "COL", "when an outcome became known (default: as the service says; without any, at once)");
  text("--delay", &request.delay, "TIME", "an outcome becomes known so long after its row, such as 3h");
  app.add_option("--type", flags->types.types, "number, integer, boolean, timestamp, category or text, where the inferred one is wrong")
      ->type_name("COL=TYPE,…")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->expected(1, 1 << 20);
  text("--start", &request.start, "ROWS|DATE", "leave out what comes before (default: 0)");
  app.add_option("--limit", request.limit, "send at most so many rows")->check(CLI::Range(1, 1 << 30))->type_name("ROWS");
  text("--speed", &flags->speed, "max|3600x", "event time against the clock (default: max, as fast as the answers come)");
  app.add_option("--rate", flags->rate, "at most so many rows a second")->check(CLI::Range(1e-6, 1e9))->type_name("ROWS");
  app.add_option("--batch", flags->batch, "rows of a request, at most (default: 1 with --speed 3600x and the like, else 100)")
      ->check(CLI::Range(1, 100'000))
      ->type_name("N");
  app.add_option("--connections", flags->connections, "with more than 1, requests overtake each other (default: 1)")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  text("--api-key-file", &flags->api_key_file, "FILE", "the secret that the service asks for");
}

[[maybe_unused]] const bool registered =
    Commands().Add("feed", {.order = 44,
                            .summary = "send the rows of a table to a running service, and their outcomes when they are due",
                            .example = "everlearn feed flights.parquet --to http://127.0.0.1:8080 --task late --speed 3600x",
                            .setup = [](CLI::App& app, const CommonOptions& common) -> std::function<int()> {
                              auto flags = std::make_shared<FeedFlags>();
                              AddFlags(app, flags.get());
                              return [flags, &common] { return Feed(*flags, common); };
                            }});

}  // namespace
}  // namespace everlearn
