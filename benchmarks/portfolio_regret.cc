// What experience is worth: for each data set of a file of experience, the portfolio is ranked from that of n other sets (never from its
// own), its configurations are "run" in that order, each taking the seconds that it took, and the excess loss of the best one that ends
// inside a time is the regret. Means over sets and draws of the n others.
//
//   build/release/benchmarks/portfolio/portfolio_regret [FILE]     (default: the built-in experience)
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"
#include "base/random.h"
#include "search/portfolio.h"
#include "search/search_space.h"

namespace everlearn {
namespace {

constexpr size_t kDraws = 8;
constexpr double kTimes[] = {2, 5, 10, 30, 60};  // seconds of one core for one fold each

struct Outcome {
  double loss, seconds;
};

// Runs of one source as one.
std::vector<ExperienceRun> Merged(const Experience& experience) {
  std::map<std::string, ExperienceRun> merged;
  for (const ExperienceRun& run : experience.runs()) {
    const auto [whole, is_new] = merged.emplace(run.source, run);
    if (!is_new) whole->second.trials.insert(whole->second.trials.end(), run.trials.begin(), run.trials.end());
  }
  std::vector<ExperienceRun> runs;
  for (auto& [source, run] : merged) runs.push_back(std::move(run));
  return runs;
}

size_t Classes(const ExperienceRun& run) { return static_cast<size_t>(run.data.classes); }

// The regret at each time of an order of configurations on a run.
std::vector<double> Regrets(const ExperienceRun& run, const std::vector<Candidate>& order) {
  std::map<std::string, Outcome> outcomes;
  double best = std::numeric_limits<double>::infinity();
  for (const ExperienceTrial& trial : run.trials) {
    const auto candidate = CandidateFrom(trial.learner, trial.parameters);
    if (!candidate) continue;
    outcomes[CandidateKey(*candidate)] = {trial.loss(), trial.seconds};
    if (trial.loss() < best) best = trial.loss();
  }
  std::vector<double> regrets(std::size(kTimes), 1.0);
  double seconds = 0;
  for (const Candidate& candidate : order) {
    const auto outcome = outcomes.find(CandidateKey(candidate));
    if (outcome == outcomes.end()) continue;
    seconds += outcome->second.seconds;
    for (size_t t = 0; t < std::size(kTimes); ++t) {
      if (seconds <= kTimes[t] && std::isfinite(outcome->second.loss))
        regrets[t] = std::min(regrets[t], ExcessLoss(outcome->second.loss, best, run.constant_loss));
    }
  }
  return regrets;
}

// An order that knows nothing: the run's own configurations, shuffled.
std::vector<Candidate> Shuffled(const ExperienceRun& run, Random* random) {
  std::vector<Candidate> order;
  for (const ExperienceTrial& trial : run.trials) {
    if (const auto candidate = CandidateFrom(trial.learner, trial.parameters)) order.push_back(*candidate);
  }
  random->Shuffle(std::span<Candidate>(order));
  return order;
}

// Mean regrets when `seen` other sets are known; 0: the hand-written portfolio; -1: in random order.
std::vector<double> MeanRegrets(const std::vector<ExperienceRun>& runs, int seen) {
  std::vector<double> means(std::size(kTimes));
  for (size_t r = 0; r < runs.size(); ++r) {
    for (size_t draw = 0; draw < kDraws; ++draw) {
      Random random = Random::Derive(draw, r);
      std::vector<size_t> others;
      for (size_t o = 0; o < runs.size(); ++o) {
        if (o != r) others.push_back(o);
      }
      random.Shuffle(std::span<size_t>(others));
      Experience experience;
      for (int i = 0; i < seen; ++i) experience.Add(runs[others[static_cast<size_t>(i)]]);
      StrategyContext context;
      context.experience = &experience;
      context.data = runs[r].data;
      context.classes = Classes(runs[r]);
      context.metric = runs[r].metric;
      context.budget_seconds = 60;
      const auto regrets = Regrets(runs[r], seen < 0 ? Shuffled(runs[r], &random) : RankedPortfolio(context));
      for (size_t t = 0; t < means.size(); ++t) means[t] += regrets[t] / static_cast<double>(runs.size() * kDraws);
    }
  }
  return means;
}

void Run(const Experience& experience) {
  const std::vector<ExperienceRun> runs = Merged(experience);
  if (runs.size() < 2) throw Error(ErrorKind::kInput, "there are too few data sets");
  fmt::print(
      "{} data sets; mean excess loss (binary logarithm of the ratio to the best configuration) after seconds of one core\n\n| sets seen |",
      runs.size());
  for (const double time : kTimes) fmt::print(" {} s |", time);
  fmt::print("\n|---|---|---|---|---|---|\n");
  std::vector<int> numbers{-1, 0};
  for (int n = 1; n < static_cast<int>(runs.size()) - 1; n *= 2) numbers.push_back(n);
  numbers.push_back(static_cast<int>(runs.size()) - 1);
  for (const int n : numbers) {
    fmt::print("| {} |", n < 0 ? "random order" : n == 0 ? "none (hand-written order)" : std::to_string(n));
    for (const double regret : MeanRegrets(runs, n)) fmt::print(" {:.4f} |", regret);
    fmt::print("\n");
  }
}

}  // namespace
}  // namespace everlearn

int main(int count, char** arguments) {
  using namespace everlearn;
  try {
    Run(count > 1 ? Experience::Load(arguments[1]) : Experience::BuiltIn());
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.message());
    return 1;
  }
  return 0;
}
