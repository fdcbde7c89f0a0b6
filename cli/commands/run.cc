// everlearn run: the self-running loop as a service.
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>

#include "base/byte_size.h"
#include "base/error.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/declared_task.h"
#include "cli/live_source.h"
#include "cli/task_changes.h"
#include "cli/terminal.h"
#include "data/postgres.h"
#include "data/postgres_reader.h"
#include "loop/records.h"
#include "server/service.h"

namespace everlearn {
namespace {

struct RunFlags {
  std::string config, task, data, watermark, ledger, durability, listen, webhook;
  TaskFlags columns;
  std::vector<std::string> labels;
  LoopFlags loop;
};

// One task of the service, in the words of the flags, wherever they came from.
struct ServedTask {
  std::string name, source, query, watermark;
  TaskFlags columns;
  std::vector<std::string> labels;
  LoopFlags loop;
  uint64_t memory_bytes = 0;
};

ServedTask FromConfig(const TaskConfig& config) {
  ServedTask task;
  task.name = config.name;
  task.source = !config.sql.empty() ? config.sql : config.source;
  if (!config.postgresql.empty()) {
    task.source = config.postgresql;
    task.query = TableQuery(config.table);
  }
  task.watermark = config.watermark;
  task.columns.task.target = config.target;
  task.columns.task.kind = config.kind;
  task.columns.task.metric = config.metric;
  task.columns.task.time = config.time;
  task.columns.task.key = config.key;
  task.columns.task.ignore = config.ignore;
  for (const auto& [column, type] : config.types) task.columns.types.push_back(column + "=" + type);
  for (const auto& [parameter, value] : config.set) task.columns.settings.push_back(parameter + "=" + value);
  task.labels = config.labels;
  task.loop.outcome_time = config.outcome_time;
  task.loop.outcome_after = config.outcome_after;
  task.loop.outcome_window = config.outcome_window;
  task.loop.missing_outcome = config.missing_outcome;
  task.loop.autonomy = config.autonomy;
  task.loop.roster = config.roster;
  task.loop.detectors = config.detectors;
  task.loop.row_budget = config.row_budget;
  task.loop.lags = config.lags;
  task.loop.retrain = config.retrain;
  if (!config.budget.empty()) task.loop.budget = config.budget;
  task.loop.error_rate = config.error_rate;
  task.loop.minimum_gain = config.minimum_gain;
  if (!config.memory.empty()) task.memory_bytes = ParseByteSize(config.memory).value_or(0);
  return task;
}

SourceOutcome ToSourceOutcome(const LoopFlags& flags) {
  SourceOutcome outcome{.time = flags.outcome_time, .after = 0};
  if (flags.outcome_after.empty()) return outcome;
  if (!outcome.time.empty())
    throw Error(ErrorKind::kUsage, "--outcome-after and --outcome-time exclude each other", "an outcome has one time");
  const auto after = ParseDuration(flags.outcome_after);
  if (!after) throw Error(ErrorKind::kUsage, "--outcome-after: '" + flags.outcome_after + "' is no time", "write it as 6h, 30m or 1d");
  outcome.after = *after;
  return outcome;
}

// What the file says, and then the flags.
ServiceConfig Configure(const RunFlags& flags, const CommonOptions& common, std::vector<ServedTask>* tasks) {
  ServiceConfig config;
  if (!flags.config.empty()) config = LoadServiceConfig(flags.config);
  for (const TaskConfig& task : config.tasks) tasks->push_back(FromConfig(task));
  if (!flags.task.empty()) {
    if (!common.query.empty() && flags.data.empty()) throw Error(ErrorKind::kUsage, "--query needs --data", "name the database");
    if (flags.columns.task.target.empty()) throw Error(ErrorKind::kUsage, "--task needs --target", "name the column to predict");
    if (!IsTaskName(flags.task))
      throw Error(ErrorKind::kUsage, "--task: '" + flags.task + "' is no name of a task", "use letters, digits, _ and -");
    tasks->push_back({flags.task, flags.data, common.query, flags.watermark, flags.columns, flags.labels, flags.loop, 0});
  }
  for (ServedTask& task : *tasks) task.loop.quick_roster = true;
  if (tasks->empty())
    throw Error(ErrorKind::kUsage, "there is no task to serve", "give a configuration file, or --task, --data and --target");
  if (!flags.ledger.empty()) config.ledger = flags.ledger;
  if (!flags.durability.empty()) config.durability = flags.durability;
  if (!flags.listen.empty()) config.http.listen = flags.listen;
  if (!flags.webhook.empty()) config.webhook = flags.webhook;
  if (config.durability != "power" && config.durability != "process")
    throw Error(ErrorKind::kUsage, "--durability: '" + config.durability + "' is unknown", "write power or process");
  for (size_t i = 0; i < tasks->size(); ++i) {
    const ServedTask& task = (*tasks)[i];
    try {
      CheckTaskFlags(task.columns);
      ToLoopOptions(task.loop, task.columns, 0);
      ToSourceOutcome(task.loop);
    } catch (const Error& error) {
      if (i >= config.tasks.size()) throw;
      throw Error(error.kind(),
                  flags.config + ", line " + std::to_string(config.tasks[i].line) + ": [tasks." + task.name + "] " + error.message(),
                  error.hint());
    }
  }
  return config;
}

LiveOptions OptionsOf(const CommonOptions& common, LiveEngine::Notice notice) {
  LiveOptions options;
  options.threads = common.threads;
  options.clock = [] {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  };
  options.notice = std::move(notice);
  return options;
}

// What says how rows are read, which no option of the loop remembers.
constexpr const char* kGivenFact = "given";
JsonObject GivenBy(const ServedTask& served) {
  JsonArray ignored(served.columns.task.ignore.begin(), served.columns.task.ignore.end());
  JsonArray types(served.columns.types.begin(), served.columns.types.end());
  return {{"data", ShownPlace(served.source)},
          {"ignored columns", ToText(ignored)},
          {"types", ToText(types)},
          {"outcome time", served.loop.outcome_time},
          {"outcome after", served.loop.outcome_after}};
}

// At a restart: what is left out is as it was, what reads rows otherwise is refused, and another place of the data is told.
void CompareGiven(const Ledger& ledger, ServedTask* served) {
  const auto fact = ledger.Fact(kGivenFact);
  if (!fact) return;
  const Json was = ParseJson(*fact, "the ledger's facts");
  for (const auto& [name, value] : GivenBy(*served)) {
    const std::string before = TextField(was, name), now = std::string(value.as_string());
    if (before == now || now.empty() || now == "[]") continue;
    if (name == "data") {
      LogLine("warning", "the data was " + before + ", is " + now + ": what is there counts as new", {{"task", served->name}});
      continue;
    }
    throw Error(ErrorKind::kUsage,
                "the " + std::string(name) + " of the task '" + served->name + "' is " + (before.empty() ? "none" : before) +
                    " in its ledger, and cannot become " + now,
                "name another task or another ledger");
  }
  served->loop.outcome_time = TextField(was, "outcome time");
  served->loop.outcome_after = TextField(was, "outcome after");
}

// Makes a task from its source where the ledger does not have it, and goes on with it where it does.
void AddTask(const ServedTask& served, const std::string& ledger_path, LedgerStore& store, Service& service, const CommonOptions& common) {
  Ledger& ledger = store.Open(served.name);
  const bool is_new = !ledger.Fact(kTaskFact);
  std::unique_ptr<GrowingSource> growing;
  if (!served.source.empty()) {
    const ReadOptions read{common.threads, common.memory_bytes, served.query};
    growing = OpenGrowingSource(served.source, {read, served.watermark});
  }
  std::unique_ptr<LiveSource> source;
  if (is_new && growing == nullptr) {
    LoopOptions options = ToLoopOptions(served.loop, served.columns, common.seed);
    const TaskFrame frame = DeclareTask(served.name, served.columns, served.labels, served.loop, &options);
    LiveTask::Create(ledger, frame, options);
  } else if (is_new) {
    std::vector<SchemaWarning> warnings;
    CommonOptions reading = common;
    reading.query = served.query;
    source = std::make_unique<LiveSource>(served.source, *growing, served.columns, served.loop, reading, &warnings);
    for (const SchemaWarning& warning : warnings) LogLine("warning", warning.message, {{"task", served.name}});
    LiveTask::Create(ledger, source->frame(), source->options());
  }
  if (is_new) ledger.SetFact(kGivenFact, ToText(GivenBy(served)));
  const uint64_t memory = served.memory_bytes > 0 ? served.memory_bytes : common.memory_bytes;
  LiveTask& task = service.engine().Add(served.name, [&](Ledger& its_ledger, LiveEngine::Notice notice) {
    LiveOptions options = OptionsOf(common, std::move(notice));
    options.source_outcome = [&service, name = served.name](OutcomeStatus status) { service.CountSourceOutcome(name, status); };
    return std::make_unique<LiveTask>(served.name, its_ledger, MakeLedgerTrainer(ledger_path, served.name, {memory}), options);
  });
  if (source != nullptr) {
    for (size_t i = 0; i < source->rows(); ++i) task.AddHistory(source->Row(i), source->Truth(i));
    SourceFeed::KeepPosition(ledger, *growing, source->position(), source->read());
    task.Checkpoint();
    store.Commit();
    task.EndHistory();
    LogLine("info", "the past was read", {{"task", served.name}, {"rows", source->rows()}});
    if (const auto& labels = task.frame().task.labels; labels.size() == 1)
      LogLine("warning", "the past has only the class '" + labels[0] + "': outcomes of another will be refused", {{"task", served.name}});
  } else if (is_new) {
    store.Commit();
    LogLine("info", "there is no past: it learns from the first row on", {{"task", served.name}});
  } else {
    const TaskChanges changes = CompareTask(served.name, task.frame().task, task.state(), served.columns, served.loop);
    if (!changes.options.empty()) task.Configure(changes.options, changes.in_words);
    store.Commit();
  }
  if (growing != nullptr) service.Feed(task, std::move(growing), ShownPlace(served.source), ToSourceOutcome(served.loop));
}

int Run(const RunFlags& flags, const CommonOptions& common) {
  std::vector<ServedTask> tasks;
  const ServiceConfig config = Configure(flags, common, &tasks);
  CheckHttpOptions(config.http);
  const Durability durability = config.durability == "power" ? Durability::kPower : Durability::kProcess;
  const auto store = OpenLedgerStore(config.ledger, {.durability = durability, .short_commits = true});
  ServiceOptions options{config.http, config.ledger, config.webhook, EVERLEARN_VERSION, {}};
  for (ServedTask& task : tasks) CompareGiven(store->Open(task.name), &task);
  for (const ServedTask& task : tasks) options.outcome_times[task.name] = task.loop.outcome_time;
  // From here on SIGINT and SIGTERM wait for sigwait below; threads inherit that.
  Service service(store, options);
  for (const ServedTask& task : tasks) AddTask(task, config.ledger, *store, service, common);
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  service.Start();
  LogLine("info", "listening", {{"port", service.port()}, {"listen", config.http.listen}, {"tasks", tasks.size()}});
  int signal_number = 0;
  sigwait(&ending, &signal_number);
  pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);  // a second one ends the process at once
  LogLine("info", "stopping", {{"signal", signal_number}});
  service.Stop();
  return 0;
}

[[maybe_unused]] const bool registered = Commands().Add(
    "run",
    {.order = 42,
     .summary = "serve a task: answer requests, remember predictions, learn from outcomes, improve by evidence",
     .example = "everlearn run --task late --data flights.parquet --target late --time scheduled --key flight,scheduled\n"
                "  curl -d '{\"rows\": [{\"carrier\": \"UA\", …}]}' http://127.0.0.1:8080/v1/tasks/late/predictions",
     .setup = [](CLI::App& app, const CommonOptions& common) -> std::function<int()> {
       auto flags = std::make_shared<RunFlags>();
       flags->loop.budget = "60s";
       app.add_option("CONFIG", flags->config, "configuration (.toml); or describe one task by flags")->type_name("");
       app.add_option("--task", flags->task, "name of the task")->type_name("NAME");
       app.add_option("--data", flags->data, "its past, and what comes from now on: file, pattern, SQL, postgresql://… with --query, or -")
           ->type_name("SOURCE");
       app.add_option("--watermark", flags->watermark, "a column of the query that only grows: new rows are read by it")->type_name("COL");
       app.add_option("--outcome-after", flags->loop.outcome_after, "the source's outcomes are known so long after their rows")
           ->type_name("TIME");
       app.add_option("--labels", flags->labels, "the classes, where there is no past to tell them")->delimiter(',')->type_name("A,B");
       AddTaskFlags(app, &flags->columns);
       app.get_option("--target")->required(false);
       AddLoopFlags(app, &flags->loop);
       for (const char* name : {"--start", "--delay"}) app.remove_option(app.get_option(name));
       app.add_option("--ledger", flags->ledger, "file or PostgreSQL schema that remembers everything (default: everlearn.db)")
           ->type_name("FILE|postgresql://…");
       app.add_option("--durability", flags->durability, "power (survives a loss of power, default) or process (survives kill -9)")
           ->type_name("power|process");
       app.add_option("--listen", flags->listen, "address and port (default: 127.0.0.1:8080)")->type_name("ADDRESS:PORT");
       app.add_option("--webhook", flags->webhook, "each event is sent there as JSON")->type_name("URL");
       return [flags, &common] { return Run(*flags, common); };
     }});

}  // namespace
}  // namespace everlearn
