#include "search/final_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/ensemble.h"
#include "model/model_bytes.h"
#include "search/ensemble_selection.h"

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

// The number of first folds on which trials are compared: all that enough of the good ones have. Few rows say too little: below the least
// number, folds count for more than the trials that lack them.
size_t CommonFolds(const Trials& trials, const std::vector<Fold>& folds, const std::vector<size_t>& ranked) {
  constexpr size_t kEnough = 4, kLeastRows = 2'000;
  constexpr double kAlmostBest = 0.02;
  for (size_t j = folds.size(); j > 1; --j) {
    size_t count = 0, rows = 0;
    double best = 1;
    for (const size_t i : ranked) {
      if (trials[i].done() < j) continue;
      ++count;
      best = std::min(best, trials.Gap(i));
    }
    for (size_t k = 0; k + 1 < j; ++k) rows += folds[k].validation.size();
    if (count >= std::min(kEnough, ranked.size()) && (best <= kAlmostBest || rows < kLeastRows)) return j;
  }
  return 1;
}

struct Selected {
  std::vector<Variant> variants;
  Selection selection;
  std::vector<std::vector<double>> predictions;  // of each variant's trial, on the common folds
  size_t common = 0;
};

std::vector<double> OutOfFold(const Dataset& data, const std::vector<Fold>& folds, const Trial& trial, size_t common) {
  const size_t outputs = data.outputs();
  std::vector<double> all(data.rows() * outputs, kMissing);
  for (size_t k = 0; k < common; ++k)
    for (size_t i = 0; i < folds[k].validation.size(); ++i)
      std::copy_n(&trial.pieces[k]->predictions[i * outputs], outputs, &all[folds[k].validation[i] * outputs]);
  return all;
}

Selected Select(const Dataset& data, const std::vector<Fold>& folds, const std::string& metric, const Trials& trials,
                const FinalModelOptions& options) {
  Selected selected;
  std::vector<size_t> ranked;
  for (const size_t i : trials.Ranked())
    if (!trials[i].pieces[0]->predictions.empty() && ranked.size() < kMostCandidates) ranked.push_back(i);
  if (ranked.empty()) return selected;
  selected.common = CommonFolds(trials, folds, ranked);
  std::vector<SelectionCandidate> candidates;
  for (const size_t i : ranked) {
    const size_t done = trials[i].done();
    if (done < selected.common) continue;
    // Where time is short, a bag of one model is another choice.
    for (const size_t models : {done, size_t{1}}) {
      if (models == 1 && done > 1 && options.max_latency <= 0) continue;
      if (!selected.variants.empty() && selected.variants.back().trial == i && selected.variants.back().models == models) continue;
      selected.variants.push_back({i, models, SecondsPerRow(trials[i], folds, models)});
      selected.predictions.push_back(OutOfFold(data, folds, trials[i], selected.common));
    }
  }
  for (size_t v = 0; v < selected.variants.size(); ++v)
    candidates.push_back({selected.predictions[v], selected.variants[v].seconds_per_row});
  SelectionOptions selection;
  selection.max_seconds_per_row = options.max_latency;
  selection.seed = options.seed;
  selected.selection = SelectEnsemble(metric, data.target(), data.weights(), data.classes(), candidates, selection);
  return selected;
}

}  // namespace

FinalModel MakeFinalModel(const Dataset& data, const std::vector<Fold>& folds, const std::string& metric, const Trials& trials,
                          std::shared_ptr<const Model> constant, const FinalModelOptions& options) {
  FinalModel final;
  final.model = std::move(constant);
  const Selected selected = Select(data, folds, metric, trials, options);
  if (selected.variants.empty()) return final;
  final.predictions.assign(data.rows() * data.outputs(), 0);
  std::vector<EnsembleMember> members;
  for (size_t v = 0; v < selected.variants.size(); ++v) {
    const double weight = selected.selection.weights[v];
    if (!(weight > 0)) continue;
    const auto& [trial, models, seconds] = selected.variants[v];
    std::vector<std::shared_ptr<const Model>> bag;
    double train = 0;
    for (size_t k = 0; k < models; ++k) {
      bag.push_back(ModelFromBytes(trials[trial].pieces[k]->model, "the model of a trial"));
      train += trials[trial].pieces[k]->train_value / static_cast<double>(models);
    }
    members.push_back({MakeBag(bag), weight});
    final.members.push_back(trial);
    final.weights.push_back(weight);
    final.train_value += weight * train;
    final.seconds_per_row += seconds;
    for (size_t i = 0; i < final.predictions.size(); ++i) final.predictions[i] += weight * selected.predictions[v][i];
  }
  final.model = MakeEnsemble(std::move(members));
  const size_t outputs = data.outputs();
  for (size_t k = 0; k < selected.common; ++k) {
    std::vector<double> truth, predictions, weights;
    for (const uint32_t row : folds[k].validation) {
      truth.push_back(data.target()[row]);
      if (data.has_weights()) weights.push_back(data.weight(row));
      predictions.insert(predictions.end(), &final.predictions[row * outputs], &final.predictions[row * outputs] + outputs);
    }
    final.fold_values.push_back(Metrics().Get(metric).compute({truth, predictions, data.classes(), weights}));
  }
  return final;
}

std::vector<size_t> WantedTrials(const Dataset& data, const std::vector<Fold>& folds, const std::string& metric, const Trials& trials,
                                 const FinalModelOptions& options) {
  constexpr size_t kLeast = 4;
  const Selected selected = Select(data, folds, metric, trials, options);
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
