#include "loop/training.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <numeric>

#include "base/bytes.h"
#include "base/resources.h"
#include "loop/loss.h"
#include "loop/state.h"
#include "model/model_bytes.h"
#include "search/quick_search.h"

namespace everlearn {
namespace {

constexpr int kSearchFolds = 5;
constexpr size_t kLeastRowsOfAFold = 20;
constexpr std::ptrdiff_t kMostResiduals = 2000;

// The largest number of rows whose cost is inside the budget; at least one.
size_t AffordableRows(const TrainingJob& job, size_t rows, const std::function<double(double rows)>& cost) {
  if (job.units <= 0 || job.seconds > 0 || cost(static_cast<double>(rows)) <= job.units) return rows;
  size_t fits = 1, too_many = rows;
  while (too_many - fits > 1) {
    const size_t middle = fits + (too_many - fits) / 2;
    (cost(static_cast<double>(middle)) <= job.units ? fits : too_many) = middle;
  }
  return fits;
}

ParameterValues ReadParameters(const std::string& learner, const std::string& text) {
  return ParameterValues::FromJson(learner, Learners().Get(learner).parameters, ParseJson(text, "the parameters of " + learner));
}

// Places in job.rows.
using Places = std::vector<uint32_t>;

std::unique_ptr<Dataset> Extract(const EncodedRows& data, const TrainingJob& job, std::span<const uint32_t> places) {
  const size_t features = data.features();
  std::vector<double> values(places.size() * features);
  std::vector<double> target(places.size());
  std::vector<size_t> dictionary_sizes(features, 0);
  for (size_t i = 0; i < places.size(); ++i) {
    const uint32_t row = job.rows[places[i]];
    const double* from = data.values.data() + size_t{row} * features;
    std::copy(from, from + features, values.begin() + static_cast<std::ptrdiff_t>(i * features));
    target[i] = job.targets.empty() ? data.target[row] : job.targets[places[i]];
    for (size_t f = 0; f < features; ++f)
      if (data.is_category[f] && from[f] == from[f]) dictionary_sizes[f] = std::max(dictionary_sizes[f], static_cast<size_t>(from[f]) + 1);
  }
  return std::make_unique<Dataset>(data.is_category, std::move(dictionary_sizes), std::move(values), std::move(target),
                                   std::vector<double>(), data.classes);
}

void Search(const TrainingJob& job, const EncodedRows& data, const std::function<bool()>& stop, TrainingResult* result) {
  const auto features = static_cast<double>(data.features()), outputs = static_cast<double>(data.classes == 0 ? 1 : data.classes);
  std::vector<Candidate> candidates;
  for (const auto& [name, parameters] : job.candidates) candidates.push_back({name, name, ReadParameters(name, parameters)});
  // A history that is too long even for the cheapest candidate loses its oldest rows; dearer candidates are left out by the search.
  const size_t count = AffordableRows(job, job.rows.size(), [&](double rows) {
    double cheapest = std::numeric_limits<double>::infinity();
    for (const Candidate& candidate : candidates) {
      const LearnerInfo& learner = Learners().Get(candidate.learner);
      if (!learner.baseline)
        cheapest = std::min(cheapest, (kSearchFolds + 1) * learner.cost_units(rows, features, outputs, candidate.parameters));
    }
    return std::isfinite(cheapest) ? cheapest : 0.0;
  });
  Places newest(count);
  std::iota(newest.begin(), newest.end(), static_cast<uint32_t>(job.rows.size() - count));
  const auto dataset = Extract(data, job, newest);
  std::vector<Fold> folds;
  const size_t most = count / kLeastRowsOfAFold;
  if (most >= 3) {
    SequentialOptions sequential;
    sequential.count = static_cast<int>(std::min<size_t>(kSearchFolds, most - 1));
    folds = SequentialFolds(count, sequential);
  }
  SearchOptions options;
  options.metric = job.metric;
  options.seed = job.seed;
  options.threads = job.threads;
  options.stop = stop;
  options.budget_units = job.seconds > 0 ? 0 : job.units;
  options.time_ordered = true;
  options.keep_predictions = data.classes == 0;
  options.candidates = candidates;
  SearchResult found = RunQuickSearch(*dataset, folds, options);
  const LeaderboardRow& best = found.board.rows[found.best];
  result->learner = best.learner;
  result->parameters = ToText(best.parameters);
  result->model = found.model;
  result->rows = count;
  for (size_t i = 0; i < best.predictions.size(); ++i)
    if (const double residual = std::abs(best.predictions[i] - dataset->target()[i]); std::isfinite(residual))
      result->residuals.push_back(residual);
  // The newest are the ones that what comes resembles most.
  if (result->residuals.size() > kMostResiduals)
    result->residuals.erase(result->residuals.begin(), result->residuals.end() - kMostResiduals);
  result->leaderboard = ToJson(found.board);
  for (Json& row : result->leaderboard) {  // what depends on the clock has no place in a replay's result
    row.as_object().erase("fit_seconds");
    row.as_object().erase("predict_seconds_per_row");
  }
}

// Fits of one learner on parts of a job's rows.
class Refit {
 public:
  Refit(const TrainingJob& job, const EncodedRows& data, const std::function<bool()>& stop)
      : job_(job),
        data_(data),
        learner_(Learners().Get(job.learner)),
        parameters_(ReadParameters(job.learner, job.parameters)),
        loss_(job.metric, data.classes) {
    options_.seed = job.seed;
    options_.threads = job.threads;
    options_.stop = stop;
  }

  void Run(TrainingResult* result) {
    Places recent = Where([&](uint64_t number) { return number >= job_.recent_row; });
    const Places before_bank = job_.bank.empty() ? Places() : Where([&](uint64_t number) { return number < job_.bank_end; });
    const bool judged = before_bank.size() >= kLeastRows;
    const bool two_windows = recent.size() < job_.rows.size() && recent.size() >= kLeastRows;
    fits_ = 1 + (judged ? 1 : 0) + (two_windows ? 2 : 0);
    // What is chosen must not have seen the rows that judge it.
    if (two_windows && RecentIsBetter(judged)) result->since_row = job_.recent_row;
    const auto in_window = [&](uint64_t number) { return number >= result->since_row; };
    if (judged) {
      const auto model = Fit(Where([&](uint64_t number) { return in_window(number) && number < job_.bank_end; }));
      PredictBank(*model, &result->bank);
    }
    const Places all = Where(in_window);
    result->learner = job_.learner;
    result->parameters = job_.parameters;
    result->rows = Affordable(all.size());
    result->units = fits_ * Cost(static_cast<double>(result->rows));
    result->model = Fit(all);
  }

 private:
  static constexpr size_t kLeastRows = 400;

  uint64_t Number(uint32_t place) const { return data_.numbers.empty() ? job_.rows[place] : data_.numbers[job_.rows[place]]; }

  template <typename Wanted>
  Places Where(const Wanted& wanted) const {
    Places places;
    for (uint32_t place = 0; place < job_.rows.size(); ++place)
      if (wanted(Number(place))) places.push_back(place);
    return places;
  }

  double Cost(double rows) const {
    return learner_.cost_units(rows, static_cast<double>(data_.features()), static_cast<double>(outputs()), parameters_);
  }
  size_t outputs() const { return data_.classes == 0 ? 1 : data_.classes; }
  size_t Affordable(size_t rows) const {
    return AffordableRows(job_, rows, [&](double count) { return fits_ * Cost(count); });
  }

  std::shared_ptr<const Model> Fit(std::span<const uint32_t> places) const {
    const auto dataset = Extract(data_, job_, places.last(Affordable(places.size())));
    std::vector<uint32_t> all(dataset->rows());
    std::iota(all.begin(), all.end(), 0U);
    return FitLearner(job_.learner, {dataset.get(), all}, parameters_, options_);
  }

  // Whether a model of the recent rows alone does better on the newest quarter of them than one of all rows.
  bool RecentIsBetter(bool judged) const {
    const auto before = [&](uint64_t number) { return !judged || number < job_.bank_end; };
    const Places recent = Where([&](uint64_t number) { return number >= job_.recent_row && before(number); });
    const Places all = Where(before);
    const size_t held = recent.size() / 4;
    if (held == 0) return false;
    const std::span<const uint32_t> newest = std::span(recent).last(held);
    // Rows that come later than the first that is held out are not known to the ones that judge, nor to those that are judged.
    const auto model_of_recent = Fit(std::span(recent).first(recent.size() - held));
    const auto model_of_all = Fit(std::span(all).first(all.size() - held));
    return MeanLoss(*model_of_recent, newest) < MeanLoss(*model_of_all, newest);
  }

  double MeanLoss(const Model& model, std::span<const uint32_t> places) const {
    std::vector<double> prediction(outputs());
    double sum = 0;
    for (const uint32_t place : places) {
      const uint32_t row = job_.rows[place];
      model.PredictRow(data_.values.data() + size_t{row} * data_.features(), prediction.data());
      sum += loss_.Of(prediction.data(), job_.targets.empty() ? data_.target[row] : job_.targets[place], kEpsilon);
    }
    return sum / static_cast<double>(places.size());
  }

  // NaN for a row that is not there any more.
  void PredictBank(const Model& model, std::vector<double>* predictions) const {
    predictions->assign(job_.bank.size() * outputs(), std::numeric_limits<double>::quiet_NaN());
    for (size_t i = 0; i < job_.bank.size(); ++i) {
      uint64_t row = job_.bank[i];
      if (!data_.numbers.empty()) {
        const auto found = std::lower_bound(data_.numbers.begin(), data_.numbers.end(), row);
        if (found == data_.numbers.end() || *found != row) continue;
        row = static_cast<uint64_t>(found - data_.numbers.begin());
      }
      model.PredictRow(data_.values.data() + row * data_.features(), predictions->data() + i * outputs());
    }
  }

  static constexpr double kEpsilon = 1e-6;  // holds probabilities inside [ε, 1 − ε]
  const TrainingJob& job_;
  const EncodedRows& data_;
  const LearnerInfo& learner_;
  ParameterValues parameters_;
  RowLoss loss_;
  FitOptions options_;
  double fits_ = 1;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> FirstCandidates(const LoopState& state) {
  std::vector<std::pair<std::string, std::string>> candidates;
  if (!state.options.roster.empty()) {
    for (const Lineage& lineage : state.roster.lineages)
      if (lineage.kind == MemberKind::kBatch) candidates.emplace_back(lineage.learner, lineage.parameters);
    if (!candidates.empty()) return candidates;
  }
  for (const Candidate& quick : QuickCandidates(state.options.classes, false)) {
    const auto set = state.options.parameters.find(quick.learner);
    candidates.emplace_back(quick.learner, set == state.options.parameters.end() ? "{}" : set->second);
  }
  return candidates;
}

void SetBank(const TrainRequest& request, TrainingJob* job) {
  for (const BankRow& row : request.bank) job->bank.push_back(row.row);
  for (const BankRow& row : request.bank) job->bank_end = job->bank_end == 0 ? row.settled : std::min(job->bank_end, row.settled);
  job->recent_row = request.recent_row;
}

TrainingResult RunTraining(const TrainingJob& job, const EncodedRows& data) {
  TrainingResult result;
  const Stopwatch watch;
  const double cpu = CpuSeconds();
  std::function<bool()> stop;
  if (job.seconds > 0) stop = [&] { return watch.Seconds() > job.seconds; };
  try {
    if (job.rows.empty()) throw Error(ErrorKind::kInput, "no row with a known outcome to train on");
    if (job.learner.empty()) Search(job, data, stop, &result);
    else Refit(job, data, stop).Run(&result);
  } catch (const Error& error) {
    result.model = nullptr;
    result.failure = error.message();
  } catch (const std::bad_alloc&) {
    result.model = nullptr;
    result.failure = "out of memory";
  }
  result.cpu_seconds = CpuSeconds() - cpu;
  return result;
}

std::string TrainingJob::Encode() const {
  ByteWriter out;
  out.PutText(learner);
  out.PutText(parameters);
  out.PutText(metric);
  out.PutAll(rows);
  out.Put(units);
  out.Put(seconds);
  out.Put(seed);
  out.Put(threads);
  out.PutAll(targets);
  out.PutAll(bank);
  out.Put(bank_end);
  out.Put(recent_row);
  out.PutText(frame);
  out.PutVarint(candidates.size());
  for (const auto& [name, values] : candidates) {
    out.PutText(name);
    out.PutText(values);
  }
  return out.Take();
}

TrainingJob TrainingJob::Decode(std::string_view bytes) {
  ByteReader in(bytes);
  TrainingJob job;
  job.learner = in.GetText();
  job.parameters = in.GetText();
  job.metric = in.GetText();
  job.rows = in.GetAll<uint32_t>();
  job.units = in.Get<double>();
  job.seconds = in.Get<double>();
  job.seed = in.Get<uint64_t>();
  job.threads = in.Get<int>();
  job.targets = in.GetAll<double>();
  job.bank = in.GetAll<uint64_t>();
  job.bank_end = in.Get<uint64_t>();
  job.recent_row = in.Get<uint64_t>();
  job.frame = in.GetText();
  for (uint64_t left = in.GetCount(); left > 0; --left) {
    std::string name = in.GetText();
    job.candidates.emplace_back(std::move(name), in.GetText());
  }
  return job;
}

std::string TrainingResult::Encode() const {
  ByteWriter out;
  out.PutText(learner);
  out.PutText(parameters);
  out.PutText(failure);
  out.Put(rows);
  out.Put(units);
  out.PutText(ToText(leaderboard));
  out.PutAll(bank);
  out.PutAll(residuals);
  out.Put(since_row);
  out.Put(cpu_seconds);
  out.PutText(model == nullptr ? "" : ModelBytes(*model));
  return out.Take();
}

TrainingResult TrainingResult::Decode(std::string_view bytes) {
  ByteReader in(bytes);
  TrainingResult result;
  result.learner = in.GetText();
  result.parameters = in.GetText();
  result.failure = in.GetText();
  result.rows = in.Get<uint64_t>();
  result.units = in.Get<double>();
  result.leaderboard = ParseJson(in.GetText(), "a worker's leaderboard").as_array();
  result.bank = in.GetAll<double>();
  result.residuals = in.GetAll<double>();
  result.since_row = in.Get<uint64_t>();
  result.cpu_seconds = in.Get<double>();
  std::string model = in.GetText();
  if (model.empty()) return result;
  result.model = ModelFromBytes(std::move(model), "a worker's model");
  return result;
}

}  // namespace everlearn
