#include "cli/search_flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/error.h"
#include "base/suggest.h"
#include "base/timestamp.h"
#include "cli/budget_flag.h"
#include "cli/earlier_search.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "search/budgeted_search.h"
#include "search/quick_search.h"
#include "search/strategy.h"

namespace everlearn {
namespace {

// What a word of --quality stands for.
struct Quality {
  const char* name;
  const char* budget;  // where none is given
  int folds;
};
constexpr Quality kQualities[] = {{"fast", "10s", 5}, {"balanced", "60s", 8}, {"best", "300s", 8}};

const Quality& FindQuality(const std::string& name) {
  for (const Quality& quality : kQualities)
    if (name == quality.name) return quality;
  throw Error(ErrorKind::kUsage, "--quality: '" + name + "' is not understood", SuggestionHint(name, {"best", "balanced", "fast"}));
}

Budget BudgetOf(const SearchFlags& flags) { return ParseBudget(flags.budget.empty() ? FindQuality(flags.quality).budget : flags.budget); }

double Latency(const std::string& text) {
  if (text.empty()) return 0;
  const auto time = ParseDuration(text);
  if (!time || *time <= 0)
    throw Error(ErrorKind::kUsage, "--max-latency: '" + text + "' is not understood", "write a time such as 1ms or 200us");
  return static_cast<double>(*time) / static_cast<double>(kMicrosecondsPerSecond);
}

struct Constraint {
  std::string column;
  int8_t sign;
};

Constraint ParseConstraint(const std::string& text) {
  const size_t equals = text.rfind('=');
  const std::string sign = equals == std::string::npos ? "" : text.substr(equals + 1);
  if (sign != "+1" && sign != "1" && sign != "-1")
    throw Error(ErrorKind::kUsage, "--monotone: '" + text + "' is not understood",
                "write COL=+1 where predictions must not fall, or COL=-1");
  return {text.substr(0, equals), static_cast<int8_t>(sign == "-1" ? -1 : 1)};
}

std::vector<int8_t> MonotoneFeatures(const SearchFlags& flags, const TrainingData& training) {
  if (flags.monotone.empty()) return {};
  if (training.task.labels.size() > 2)
    throw Error(ErrorKind::kUsage, "--monotone does not go with more than two classes", "leave it out, or predict a number");
  std::vector<int8_t> signs(training.space.size(), 0);
  for (const std::string& text : flags.monotone) {
    const Constraint constraint = ParseConstraint(text);
    std::vector<std::string> names;
    bool found = false;
    for (size_t j = 0; j < training.space.size(); ++j) {
      const Feature& feature = training.space.features()[j];
      names.push_back(feature.name);
      if (feature.name != constraint.column) continue;
      if (feature.is_category())
        throw Error(ErrorKind::kUsage, "--monotone: '" + constraint.column + "' is a category, which has no order");
      signs[j] = constraint.sign;
      found = true;
    }
    if (!found)
      throw Error(ErrorKind::kUsage, "--monotone: no number among the features is called '" + constraint.column + "'",
                  SuggestionHint(constraint.column, names));
  }
  return signs;
}

// Only what can promise it; models of an earlier search promised nothing.
void KeepMonotone(const std::vector<std::string>& named, BudgetedSearchOptions* search) {
  for (const std::string& name : named) {
    if (!Learners().Get(name).monotone)
      throw Error(ErrorKind::kUsage, "--monotone: " + name + " cannot keep it", "leave that learner out of --learners");
  }
  std::erase_if(search->first, [](const Candidate& candidate) { return !Learners().Get(candidate.learner).monotone; });
  search->earlier.clear();
}

// Folds on which the metric says nothing (one class only) go behind the others: a trial is begun on the first.
void PutTellingFoldsFirst(const TrainingData& training, std::vector<Fold>* folds) {
  const std::vector<double> values = ConstantValues(Metrics().Get(training.task.metric), *training.data, *folds);
  std::vector<Fold> telling, others;
  for (size_t k = 0; k < folds->size(); ++k) (std::isnan(values[k]) ? others : telling).push_back(std::move((*folds)[k]));
  std::move(others.begin(), others.end(), std::back_inserter(telling));
  *folds = std::move(telling);
}

SearchedModel QuickModel(TrainingData* training, const TaskFlags& task, const CommonOptions& options) {
  SearchOptions search;
  search.metric = training->task.metric;
  search.seed = options.seed;
  search.threads = options.threads;
  search.time_ordered = !training->task.time.empty();
  search.stop = Interrupted;
  search.keep_predictions = true;
  search.candidates = ChooseCandidates(task, training->task, false);
  const bool nothing_to_learn = training->space.size() == 0 || training->task.labels.size() == 1;
  if (nothing_to_learn) search.candidates = {DefaultCandidate("constant")};
  Progress progress(options, "cross-validation: fit");
  search.progress = [&progress](size_t done, size_t all) { progress.Show(done, all); };
  SearchResult found = RunQuickSearch(*training->data, training->folds, search);
  SearchedModel model;
  model.predictions = std::move(found.board.rows[found.best].predictions);
  model.board = std::move(found.board);
  model.best = found.best;
  model.model = std::move(found.model);
  const LeaderboardRow& best = model.board.rows[model.best];
  model.notes["candidates"] = JsonArray{JsonObject{{"learner", best.learner}, {"parameters", best.parameters}}};
  return model;
}

std::string ExperiencePath(const SearchFlags& flags) {
  if (flags.experience == "none") return "";
  return flags.experience.empty() ? DefaultExperiencePath() : flags.experience;
}

// The user's own file must not keep a search from its work; one that was asked for must be readable.
Experience LoadExperience(const SearchFlags& flags, const std::string& path, std::vector<SchemaWarning>* warnings) {
  if (path.empty()) return {};
  try {
    Experience experience = Experience::Load(path);
    if (const size_t damaged = experience.damaged_lines(); damaged > 0)
      warnings->push_back({"experience",
                           fmt::format("{} of {} cannot be read and {} skipped", damaged == 1 ? "a line" : fmt::format("{} lines", damaged),
                                       path, damaged == 1 ? "is" : "are"),
                           ""});
    return experience;
  } catch (const Error& error) {
    if (!flags.experience.empty()) throw;
    warnings->push_back({"experience", "earlier searches are not used: " + error.message(), ""});
    return {};
  }
}

void Remember(const BudgetedSearchResult& result, const TrainingData& training, const std::string& path, const std::string& source,
              std::vector<SchemaWarning>* warnings) {
  constexpr size_t kMostRemembered = 200;  // trials of a search, so that the file grows slowly; no reader looks at more
  ExperienceRun run;
  run.source = ExperienceSource(source);
  run.kind = TaskKindName(training.task.kind);
  run.metric = training.task.metric;
  run.data = result.description;
  run.constant_loss = result.constant_loss;
  run.trials = result.experience;
  run.KeepBest(kMostRemembered);
  const std::string failure = Experience::Append(path, run);
  if (!failure.empty()) warnings->push_back({"experience", "this search was not remembered: " + failure, ""});
}

// What the flags ask for, but for the experience and the watch.
BudgetedSearchOptions ToSearchOptions(const TrainingData& training, const TaskFlags& task, const SearchFlags& flags,
                                      const CommonOptions& options, std::vector<SchemaWarning>* warnings) {
  BudgetedSearchOptions search;
  const Budget budget = BudgetOf(flags);
  search.metric = training.task.metric;
  search.seed = options.seed;
  search.threads = options.threads;
  search.memory_bytes = options.memory_bytes;
  search.seconds = budget.seconds;
  search.units = budget.units;
  search.strategy = flags.strategy;
  search.monotone = MonotoneFeatures(flags, training);
  search.max_latency = Latency(flags.max_latency);
  search.learners = task.learners;
  search.time_ordered = !training.task.time.empty();
  search.stop = Interrupted;
  if (!flags.earlier.empty()) {
    EarlierSearch earlier = ReadEarlierSearch(flags.earlier, training, warnings);
    search.first = std::move(earlier.candidates);
    search.earlier = std::move(earlier.fold_models);
  }
  if (!task.learners.empty() || !task.settings.empty())
    for (Candidate& candidate : ChooseCandidates(task, training.task, !search.monotone.empty()))
      search.first.push_back(std::move(candidate));
  if (!search.monotone.empty()) KeepMonotone(task.learners, &search);
  return search;
}

}  // namespace

void AddSearchFlags(CLI::App& app, SearchFlags* flags) {
  const auto text = [&app](const char* name, std::string* value, const char* type, const char* doc) {
    app.add_option(name, *value, doc)->type_name(type)->group("Search");
  };
  text("--budget", &flags->budget, "TIME|UNITS",
       "time for the whole run, such as 60s, or work units, such as 2000units (default: no search)");
  text("--quality", &flags->quality, "WORD", "best, balanced or fast: a budget of 300s, 60s or 10s, where none is given");
  text("--max-latency", &flags->max_latency, "TIME", "most time to predict one row, such as 1ms");
  text("--continue", &flags->earlier, "MODEL", "begin with what an earlier search found");
  text("--strategy", &flags->strategy, "NAME", "how the next trial is chosen (default: auto)");
  text("--leave-out", &flags->leave_out, "NAME", "use no experience with the source of this name, for honest benchmarks");
  text("--experience", &flags->experience, "FILE|none", "what earlier searches taught (default: the user's own file)");
  app.add_option("--monotone", flags->monotone, "features whose growth must not lower (+1) or raise (-1) predictions")
      ->type_name("COL=+1,…")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->expected(1, 1 << 20)
      ->group("Search");
}

void CheckSearchFlags(const SearchFlags& flags) {
  if (!flags.quality.empty()) FindQuality(flags.quality);
  if (!flags.budget.empty()) ParseBudget(flags.budget);
  Latency(flags.max_latency);
  Strategies().Get(flags.strategy);
  for (const std::string& text : flags.monotone) ParseConstraint(text);
  if (HasBudget(flags)) return;
  const std::pair<const char*, bool> need_budget[] = {
      {"--max-latency", !flags.max_latency.empty()}, {"--continue", !flags.earlier.empty()}, {"--monotone", !flags.monotone.empty()}};
  for (const auto& [flag, given] : need_budget)
    if (given) throw Error(ErrorKind::kUsage, std::string(flag) + " needs a search", "say how long: --budget 60s");
}

bool HasBudget(const SearchFlags& flags) { return !flags.budget.empty() || !flags.quality.empty(); }

double BudgetSeconds(const SearchFlags& flags) { return HasBudget(flags) ? BudgetOf(flags).seconds : 0; }

int DefaultFolds(const SearchFlags& flags) {
  constexpr int kQuickFolds = 5;
  if (!HasBudget(flags)) return kQuickFolds;
  return FindQuality(flags.quality.empty() ? "balanced" : flags.quality).folds;
}

SearchedModel SearchModel(TrainingData* training, const TaskFlags& task, const SearchFlags& flags, const std::string& source,
                          const CommonOptions& options, const Stopwatch& watch) {
  const bool nothing_to_learn = training->space.size() == 0 || training->task.labels.size() == 1 || training->folds.empty();
  if (!HasBudget(flags) || nothing_to_learn) return QuickModel(training, task, options);
  SearchedModel model;
  const std::string path = ExperiencePath(flags);
  const Experience known = Experience::BuiltIn().With(LoadExperience(flags, path, &model.warnings));
  const Experience all = flags.leave_out.empty() ? known : known.Without(flags.leave_out);
  model.notes["experience"] = all.Hash();
  BudgetedSearchOptions search = ToSearchOptions(*training, task, flags, options, &model.warnings);
  search.watch = watch;
  search.experience = &all;
  if (search.time_ordered) {
    // The past of the newest fold, which is measured first: on less, numbers that grow with time would be one in all that is newer.
    training->data->FitBinsOnFirst(training->folds.back().validation.front());
    std::reverse(training->folds.begin(), training->folds.end());
  }
  // Folds by content keep their places, by which a search that continues this one finds its models.
  if (!training->content_folds) PutTellingFoldsFirst(*training, &training->folds);
  Progress progress(options, "search:");
  constexpr size_t kPercent = 100;
  search.progress = [&](double share, size_t) { progress.Show(static_cast<size_t>(share * kPercent), kPercent); };
  BudgetedSearchResult result = RunBudgetedSearch(&training->data, training->folds, search);
  if (!path.empty()) Remember(result, *training, path, source, &model.warnings);
  if (search.max_latency > 0 && result.seconds_per_row > search.max_latency)
    model.warnings.push_back(
        {"latency",
         fmt::format("no model keeps --max-latency {}: the fastest takes {:.1f} µs a row", flags.max_latency, 1e6 * result.seconds_per_row),
         ""});
  NoteSearch(result, *training, &model.notes);
  model.board = std::move(result.board);
  model.best = result.best;
  model.model = std::move(result.model);
  model.predictions = std::move(result.predictions);
  model.fold_values = std::move(result.fold_values);
  model.train_value = result.train_value;
  model.curve = std::move(result.curve);
  model.peak_memory_bytes = result.peak_memory_bytes;
  return model;
}

}  // namespace everlearn
