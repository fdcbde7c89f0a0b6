#include "loop/training.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include "base/bytes.h"
#include "base/resources.h"
#include "data/array_file.h"
#include "loop/state.h"
#include "search/quick_search.h"

namespace everlearn {
namespace {

constexpr int kSearchFolds = 5;
constexpr size_t kLeastRowsOfAFold = 20;

// The largest number of rows whose cost is inside the budget; at least one.
size_t AffordableRows(const TrainingJob& job, const std::function<double(double rows)>& cost) {
  if (job.units <= 0 || job.seconds > 0 || cost(static_cast<double>(job.rows.size())) <= job.units) return job.rows.size();
  size_t fits = 1, too_many = job.rows.size();
  while (too_many - fits > 1) {
    const size_t middle = fits + (too_many - fits) / 2;
    (cost(static_cast<double>(middle)) <= job.units ? fits : too_many) = middle;
  }
  return fits;
}

ParameterValues ReadParameters(const std::string& learner, const std::string& text) {
  return ParameterValues::FromJson(learner, Learners().Get(learner).parameters, ParseJson(text, "the parameters of " + learner));
}

// The newest `count` rows of the job.
std::unique_ptr<Dataset> Extract(const EncodedRows& data, const TrainingJob& job, size_t count) {
  const auto rows = std::span(job.rows).last(count);
  const size_t features = data.features();
  std::vector<double> values(rows.size() * features);
  std::vector<double> target(rows.size());
  std::vector<size_t> dictionary_sizes(features, 0);
  for (size_t i = 0; i < rows.size(); ++i) {
    const double* from = data.values.data() + size_t{rows[i]} * features;
    std::copy(from, from + features, values.begin() + static_cast<std::ptrdiff_t>(i * features));
    target[i] = job.targets.empty() ? data.target[rows[i]] : job.targets[job.rows.size() - count + i];
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
  const size_t count = AffordableRows(job, [&](double rows) {
    double cheapest = std::numeric_limits<double>::infinity();
    for (const Candidate& candidate : candidates) {
      const LearnerInfo& learner = Learners().Get(candidate.learner);
      if (!learner.baseline)
        cheapest = std::min(cheapest, (kSearchFolds + 1) * learner.cost_units(rows, features, outputs, candidate.parameters));
    }
    return std::isfinite(cheapest) ? cheapest : 0.0;
  });
  const auto dataset = Extract(data, job, count);
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
  options.candidates = candidates;
  SearchResult found = RunQuickSearch(*dataset, folds, options);
  const LeaderboardRow& best = found.board.rows[found.best];
  result->learner = best.learner;
  result->parameters = ToText(best.parameters);
  result->model = found.model;
  result->rows = count;
  result->leaderboard = ToJson(found.board);
  for (Json& row : result->leaderboard) {  // what depends on the clock has no place in a replay's result
    row.as_object().erase("fit_seconds");
    row.as_object().erase("predict_seconds_per_row");
  }
}

void Refit(const TrainingJob& job, const EncodedRows& data, const std::function<bool()>& stop, TrainingResult* result) {
  const LearnerInfo& learner = Learners().Get(job.learner);
  const ParameterValues parameters = ReadParameters(job.learner, job.parameters);
  const auto features = static_cast<double>(data.features()), outputs = static_cast<double>(data.classes == 0 ? 1 : data.classes);
  const auto cost = [&](double rows) { return learner.cost_units(rows, features, outputs, parameters); };
  const size_t count = AffordableRows(job, cost);
  const auto dataset = Extract(data, job, count);
  std::vector<uint32_t> all(count);
  for (size_t i = 0; i < count; ++i) all[i] = static_cast<uint32_t>(i);
  result->learner = job.learner;
  result->parameters = job.parameters;
  result->rows = count;
  result->units = cost(static_cast<double>(count));
  FitOptions options;
  options.seed = job.seed;
  options.threads = job.threads;
  options.stop = stop;
  result->model = FitLearner(job.learner, {dataset.get(), all}, parameters, options);
}

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

TrainingResult RunTraining(const TrainingJob& job, const EncodedRows& data) {
  TrainingResult result;
  const Stopwatch watch;
  const double cpu = CpuSeconds();
  std::function<bool()> stop;
  if (job.seconds > 0) stop = [&] { return watch.Seconds() > job.seconds; };
  try {
    if (job.rows.empty()) throw Error(ErrorKind::kInput, "no row with a known outcome to train on");
    if (job.learner.empty()) Search(job, data, stop, &result);
    else Refit(job, data, stop, &result);
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
  out.Put(cpu_seconds);
  std::string bytes;
  if (model != nullptr) {
    ArrayFileWriter file;
    file.SetText("kind", std::string(model->kind()));
    file.SetText("features", std::to_string(model->features()));
    file.SetText("outputs", std::to_string(model->outputs()));
    file.SetText("parameters", ToText(model->Save("model.", &file)));
    bytes = file.Bytes();
  }
  out.PutText(bytes);
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
  result.cpu_seconds = in.Get<double>();
  std::string model = in.GetText();
  if (model.empty()) return result;
  const auto file = ArrayFile::Parse(std::move(model), "a worker's model");
  result.model = ModelKinds()
                     .Get(file->Text("kind"))
                     .load(ParseJson(file->Text("parameters"), "a worker's model"), "model.", *file, std::stoull(file->Text("features")),
                           std::stoull(file->Text("outputs")));
  return result;
}

}  // namespace everlearn
