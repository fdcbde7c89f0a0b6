// Tries configurations on a data set, one after another on one core, and adds what they lost to a file of experience: the raw material of
// the portfolio that the program ships with (benchmarks/portfolio). What is in the file already is not tried again.
//
// The configurations are the hand-written portfolio and, of each learner, its defaults and random ones from its search space, the same for
// every data set. Times are CPU seconds of the thread, so that other work on the machine does not count.
//
//   build/release/benchmarks/portfolio/portfolio_trials adult.csv.gz --target income --kind binary --metric auc --output trials.jsonl
//   --random 4
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <map>
#include <set>

#include "base/error.h"
#include "base/resources.h"
#include "cli/training_data.h"
#include "search/portfolio.h"
#include "search/search_space.h"

namespace everlearn {
namespace {

constexpr uint64_t kSeed = 1;

struct TrialsFlags {
  std::string source, output;
  TaskFlags task;
  int folds_used = 1;
  size_t random = 4, most_rows = 0;
  double seconds = 20;
};

// In rounds, so that what is cut short has some of each learner.
std::vector<Candidate> Configurations(const StrategyContext& context, size_t random_ones) {
  std::vector<Candidate> candidates;
  std::set<std::string> known;
  const auto add = [&](const Candidate& candidate) {
    if (known.insert(CandidateKey(candidate)).second) candidates.push_back(candidate);
  };
  for (const Candidate& candidate : RankedPortfolio(context)) add(candidate);
  for (size_t round = 0; round < random_ones; ++round) {
    for (const std::string& learner : AllowedLearners(context)) {
      const SearchSpace space(learner);
      if (space.size() == 0) continue;
      Random random = Random::Derive(kSeed, round);
      add(space.At(space.RandomPosition(&random)));
    }
  }
  return candidates;
}

ExperienceTrial Try(const Candidate& candidate, const TrainingData& training, const std::vector<Fold>& folds, const TrialsFlags& flags) {
  const Metric& metric = Metrics().Get(training.task.metric);
  ExperienceTrial trial{.learner = candidate.learner, .parameters = candidate.parameters.ToJson().as_object()};
  trial.units = CandidateUnits(candidate, DescribeData(*training.data));
  const double begin = ThreadCpuSeconds();
  try {
    for (const Fold& fold : folds) {
      FitOptions options{.seed = FitSeed(kSeed, trial.fold_losses.size()), .threads = 1};
      options.validation = fold.validation;
      const double start = ThreadCpuSeconds();
      options.stop = [&] { return ThreadCpuSeconds() - start > flags.seconds; };
      const auto model = FitLearner(candidate.learner, {training.data.get(), fold.train}, candidate.parameters, options);
      trial.seconds += (ThreadCpuSeconds() - start) / static_cast<double>(folds.size());
      const double value = Measure(metric, *model, *training.data, fold.validation);
      trial.fold_losses.push_back(metric.higher_is_better ? -value : value);
    }
  } catch (const Error& error) {
    trial.status = "failed";
    fmt::print(stderr, "{}: {}\n", candidate.name, error.message());
    trial.seconds = ThreadCpuSeconds() - begin;
  }
  return trial;
}

// The first `most` rows of each part, in the order of the rows' hash, so that they are a sample.
std::vector<Fold> Smaller(std::vector<Fold> folds, size_t most) {
  for (Fold& fold : folds) {
    for (std::vector<uint32_t>* part : {&fold.train, &fold.validation}) {
      if (most == 0 || part->size() <= most) continue;
      Random random(kSeed);
      random.Shuffle(std::span<uint32_t>(*part));
      part->resize(most);
      std::sort(part->begin(), part->end());
    }
  }
  return folds;
}

void Run(const TrialsFlags& flags) {
  CommonOptions options;
  options.threads = 1;
  options.seed = kSeed;
  CheckTaskFlags(flags.task);
  const TrainingData training = ReadTrainingData(flags.source, flags.task, options);
  std::vector<Fold> folds = Smaller(training.folds, flags.most_rows);
  folds.resize(std::min(folds.size(), static_cast<size_t>(flags.folds_used)));
  training.data->binned();  // not part of the first trial's time

  StrategyContext context;
  context.data = DescribeData(*training.data);
  context.data.rows = static_cast<double>(folds.at(0).train.size());
  context.classes = training.data->classes();
  context.learners = flags.task.learners;
  ExperienceRun run;
  run.source = ExperienceSource(flags.source);
  run.kind = TaskKindName(training.task.kind);
  run.metric = training.task.metric;
  run.data = context.data;
  run.constant_loss = Try(*CandidateFrom("constant", {}), training, folds, flags).loss();

  std::set<std::string> known;
  const Experience present = Experience::Load(flags.output);
  for (const ExperienceRun& old : present.runs()) {
    if (old.source != run.source) continue;
    for (const ExperienceTrial& trial : old.trials) known.insert(trial.learner + " " + ToText(trial.parameters));
  }
  for (const Candidate& candidate : Configurations(context, flags.random)) {
    if (known.count(CandidateKey(candidate)) > 0) continue;
    run.trials = {Try(candidate, training, folds, flags)};
    const std::string problem = Experience::Append(flags.output, run);
    if (!problem.empty()) throw Error(ErrorKind::kResource, problem);
    fmt::print(stderr, "{} {}: {:.5g} in {:.2f} s\n", run.source, candidate.name, run.trials[0].loss(), run.trials[0].seconds);
  }
}

}  // namespace
}  // namespace everlearn

int main(int count, char** arguments) {
  using namespace everlearn;
  TrialsFlags flags;
  CLI::App app("Tries configurations on a data set, for the portfolio that the program ships with.");
  app.add_option("SOURCE", flags.source)->required();
  app.add_option("--output", flags.output, "file of experience")->required();
  app.add_option("--random", flags.random, "random configurations of each learner");
  app.add_option("--seconds", flags.seconds, "after which a fit is ended early");
  app.add_option("--folds-used", flags.folds_used, "so many of the folds");
  app.add_option("--most-rows", flags.most_rows, "of each part of a fold; 0: all");
  AddTaskFlags(app, &flags.task);
  CLI11_PARSE(app, count, arguments);
  try {
    Run(flags);
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.message());
    return 1;
  }
  return 0;
}
