#include "search/portfolio.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "search/search_space.h"

namespace everlearn {
namespace {

constexpr size_t kMostRuns = 100, kTrialsOfARun = 100;  // the most alike and the best so many; bounds the work for large files
constexpr double kOtherMetric = 0.5;                    // weight of a run in another metric
constexpr double kFewTrials = 3;                        // with so many trials a run counts half: its best may not be good
constexpr double kHandWritten = 0.5;                    // of like data sets, so many count as much as the hand-written order
constexpr double kLeastGain = 1e-4;                     // of the mean excess
constexpr double kOverheadShare = 0.03;                 // of the budget: what is cheaper than that is cheap enough
constexpr double kOverheadSeconds = 1;                  // where the budget is not known

// The runs' losses as a matrix: one row a configuration, one column a run; 1 where it was not tried, or failed.
struct Results {
  std::vector<Candidate> candidates;
  std::vector<std::vector<double>> excess;
  std::vector<double> weights;  // of the runs, their sum is 1
  double evidence = 0;          // the sum before
};

double RunWeight(const ExperienceRun& run, const StrategyContext& context) {
  const auto trials = static_cast<double>(run.trials.size());
  const bool same_metric = context.metric.empty() || context.metric == run.metric;
  return Similarity(run.data, context.data) * (same_metric ? 1 : kOtherMetric) * trials / (trials + kFewTrials);
}

// The mean losses of a run's trials, NaN where there is none. Some have not all folds, and folds differ: a loss counts by how far it is
// from the mean of the trials that have the most folds.
std::vector<double> ComparableLosses(const ExperienceRun& run) {
  size_t folds = 0;
  for (const ExperienceTrial& trial : run.trials) folds = std::max(folds, std::isfinite(trial.loss()) ? trial.fold_losses.size() : 0);
  std::vector<double> fold_means(folds), counts(folds);
  for (const ExperienceTrial& trial : run.trials) {
    for (size_t f = 0; f < folds && trial.fold_losses.size() == folds && std::isfinite(trial.loss()); ++f) {
      if (!std::isfinite(trial.fold_losses[f])) continue;
      fold_means[f] += trial.fold_losses[f];
      ++counts[f];
    }
  }
  double mean = 0, used = 0;
  for (size_t f = 0; f < folds; ++f) {
    if (counts[f] == 0) continue;
    fold_means[f] /= counts[f];
    mean += fold_means[f];
    ++used;
  }
  std::vector<double> losses;
  for (const ExperienceTrial& trial : run.trials) {
    double sum = 0, count = 0;
    for (size_t f = 0; f < std::min(folds, trial.fold_losses.size()); ++f) {
      if (!std::isfinite(trial.fold_losses[f]) || counts[f] == 0) continue;
      sum += trial.fold_losses[f] - fold_means[f];
      ++count;
    }
    losses.push_back(std::isfinite(trial.loss()) && count > 0 ? mean / used + sum / count : std::numeric_limits<double>::quiet_NaN());
  }
  return losses;
}

Results Collect(const StrategyContext& context, const std::set<std::string>& allowed) {
  Results results;
  std::map<std::string, size_t> places;
  const std::vector<ExperienceRun>& runs = context.experience->runs();
  for (size_t r = 0; r < runs.size(); ++r) {
    results.weights.push_back(RunWeight(runs[r], context));
    std::vector<std::pair<double, size_t>> order;  // loss, trial
    const std::vector<double> losses = ComparableLosses(runs[r]);
    for (size_t t = 0; t < losses.size(); ++t) {
      if (std::isfinite(losses[t])) order.emplace_back(losses[t], t);
    }
    std::sort(order.begin(), order.end());
    for (const auto& [loss, t] : order) {
      const ExperienceTrial& trial = runs[r].trials[t];
      if (allowed.count(trial.learner) == 0) continue;
      auto candidate = CandidateFrom(trial.learner, trial.parameters);
      if (!candidate) continue;
      const auto [place, is_new] = places.emplace(CandidateKey(*candidate), results.candidates.size());
      if (is_new) {
        results.candidates.push_back(std::move(*candidate));
        results.excess.emplace_back(runs.size(), 1.0);
      }
      double& excess = results.excess[place->second][r];
      excess = std::min(excess, ExcessLoss(loss, order.front().first, runs[r].constant_loss));
    }
  }
  results.evidence = std::accumulate(results.weights.begin(), results.weights.end(), 0.0);
  for (double& weight : results.weights) weight = results.evidence > 0 ? weight / results.evidence : 0;
  return results;
}

// Takes the configuration with the largest gain for its cost, until none gains; returns their places.
std::vector<size_t> Greedy(const Results& results, const std::vector<double>& seconds, double overhead) {
  std::vector<size_t> order;
  std::vector<bool> taken(results.candidates.size());
  std::vector<double> best(results.weights.size(), 1.0);
  while (order.size() < results.candidates.size()) {
    double best_score = 0;
    size_t chosen = results.candidates.size();
    for (size_t c = 0; c < results.candidates.size(); ++c) {
      if (taken[c]) continue;
      double gain = 0;
      for (size_t r = 0; r < best.size(); ++r) gain += results.weights[r] * std::max(0.0, best[r] - results.excess[c][r]);
      const double score = gain / (seconds[c] + overhead);
      if (gain < kLeastGain || score <= best_score) continue;
      best_score = score;
      chosen = c;
    }
    if (chosen == results.candidates.size()) break;
    taken[chosen] = true;
    order.push_back(chosen);
    for (size_t r = 0; r < best.size(); ++r) best[r] = std::min(best[r], results.excess[chosen][r]);
  }
  return order;
}

double MeanExcess(const Results& results, size_t candidate) {
  return std::inner_product(results.weights.begin(), results.weights.end(), results.excess[candidate].begin(), 0.0);
}

// What earlier runs say; `trust`: how much, from 0 to 1.
std::vector<Candidate> LearntOrder(const StrategyContext& context, const std::set<std::string>& allowed, double* trust) {
  std::vector<Candidate> order;
  *trust = 0;
  if (context.experience == nullptr || context.experience->runs().empty()) return order;
  const Results results = Collect(context, allowed);
  *trust = results.evidence / (results.evidence + kHandWritten);
  const CostModel cost(*context.experience);
  std::vector<double> seconds;
  for (const Candidate& candidate : results.candidates) seconds.push_back(cost.Seconds(candidate, context.data));
  const double overhead = context.budget_seconds > 0 ? kOverheadShare * context.budget_seconds : kOverheadSeconds;
  for (const size_t place : Greedy(results, seconds, overhead)) order.push_back(results.candidates[place]);
  std::vector<std::pair<double, size_t>> rest;
  for (size_t c = 0; c < results.candidates.size(); ++c) rest.emplace_back(MeanExcess(results, c), c);
  std::sort(rest.begin(), rest.end());
  for (const auto& [excess, place] : rest) order.push_back(results.candidates[place]);
  return order;
}

std::vector<Candidate> HandWrittenOrder(const StrategyContext& context, const std::set<std::string>& allowed) {
  std::vector<Candidate> order;
  for (const PortfolioEntry& entry : DefaultPortfolio()) {
    const bool fits = entry.only == PortfolioEntry::Only::kAll || (entry.only == PortfolioEntry::Only::kValues && context.classes == 0) ||
                      (entry.only == PortfolioEntry::Only::kManyClasses && context.classes > 2);
    if (allowed.count(entry.learner) == 0 || !fits) continue;
    if (const auto candidate = CandidateFrom(entry.learner, entry.parameters)) order.push_back(*candidate);
  }
  return order;
}

}  // namespace

double ExcessLoss(double loss, double best, double constant) {
  constexpr double kNothing = 0.003;  // of the constant model's loss
  if (!(loss > best)) return 0;
  const double shift = best < 0 ? 1 : 0;
  if (best + shift < 0) return constant > best ? std::min(1.0, (loss - best) / (constant - best)) : 1;
  const double added = shift + (std::isfinite(constant) ? kNothing * std::abs(constant + shift) : 0);
  const double ratio = (loss + added) / (best + added);
  return std::isfinite(ratio) ? std::min(1.0, std::log2(ratio)) : 1;
}

Experience MostAlike(const StrategyContext& context) {
  Experience chosen;
  if (context.experience == nullptr) return chosen;
  const std::vector<ExperienceRun>& runs = context.experience->runs();
  std::vector<std::pair<double, size_t>> order;  // -weight, run
  for (size_t r = 0; r < runs.size(); ++r) order.emplace_back(-RunWeight(runs[r], context), r);
  std::sort(order.begin(), order.end());
  if (order.size() > kMostRuns) order.resize(kMostRuns);
  std::vector<size_t> places;
  for (const auto& [weight, r] : order) places.push_back(r);
  std::sort(places.begin(), places.end());
  for (const size_t r : places) {
    ExperienceRun run = runs[r];
    run.KeepBest(kTrialsOfARun);
    chosen.Add(std::move(run));
  }
  return chosen;
}

std::vector<Candidate> RankedPortfolio(const StrategyContext& context) {
  const std::vector<std::string> learners = AllowedLearners(context);
  const std::set<std::string> allowed(learners.begin(), learners.end());
  double trust = 0;
  const std::vector<Candidate> learnt = LearntOrder(context, allowed, &trust), written = HandWrittenOrder(context, allowed);
  std::vector<Candidate> ranked;
  std::set<std::string> given;
  const auto give = [&](const Candidate& candidate) {
    if (given.insert(CandidateKey(candidate)).second) ranked.push_back(candidate);
  };
  // From both orders in turn, so often from each as it is trusted.
  for (size_t l = 0, w = 0; l < learnt.size() || w < written.size();) {
    const bool from_learnt =
        w == written.size() || (l < learnt.size() && static_cast<double>(l + 1) * (1 - trust) <= static_cast<double>(w + 1) * trust);
    give(from_learnt ? learnt[l++] : written[w++]);
  }
  for (const std::string& learner : learners) give(NamedCandidate(learner, ParameterValues(Learners().Get(learner).parameters)));
  return ranked;
}

}  // namespace everlearn
