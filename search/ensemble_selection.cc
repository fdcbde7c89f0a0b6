#include "search/ensemble_selection.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/parallel.h"
#include "base/random.h"
#include "search/mixture_loss.h"

namespace everlearn {
namespace {

constexpr size_t kMaxCandidates = 64;            // the best ones alone take part
constexpr size_t kMaxNumbers = 8'000'000;        // of all gathered predictions together
constexpr double kCover = 0.9;                   // of the rows of the candidate with the most
constexpr double kLastGain = 0.01;               // a share of the gain that is not worth further members
constexpr size_t kFewRows = 5'000, kSplits = 5;  // halves are drawn several times where there are few rows

// Gathered predictions of the candidates on some rows.
struct Part {
  std::vector<double> truth, weights;
  std::vector<std::vector<double>> columns;  // one a candidate
};

struct Problem {
  const MixtureLoss& loss;
  std::span<const double> truth, weights;
  std::vector<SelectionCandidate> candidates;
  const SelectionOptions& options;
};

Part MakePart(const Problem& problem, std::span<const uint32_t> rows) {
  Part part;
  for (const uint32_t row : rows) {
    part.truth.push_back(problem.truth[row]);
    if (!problem.weights.empty()) part.weights.push_back(problem.weights[row]);
  }
  for (const SelectionCandidate& candidate : problem.candidates)
    part.columns.push_back(problem.loss.Gather(candidate.predictions, problem.truth, rows));
  return part;
}

// The candidates of the steps, in their order; at least one. A step adds what lowers the loss of the mean the most; among equals one that
// is in already, then the first.
std::vector<size_t> Greedy(const Problem& problem, const Part& part) {
  const size_t count = part.columns.size();
  const double limit = problem.options.max_seconds_per_row > 0 ? problem.options.max_seconds_per_row : HUGE_VAL;
  std::vector<size_t> picks;
  std::vector<bool> member(count, false);
  std::vector<double> sum(part.columns[0].size()), losses(count);
  double seconds = 0;
  while (picks.size() < problem.options.max_steps) {
    if (!picks.empty() && problem.options.stop && problem.options.stop()) break;
    const double scale = 1.0 / static_cast<double>(picks.size() + 1);
    ParallelFor(count, problem.options.threads, [&](size_t c) {
      losses[c] = HUGE_VAL;
      if (!member[c] && seconds + problem.candidates[c].seconds_per_row > limit) return;
      std::vector<double> mixture(sum.size());
      for (size_t i = 0; i < sum.size(); ++i) mixture[i] = (sum[i] + part.columns[c][i]) * scale;
      losses[c] = problem.loss.Of(mixture, part.truth, part.weights);
    });
    size_t best = 0;
    for (size_t c = 1; c < count; ++c) {
      if (losses[c] < losses[best] || (losses[c] == losses[best] && member[c] && !member[best])) best = c;
    }
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += part.columns[best][i];
    if (!member[best]) seconds += problem.candidates[best].seconds_per_row;
    member[best] = true;
    picks.push_back(best);
  }
  return picks;
}

// losses[t] += loss of the first t + 1 picks on another part.
void AddLosses(const Problem& problem, const Part& part, const std::vector<size_t>& picks, std::vector<double>* losses) {
  std::vector<double> sum(part.columns[0].size()), mixture(sum.size());
  losses->resize(std::min(losses->size(), picks.size()));
  for (size_t t = 0; t < losses->size(); ++t) {
    for (size_t i = 0; i < sum.size(); ++i) {
      sum[i] += part.columns[picks[t]][i];
      mixture[i] = sum[i] / static_cast<double>(t + 1);
    }
    (*losses)[t] += problem.loss.Of(mixture, part.truth, part.weights);
  }
}

// How many steps do best on rows that they were not chosen on; the least number that has almost all of the gain. The maximum where there
// was no time to find out.
size_t ChooseSteps(const Problem& problem, std::vector<uint32_t> rows) {
  std::vector<double> losses(problem.options.max_steps, 0.0);
  Random random = Random::Derive(problem.options.seed, 1);
  const size_t splits = rows.size() < kFewRows ? kSplits : 1;
  bool known = false;
  for (size_t split = 0; split < splits; ++split) {
    random.Shuffle(std::span(rows));
    const std::span<const uint32_t> all(rows);
    const Part a = MakePart(problem, all.first(rows.size() / 2)), b = MakePart(problem, all.subspan(rows.size() / 2));
    const std::vector<size_t> of_a = Greedy(problem, a), of_b = Greedy(problem, b);
    if (problem.options.stop && problem.options.stop()) break;
    AddLosses(problem, b, of_a, &losses);
    AddLosses(problem, a, of_b, &losses);
    known = true;
  }
  if (!known) return problem.options.max_steps;
  const double best = *std::min_element(losses.begin(), losses.end());
  size_t steps = 0;
  while (losses[steps] > best + kLastGain * (losses[0] - best)) ++steps;
  return steps + 1;
}

bool HasRow(const SelectionCandidate& candidate, size_t row, size_t outputs) { return !std::isnan(candidate.predictions[row * outputs]); }

// The candidates with enough rows, by number; `rows` gets those that all of them have.
std::vector<size_t> Considered(std::span<const SelectionCandidate> candidates, size_t all_rows, size_t outputs,
                               std::vector<uint32_t>* rows) {
  std::vector<size_t> counts;
  for (const SelectionCandidate& candidate : candidates) {
    if (candidate.predictions.size() != all_rows * outputs)
      throw Error(ErrorKind::kInternal, "the predictions of a candidate have a wrong size");
    size_t count = 0;
    for (size_t row = 0; row < all_rows; ++row) count += HasRow(candidate, row, outputs) ? 1 : 0;
    counts.push_back(count);
  }
  const size_t most = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
  if (most == 0) throw Error(ErrorKind::kInternal, "no candidate of the ensemble has a prediction");
  std::vector<size_t> considered;
  for (size_t c = 0; c < candidates.size(); ++c) {
    if (static_cast<double>(counts[c]) >= kCover * static_cast<double>(most)) considered.push_back(c);
  }
  for (size_t row = 0; row < all_rows; ++row) {
    if (std::all_of(considered.begin(), considered.end(), [&](size_t c) { return HasRow(candidates[c], row, outputs); }))
      rows->push_back(static_cast<uint32_t>(row));
  }
  if (!rows->empty()) return considered;
  // They have no row in common: the first of those with the most is alone.
  const size_t widest = static_cast<size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  for (size_t row = 0; row < all_rows; ++row) {
    if (HasRow(candidates[widest], row, outputs)) rows->push_back(static_cast<uint32_t>(row));
  }
  return {widest};
}

std::vector<uint32_t> Sample(const std::vector<uint32_t>& rows, size_t count, uint64_t seed) {
  if (rows.size() <= count) return rows;
  std::vector<uint32_t> sample = rows;
  Random::Derive(seed, 0).Shuffle(std::span(sample));
  sample.resize(count);
  std::sort(sample.begin(), sample.end());
  return sample;
}

// Keeps the candidates inside the limit of time (or the fastest), and of those the best; numbers in order.
std::vector<size_t> Screen(const Problem& problem, std::span<const SelectionCandidate> candidates, std::vector<size_t> numbers,
                           std::span<const uint32_t> rows) {
  const double limit = problem.options.max_seconds_per_row;
  const auto fastest = *std::min_element(numbers.begin(), numbers.end(),
                                         [&](size_t a, size_t b) { return candidates[a].seconds_per_row < candidates[b].seconds_per_row; });
  if (limit > 0) std::erase_if(numbers, [&](size_t c) { return candidates[c].seconds_per_row > limit; });
  if (numbers.empty()) return {fastest};
  if (numbers.size() <= kMaxCandidates) return numbers;
  const Part part = MakePart(problem, rows);  // truth and weights: the problem has no candidates yet
  std::vector<double> losses(candidates.size());
  ParallelFor(numbers.size(), problem.options.threads, [&](size_t i) {
    const size_t c = numbers[i];
    losses[c] = problem.loss.Of(problem.loss.Gather(candidates[c].predictions, problem.truth, rows), part.truth, part.weights);
  });
  std::stable_sort(numbers.begin(), numbers.end(), [&](size_t a, size_t b) { return losses[a] < losses[b]; });
  numbers.resize(kMaxCandidates);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// The metric of the weighted mean on these rows.
double ValueOf(const Problem& problem, const Metric& metric, size_t classes, std::span<const double> weights,
               std::span<const uint32_t> rows) {
  const size_t outputs = classes == 0 ? 1 : classes;
  std::vector<double> mixture(rows.size() * outputs), truth(rows.size()), row_weights;
  for (size_t i = 0; i < rows.size(); ++i) {
    truth[i] = problem.truth[rows[i]];
    if (!problem.weights.empty()) row_weights.push_back(problem.weights[rows[i]]);
    for (size_t c = 0; c < weights.size(); ++c) {
      if (weights[c] == 0) continue;
      const double* row = &problem.candidates[c].predictions[rows[i] * outputs];
      for (size_t k = 0; k < outputs; ++k) mixture[i * outputs + k] += weights[c] * row[k];
    }
  }
  return metric.compute({truth, mixture, classes, row_weights});
}

}  // namespace

size_t Selection::members() const {
  return static_cast<size_t>(std::count_if(weights.begin(), weights.end(), [](double weight) { return weight > 0; }));
}

Selection SelectEnsemble(const std::string& metric, std::span<const double> truth, std::span<const double> weights, size_t classes,
                         std::span<const SelectionCandidate> candidates, const SelectionOptions& options) {
  const MixtureLoss loss(metric, classes, !weights.empty());
  std::vector<uint32_t> rows;
  std::vector<size_t> numbers = Considered(candidates, truth.size(), classes == 0 ? 1 : classes, &rows);
  const size_t taking_part = std::min(numbers.size(), kMaxCandidates);
  const size_t rows_that_fit = std::max<size_t>(kMaxNumbers / (loss.width() * taking_part), 1'000);
  const std::vector<uint32_t> sample = Sample(rows, std::min({options.max_rows, loss.enough_rows(), rows_that_fit}), options.seed);

  Problem problem{loss, truth, weights, {}, options};
  numbers = Screen(problem, candidates, std::move(numbers), sample);
  for (const size_t c : numbers) problem.candidates.push_back(candidates[c]);
  std::vector<size_t> picks = Greedy(problem, MakePart(problem, sample));
  if (numbers.size() > 1 && sample.size() >= 4) picks.resize(std::min(picks.size(), ChooseSteps(problem, sample)));

  std::vector<double> own(numbers.size(), 0.0), single(numbers.size(), 0.0);
  for (const size_t pick : picks) ++own[pick];
  for (double& weight : own) weight /= static_cast<double>(picks.size());
  single[picks[0]] = 1;
  Selection selection;
  selection.weights.assign(candidates.size(), 0.0);
  for (size_t i = 0; i < numbers.size(); ++i) selection.weights[numbers[i]] = own[i];
  selection.best_single = numbers[picks[0]];
  selection.value = ValueOf(problem, Metrics().Get(metric), classes, own, rows);
  selection.single_value = ValueOf(problem, Metrics().Get(metric), classes, single, rows);
  return selection;
}

}  // namespace everlearn
