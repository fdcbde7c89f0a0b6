// everlearn ledger: copies, checks, exports a ledger, and erases a person's rows from it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/suggest.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/ledger_export.h"
#include "cli/service_target.h"
#include "cli/terminal.h"
#include "data/postgres.h"
#include "loop/erase.h"
#include "loop/verify.h"

namespace everlearn {
namespace {

struct LedgerFlags {
  std::string action, to, what = "predictions", where;
  TargetFlags target;
  bool dry_run = false, force = false;
};

int Backup(const LedgerFlags& flags, const CommonOptions& options) {
  BackupLedger(flags.target.place, flags.to);
  if (options.json) PrintDocument(JsonObject{{"ledger", ShownPlace(flags.target.place)}, {"backup", flags.to}});
  else Say(options, flags.to + " is a copy of " + ShownPlace(flags.target.place));
  return 0;
}

LedgerCheck CheckTask(LedgerStore& store, const std::string& path, const std::string& task) {
  try {
    return CheckLedger(store.Open(task));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDamaged) throw;
    throw Error(error.kind(), path + ", task " + task + ": " + error.message(), "the newest backup that verifies is the one to trust");
  }
}

int Verify(const LedgerFlags& flags, const CommonOptions& options) {
  const std::string path = ShownPlace(flags.target.place);
  const auto store = OpenLedgerStore(flags.target.place, {.read_only = true});
  const std::vector<std::string> tasks = flags.target.task.empty() ? store->Tasks() : std::vector{flags.target.task};
  JsonArray checked;
  std::vector<std::vector<std::string>> rows{
      {"task", "events", "rows", "erased", "predictions", "outcomes", "models", "decisions", "chain"}};
  for (const std::string& task : tasks) {
    const LedgerCheck check = CheckTask(*store, path, task);
    checked.push_back(JsonObject{{"task", task},
                                 {"events", check.events},
                                 {"rows", check.rows},
                                 {"bodies", check.bodies},
                                 {"erased", check.erased},
                                 {"predictions", check.predictions},
                                 {"outcomes", check.outcomes},
                                 {"models", check.models},
                                 {"decisions", check.decisions},
                                 {"chain", check.chain}});
    rows.emplace_back();
    for (const std::string& name : std::vector(rows.front())) rows.back().push_back(CellOf(checked.back(), name));
  }
  if (options.json) PrintDocument(JsonObject{{"ledger", path}, {"tasks", checked}});
  else PrintText(AlignedTable(rows) + "\nThe chain holds, rows and models have their hashes, and the decisions were recomputed: equal.\n");
  return 0;
}

int Export(const LedgerFlags& flags, const CommonOptions& options) {
  const GracefulInterrupt graceful;
  const size_t rows = ExportLedger(*OpenTarget(flags.target), flags.what, flags.to);
  if (options.json) PrintDocument(JsonObject{{"rows", rows}, {"what", flags.what}, {"output", flags.to}});
  else Say(options, fmt::format("{} {} are in {}", Grouped(rows), flags.what, flags.to));
  return 0;
}

int Erase(const LedgerFlags& flags, const CommonOptions& options) {
  const size_t equals = flags.where.find('=');
  if (equals == std::string::npos || equals == 0)
    throw Error(ErrorKind::kUsage, "--where: '" + flags.where + "' is no COL=VALUE", "such as --where customer=4711");
  std::shared_ptr<Ledger> ledger = OpenTarget(flags.target);  // throws where there is no such file or task, which writing would make
  if (!flags.dry_run) {
    ledger.reset();
    ledger = OpenLedger(flags.target.place, {}, flags.target.task);
  }
  const std::vector<RowPlace> found = FindRows(*ledger, flags.where.substr(0, equals), flags.where.substr(equals + 1));
  const size_t after = AfterCheckpoint(*ledger, found).size();
  if (after > 0 && !flags.force && !flags.dry_run) {
    throw Error(ErrorKind::kInput,
                fmt::format("{} of the {} rows came after the newest checkpoint: a restart of the service learns from them once more",
                            after, found.size()),
                "start and stop the service, which writes one, or use --force: they are then learnt from as rows without any value");
  }
  const size_t checkpoints = flags.dry_run ? 0 : EraseRows(*ledger, found);
  if (options.json) {
    JsonArray rows;
    for (const RowPlace& place : found) rows.push_back(place.row);
    PrintDocument(JsonObject{{"rows", rows}, {"erased", flags.dry_run ? 0 : found.size()}, {"checkpoints", checkpoints}});
  } else {
    const char* what = flags.dry_run ? " rows would be erased" : " rows are erased; their predictions, losses and hashes stay";
    Say(options, Grouped(found.size()) + what);
  }
  return 0;
}

struct Action {
  int (*run)(const LedgerFlags&, const CommonOptions&);
  bool takes_to;
  std::vector<std::string> flags;
};

const std::map<std::string, Action>& Actions() {
  static const std::map<std::string, Action> actions{{"backup", {Backup, true, {}}},
                                                     {"verify", {Verify, false, {"--task"}}},
                                                     {"export", {Export, true, {"--task", "--what"}}},
                                                     {"erase", {Erase, false, {"--task", "--where", "--dry-run", "--force"}}}};
  return actions;
}

int Run(const CLI::App& app, const LedgerFlags& flags, const CommonOptions& options) {
  const auto found = Actions().find(flags.action);
  if (found == Actions().end()) {
    std::vector<std::string> known;
    for (const auto& [name, action] : Actions()) known.push_back(name);
    throw Error(ErrorKind::kUsage, "'ledger' has no action '" + flags.action + "'", SuggestionHint(flags.action, known));
  }
  const Action& action = found->second;
  const auto& allowed = action.flags;
  for (const char* flag : {"--task", "--what", "--where", "--dry-run", "--force"})
    if (app.count(flag) > 0 && std::find(allowed.begin(), allowed.end(), flag) == allowed.end())
      throw Error(ErrorKind::kUsage, "'ledger " + flags.action + "' has no flag " + flag, "see: everlearn ledger --help");
  if (flags.to.empty() == action.takes_to)
    throw Error(ErrorKind::kUsage,
                action.takes_to ? "'ledger " + flags.action + "' needs the name of a file to write"
                                : "'ledger " + flags.action + "' writes no file",
                "see: everlearn ledger --help");
  if (flags.action == "erase" && flags.where.empty())
    throw Error(ErrorKind::kUsage, "'ledger erase' needs --where COL=VALUE", "such as --where customer=4711");
  if (IsUrl(flags.target.place))
    throw Error(ErrorKind::kUsage, flags.target.place + " is a service", "this command works on a ledger: give its path");
  return action.run(flags, options);
}

[[maybe_unused]] const bool registered = Commands().Add(
    "ledger", {.order = 62,
               .summary = "back up, verify or export a ledger, or erase a person's rows from it",
               .example = "everlearn ledger backup flights.db copy.db            (also while a service writes it)\n"
                          "  everlearn ledger verify copy.db\n"
                          "  everlearn ledger export flights.db predictions.parquet\n"
                          "  everlearn ledger erase flights.db --where customer=4711",
               .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
                 auto flags = std::make_shared<LedgerFlags>();
                 app.add_option("ACTION", flags->action, "backup, verify, export or erase")->required()->type_name("");
                 AddTargetFlags(app, "LEDGER", &flags->target);
                 app.add_option("TO", flags->to, "of backup and export: the file to write, its format by its ending")->type_name("");
                 app.add_option("--what", flags->what, "of export: predictions (default), outcomes or events")->type_name("WORD");
                 app.add_option("--where", flags->where, "of erase: rows that came with this value in this column")->type_name("COL=VALUE");
                 app.add_flag("--dry-run", flags->dry_run, "of erase: only count them");
                 app.add_flag("--force", flags->force, "of erase: also rows that a restart would learn from once more");
                 return [&app, flags, &options] { return Run(app, *flags, options); };
               }});

}  // namespace
}  // namespace everlearn
