// everlearn experience: what earlier searches left behind for later ones: list, show, forget, export, import.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "search/experience.h"

namespace everlearn {
namespace {

struct ExperienceFlags {
  std::string action, name;
  std::string path;
  bool built_in = false;
};

std::string PathOf(const ExperienceFlags& flags) {
  std::string path = flags.path.empty() ? DefaultExperiencePath() : flags.path;
  if (path.empty()) throw Error(ErrorKind::kUsage, "there is no place for the experience", "name a file with --experience");
  return path;
}

Experience Read(const ExperienceFlags& flags, const CommonOptions& options) {
  if (flags.built_in) return Experience::BuiltIn();
  Experience experience = Experience::Load(PathOf(flags));
  if (const size_t damaged = experience.damaged_lines(); damaged > 0)
    Warn(options, Grouped(damaged) + " lines of " + PathOf(flags) + " cannot be read, and were left out");
  return experience;
}

// The trials of a run that have a loss, best first.
std::vector<const ExperienceTrial*> BestFirst(const ExperienceRun& run) {
  std::vector<const ExperienceTrial*> trials;
  for (const ExperienceTrial& trial : run.trials) {
    if (std::isfinite(trial.loss())) trials.push_back(&trial);
  }
  std::stable_sort(trials.begin(), trials.end(), [](const auto* a, const auto* b) { return a->loss() < b->loss(); });
  return trials;
}

int List(const ExperienceFlags& flags, const CommonOptions& options) {
  const Experience experience = Read(flags, options);
  JsonArray list;
  std::vector<std::vector<std::string>> rows{
      {"source", "kind", "metric", "rows", "features", "trials", "best loss", "constant", "learner"}};
  for (const ExperienceRun& run : experience.runs()) {
    const auto best = BestFirst(run);
    const Json best_loss = best.empty() ? Json(nullptr) : Json(best[0]->loss());
    const std::string learner = best.empty() ? "" : best[0]->learner;
    rows.push_back({run.source, run.kind, run.metric, CellText(run.data.rows), CellText(run.data.features), Grouped(run.trials.size()),
                    CellText(best_loss), CellText(run.constant_loss), learner});
    list.push_back(JsonObject{{"source", run.source},
                              {"kind", run.kind},
                              {"metric", run.metric},
                              {"data", run.data.ToJson()},
                              {"trials", run.trials.size()},
                              {"best_loss", best_loss},
                              {"constant_loss", run.constant_loss},
                              {"learner", learner}});
  }
  if (options.json) {
    PrintDocument(JsonObject{{"experience", flags.built_in ? Json(nullptr) : Json(PathOf(flags))},
                             {"hash", experience.Hash()},
                             {"damaged_lines", experience.damaged_lines()},
                             {"runs", list}});
  } else if (list.empty()) {
    PrintText("no experience yet\n");
  } else {
    PrintText(AlignedTable(rows));
  }
  return 0;
}

int Show(const ExperienceFlags& flags, const CommonOptions& options) {
  const Experience experience = Read(flags, options);
  JsonArray list;
  std::string text;
  for (const ExperienceRun& run : experience.runs()) {
    if (!IsSourceNamed(run.source, flags.name)) continue;
    list.push_back(ToJson(run));
    std::vector<std::vector<std::string>> rows{{"learner", "loss", "fit s", "parameters"}};
    for (const ExperienceTrial* trial : BestFirst(run))
      rows.push_back({trial->learner, Figure(trial->loss()), Figure(trial->seconds), ToText(trial->parameters)});
    text += run.source + ": " + run.kind + ", " + run.metric + "\n" + ToText(run.data.ToJson()) + "\n\n" + AlignedTable(rows) + "\n";
  }
  if (list.empty())
    throw Error(ErrorKind::kNotFound, "there is no experience with " + flags.name, "everlearn experience list shows what there is");
  if (options.json) {
    PrintDocument(JsonObject{{"runs", list}});
  } else {
    PrintText(text);
  }
  return 0;
}

int Tell(const CommonOptions& options, const char* what, size_t runs, const std::string& path) {
  if (options.json) {
    PrintDocument(JsonObject{{"experience", path}, {what, runs}});
  } else {
    Say(options, std::string(what) + " " + Grouped(runs) + (runs == 1 ? " run" : " runs"));
  }
  return 0;
}

int Export(const ExperienceFlags& flags, const CommonOptions& options) {
  const Experience experience = Read(flags, options);
  std::ofstream file(flags.name, std::ios::binary);
  file << experience.Export();
  file.close();
  if (!file) throw Error(ErrorKind::kPermission, flags.name + " cannot be written");
  return Tell(options, "exported", experience.runs().size(), flags.name);
}

int Run(const ExperienceFlags& flags, const CommonOptions& options) {
  const bool named = !flags.name.empty();
  const auto need = [&](const char* what) {
    if (!named) throw Error(ErrorKind::kUsage, "experience " + flags.action + " needs " + what);
  };
  if (flags.built_in && (flags.action == "forget" || flags.action == "import"))
    throw Error(ErrorKind::kUsage, "what the program ships with cannot be changed", "leave out --built-in");
  if (flags.action == "list") {
    if (named) throw Error(ErrorKind::kUsage, "experience list takes no name", "everlearn experience show " + flags.name);
    return List(flags, options);
  }
  if (flags.action == "show") {
    need("the NAME of a source");
    return Show(flags, options);
  }
  if (flags.action == "forget") {
    need("the NAME of a source");
    return Tell(options, "forgotten", Experience::Forget(PathOf(flags), flags.name), PathOf(flags));
  }
  if (flags.action == "export") {
    need("a FILE to write");
    return Export(flags, options);
  }
  if (flags.action == "import") {
    need("a FILE to read");
    return Tell(options, "imported", Experience::Import(flags.name, PathOf(flags)), PathOf(flags));
  }
  throw Error(ErrorKind::kUsage, "experience cannot '" + flags.action + "'",
              SuggestionHint(flags.action, {"list", "show", "forget", "export", "import"}));
}

[[maybe_unused]] const bool registered = Commands().Add(
    "experience", {.order = 72,
                   .summary = "list, show or forget what earlier searches left for later ones, export or import it",
                   .example = "everlearn experience list\n"
                              "  everlearn experience show loans\n"
                              "  everlearn experience forget loans\n"
                              "  everlearn experience export team.jsonl",
                   .setup = [](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
                     auto flags = std::make_shared<ExperienceFlags>();
                     app.add_option("ACTION", flags->action, "list, show, forget, export or import")->required()->type_name("");
                     app.add_option("NAME", flags->name,
                                    "of show and forget: the name of a source, with or without its ending; of export and import: a file")
                         ->type_name("");
                     app.add_option("--experience", flags->path, "the file (default: " + DefaultExperiencePath() + ")")->type_name("FILE");
                     app.add_flag("--built-in", flags->built_in, "of list, show and export: what the program ships with");
                     return [flags, &options] { return Run(*flags, options); };
                   }});

}  // namespace
}  // namespace everlearn
