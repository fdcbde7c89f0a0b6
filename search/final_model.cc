#include "search/final_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "model/ensemble.h"
#include "model/model_bytes.h"
#include "model/stack.h"
#include "search/ensemble_selection.h"
#include "search/stacking.h"

namespace everlearn {
namespace {

constexpr size_t kMostCandidates = 40;

// What the ensemble chooses from: a trial with the fold models that make its bag.
struct Variant {
  size_t trial;
  size_t models;  // of its first folds
  double seconds_per_row;
};

double SecondsPerRow(const Trial& trial, const std::vector<Fold>& folds, size_t models) {
  double sum = 0;
  for (size_t k = 0; k < models; ++k)
    sum += trial.pieces[k]->predict_seconds / static_cast<double>(std::max<size_t>(1, folds[k].validation.size()));
  return sum;
}

// How many of the first fold models are what the first one was measured as: not those from one on that time cut much shorter.
size_t GoodModels(const Trial& trial) {
  constexpr double kMuchShorter = 0.7;
  size_t models = 1;
  while (models < trial.done() &&
         !(trial.pieces[models]->cut && trial.pieces[models]->fit_seconds < kMuchShorter * trial.pieces[0]->fit_seconds))
    ++models;
  return models;
}

// Moved, never copied: the views would stay behind.
struct Selected {
  std::vector<Variant> variants;
  Selection selection;
  size_t common = 0;           // folds
  std::vector<uint32_t> rows;  // of their validation parts, fold by fold
  // Of each variant on these rows; a view of the trial's own, or of one in `joined`.
  std::vector<std::span<const double>> predictions;
  std::vector<std::vector<double>> joined;
};

// The best trials whose predictions are still there.
std::vector<size_t> Candidates(const Trials& trials) {
  std::vector<size_t> candidates;
  for (const size_t i : trials.Ranked())
    if (!trials[i].pieces[0]->predictions.empty() && candidates.size() < kMostCandidates) candidates.push_back(i);
  return candidates;
}

// Whether another trial of the same learner has more than twice the folds and is about as good on those that both have: what the few folds
// of a trial seem to gain is then less than its small bag loses.
bool IsSuperseded(size_t trial, const std::vector<size_t>& ranked, const Trials& trials) {
  constexpr double kAsGood = 0.01;  // of what the constant is behind
  const size_t folds = trials[trial].done();
  const double own = trials.Loss(trial, folds), range = trials.ConstantLoss(folds) - own;
  return std::any_of(ranked.begin(), ranked.end(), [&](size_t other) {
    return trials[other].candidate.learner == trials[trial].candidate.learner && trials[other].done() > 2 * folds &&
           trials.Loss(other, folds) - own <= kAsGood * range;
  });
}

// Its predictions on the validation rows of the first `common` folds.
std::span<const double> Predictions(const Trial& trial, size_t common, std::vector<std::vector<double>>* joined) {
  if (common == 1) return trial.pieces[0]->predictions;
  std::vector<double> all;
  for (size_t k = 0; k < common; ++k) all.insert(all.end(), trial.pieces[k]->predictions.begin(), trial.pieces[k]->predictions.end());
  return joined->emplace_back(std::move(all));
}

// The ensemble of the trials that have the first `common` folds, chosen on these.
Selected SelectOn(size_t common, const std::vector<size_t>& ranked, const Dataset& data, const std::vector<Fold>& folds,
                  const std::string& metric, const Trials& trials, const FinalModelOptions& options) {
  Selected selected;
  selected.common = common;
  for (size_t k = 0; k < common; ++k) selected.rows.insert(selected.rows.end(), folds[k].validation.begin(), folds[k].validation.end());
  std::vector<double> truth, weights;
  for (const uint32_t row : selected.rows) {
    truth.push_back(data.target()[row]);
    if (data.has_weights()) weights.push_back(data.weight(row));
  }
  std::vector<SelectionCandidate> candidates;
  for (const size_t i : ranked) {
    if (trials[i].done() < common) continue;
    const std::span<const double> predictions = Predictions(trials[i], common, &selected.joined);
    const size_t most = std::min(std::max(common, GoodModels(trials[i])), options.most_models);
    // Where time is short, a bag of one model is another choice.
    for (const size_t models : {most, size_t{1}}) {
      if (models == 1 && most > 1 && options.max_latency <= 0) continue;
      if (!selected.variants.empty() && selected.variants.back().trial == i && selected.variants.back().models == models) continue;
      selected.variants.push_back({i, models, SecondsPerRow(trials[i], folds, models)});
      selected.predictions.push_back(predictions);
      candidates.push_back({predictions, selected.variants.back().seconds_per_row});
    }
  }
  SelectionOptions selection;
  selection.max_seconds_per_row = options.max_latency;
  selection.seed = options.seed;
  selection.stop = options.stop;
  selected.selection = SelectEnsemble(metric, truth, weights, data.classes(), candidates, selection);
  return selected;
}

// Predictions on some rows as those of all, NaN elsewhere.
std::vector<double> OfAllRows(const Dataset& data, std::span<const uint32_t> rows, std::span<const double> predictions) {
  const size_t outputs = data.outputs();
  std::vector<double> all(data.rows() * outputs, kMissing);
  for (size_t i = 0; i < rows.size(); ++i) std::copy_n(&predictions[i * outputs], outputs, &all[rows[i] * outputs]);
  return all;
}

// The metric on each of the first `common` folds.
std::vector<double> FoldValues(const Dataset& data, const std::vector<Fold>& folds, const std::string& metric,
                               const std::vector<double>& all, size_t common) {
  const size_t outputs = data.outputs();
  std::vector<double> values;
  for (size_t k = 0; k < common; ++k) {
    std::vector<double> truth, predictions, weights;
    for (const uint32_t row : folds[k].validation) {
      truth.push_back(data.target()[row]);
      if (data.has_weights()) weights.push_back(data.weight(row));
      predictions.insert(predictions.end(), &all[row * outputs], &all[row * outputs] + outputs);
    }
    values.push_back(Metrics().Get(metric).compute({truth, predictions, data.classes(), weights}));
  }
  return values;
}

// The weighted mean of its members, on its rows.
std::vector<double> Mixed(const Selected& selected, size_t outputs) {
  std::vector<double> mixed(selected.rows.size() * outputs, 0.0);
  for (size_t v = 0; v < selected.variants.size(); ++v) {
    const double weight = selected.selection.weights[v];
    for (size_t i = 0; weight > 0 && i < mixed.size(); ++i) mixed[i] += weight * selected.predictions[v][i];
  }
  return mixed;
}

// Whether `a`, which has fewer folds, is better than `b` on each of them.
bool BetterOnEachFold(const Selected& a, const Selected& b, const Dataset& data, const std::vector<Fold>& folds,
                      const std::string& metric) {
  const auto values = [&](const Selected& one) {
    return FoldValues(data, folds, metric, OfAllRows(data, one.rows, Mixed(one, data.outputs())), a.common);
  };
  const std::vector<double> of_a = values(a), of_b = values(b);
  const bool higher = Metrics().Get(metric).higher_is_better;
  for (size_t k = 0; k < a.common; ++k)
    if (!(higher ? of_a[k] > of_b[k] : of_a[k] < of_b[k])) return false;
  return true;
}

// What the first fold alone would choose from all trials says which of them matter; the choice is then made on as many folds as most of
// these have, or on fewer where those that have no more make a mix that is better on each.
Selected Select(const Dataset& data, const std::vector<Fold>& folds, const std::string& metric, const Trials& trials,
                const FinalModelOptions& options) {
  constexpr double kMostWeight = 0.8, kHalf = 0.5;
  constexpr size_t kFewRows = 1'000;
  const std::vector<size_t> all = Candidates(trials);
  std::vector<size_t> ranked = all;
  if (options.most_models > 1) std::erase_if(ranked, [&](size_t trial) { return IsSuperseded(trial, all, trials); });
  if (ranked.empty()) return {};
  Selected first = SelectOn(1, ranked, data, folds, metric, trials, options);
  std::vector<double> weights(folds.size() + 1, 0.0);  // of those that have just so many folds
  for (size_t v = 0; v < first.variants.size(); ++v) weights[trials[first.variants[v].trial].done()] += first.selection.weights[v];
  // Where a fold has few rows, its choice says little.
  const double enough = folds.front().validation.size() < kFewRows ? kHalf : kMostWeight;
  size_t common = folds.size();
  double weight = weights[common];
  while (common > 1 && weight < enough) weight += weights[--common];
  if (common == 1) return first;
  Selected best = SelectOn(common, ranked, data, folds, metric, trials, options);
  // One more choice only: each takes time that the search has set aside.
  while (--common > 1 && weights[common] <= 0) {
  }
  if (common <= 1) return best;
  Selected wider = SelectOn(common, ranked, data, folds, metric, trials, options);
  if (BetterOnEachFold(wider, best, data, folds, metric)) best = std::move(wider);
  return best;
}

// The constant model: its own predictions are out of fold but for a row's share in it.
FinalModel Constant(const Dataset& data, std::shared_ptr<const Model> constant) {
  FinalModel final;
  final.predictions.resize(data.rows() * data.outputs());
  for (size_t i = 0; i < data.rows(); ++i) constant->PredictRow(data.row(i), &final.predictions[i * data.outputs()]);
  final.model = std::move(constant);
  return final;
}

// Mean loss of the values that are known, infinite where none is.
double MeanLoss(const std::string& metric, const std::vector<double>& values) {
  double sum = 0, count = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    sum += Metrics().Get(metric).higher_is_better ? -value : value;
    ++count;
  }
  return count > 0 ? sum / count : HUGE_VAL;
}

// In place of single fold models, those of all rows.
void RefitMembers(const FinalModelOptions& options, FinalModel* final, std::vector<std::shared_ptr<const Model>>* members) {
  std::vector<size_t> order(members->size()), wanted;
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return final->weights[a] > final->weights[b]; });
  std::erase_if(order, [&](size_t m) { return final->models[m] != 1; });
  for (const size_t m : order) wanted.push_back(final->members[m]);
  if (wanted.empty()) return;
  const std::map<size_t, std::string> fitted = options.refit(wanted);
  for (const size_t m : order) {
    const auto found = fitted.find(final->members[m]);
    if (found == fitted.end()) continue;
    (*members)[m] = ModelFromBytes(found->second, "a model of all rows");
    final->models[m] = 0;
  }
}

}  // namespace

FinalModel MakeFinalModel(const Dataset& data, const std::vector<Fold>& folds, const std::string& metric, const Trials& trials,
                          std::shared_ptr<const Model> constant, const FinalModelOptions& options) {
  const Selected selected = Select(data, folds, metric, trials, options);
  if (selected.variants.empty()) return Constant(data, std::move(constant));
  FinalModel final;
  final.train_value = 0;
  std::vector<std::shared_ptr<const Model>> members;
  std::vector<size_t> places;  // of these among the variants
  for (size_t v = 0; v < selected.variants.size(); ++v) {
    const double weight = selected.selection.weights[v];
    if (!(weight > 0)) continue;
    const auto& [trial, models, seconds] = selected.variants[v];
    std::vector<std::shared_ptr<const Model>> bag;
    double train = 0;
    for (size_t k = 0; k < models; ++k) {
      bag.push_back(ModelFromBytes(trials[trial].models[k].Read(), "the model of a trial"));
      train += trials[trial].pieces[k]->train_value / static_cast<double>(models);
    }
    members.push_back(MakeBag(bag));
    places.push_back(v);
    final.members.push_back(trial);
    final.weights.push_back(weight);
    final.models.push_back(models);
    final.train_value += weight * train;
    final.seconds_per_row += seconds;
  }
  final.predictions = OfAllRows(data, selected.rows, Mixed(selected, data.outputs()));
  Stacking stack;
  if (options.stacking_units > 0 && members.size() > 1 && selected.common == folds.size()) {
    StackingData stacking{metric, data.target(), data.weights(), data.classes(), {}, folds};
    std::vector<std::vector<double>> all;
    for (const size_t v : places) all.push_back(OfAllRows(data, selected.rows, selected.predictions[v]));
    stacking.members.assign(all.begin(), all.end());
    stack = TryStacking(stacking, {.max_units = options.stacking_units, .seed = options.seed, .stop = options.stop});
  }
  if (stack.top != nullptr) {
    final.predictions = std::move(stack.predictions);
    final.stacked = true;
  }
  final.fold_values = FoldValues(data, folds, metric, final.predictions, selected.common);
  if (trials.ConstantLoss(selected.common) < MeanLoss(metric, final.fold_values)) return Constant(data, std::move(constant));
  if (options.refit) RefitMembers(options, &final, &members);
  if (final.stacked) {
    final.model = MakeStack(std::move(members), stack.top);
  } else {
    std::vector<EnsembleMember> weighted;
    for (size_t m = 0; m < members.size(); ++m) weighted.push_back({std::move(members[m]), final.weights[m]});
    final.model = MakeEnsemble(std::move(weighted));
  }
  return final;
}

std::vector<size_t> WantedTrials(const Dataset& data, const std::vector<Fold>& folds, const std::string& metric, const Trials& trials,
                                 const FinalModelOptions& options) {
  constexpr size_t kLeast = 4;
  // By the first fold alone: what lacks the others is to be seen, too.
  Selected selected;
  const std::vector<size_t> ranked = Candidates(trials);
  if (!ranked.empty()) selected = SelectOn(1, ranked, data, folds, metric, trials, options);
  std::vector<size_t> order(selected.variants.size()), wanted;
  std::iota(order.begin(), order.end(), size_t{0});
  const std::vector<double>& weights = selected.selection.weights;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return weights[a] > weights[b]; });
  for (const size_t v : order) {
    if (weights[v] <= 0 && wanted.size() >= kLeast) break;
    wanted.push_back(selected.variants[v].trial);
  }
  return wanted;
}

}  // namespace everlearn
