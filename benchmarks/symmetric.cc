// Fits symmetric_boosting on a file of training rows, alone on one thread, and writes its predictions of a file of test rows, for
// benchmarks/symmetric.
//
//   symmetric_benchmark train.csv test.csv --target y [--set name=value]… [--validation 0.1] [--learner NAME] >predictions.csv
//
// Standard error has one line of JSON: seconds of the fit and of the prediction, by the clock and of the processor.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <numeric>

#include "base/random.h"
#include "base/resources.h"
#include "data/reader.h"
#include "data/schema.h"
#include "data/task.h"
#include "learner/learner.h"
#include "model/feature_space.h"

namespace everlearn {
namespace {

struct Flags {
  std::string train, test, target, kind, learner = "symmetric_boosting";
  std::vector<std::string> settings;
  double validation = 0;
  uint64_t seed = 0;
};

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The schema without the target, which test rows lack.
Schema Inputs(const Schema& schema, const Task& task) {
  Schema inputs;
  for (const ColumnSchema& column : schema.columns)
    if (column.name != task.target) inputs.columns.push_back(column);
  return inputs;
}

int Run(const Flags& flags) {
  std::vector<SchemaWarning> warnings;
  const Table raw = ReadTable(flags.train, {}), raw_test = ReadTable(flags.test, {});
  const Schema schema = InferSchema(raw, {}, &warnings);
  TaskOptions wanted;
  wanted.target = flags.target;
  wanted.kind = flags.kind;
  const Task task = MakeTask(raw, schema, wanted, flags.train);
  const Table table = Conform(raw, schema, {}, flags.train);
  const FeatureSpace space = FeatureSpace::Build(table, schema, task, true);
  std::vector<bool> is_category;
  std::vector<size_t> dictionary_sizes;
  for (const Feature& feature : space.features()) {
    is_category.push_back(feature.is_category());
    dictionary_sizes.push_back(feature.dictionary.size());
  }
  const Dataset data(is_category, dictionary_sizes, space.Encode(table), TargetValues(raw, schema, task, flags.train), {},
                     task.is_classification() ? task.labels.size() : 0);
  const std::vector<double> test = space.Encode(Conform(raw_test, Inputs(schema, task), {}, flags.test));

  std::vector<uint32_t> rows(data.rows()), validation;
  std::iota(rows.begin(), rows.end(), 0u);
  Random(flags.seed).Shuffle(std::span(rows));
  const auto held = static_cast<std::ptrdiff_t>(flags.validation * static_cast<double>(rows.size()));
  validation.assign(rows.end() - held, rows.end());
  rows.resize(rows.size() - validation.size());
  std::sort(rows.begin(), rows.end());
  std::sort(validation.begin(), validation.end());
  ParameterValues values(Learners().Get(flags.learner).parameters);
  for (const std::string& setting : flags.settings) {
    const size_t equal = setting.find('=');
    values.Set(flags.learner, setting.substr(0, equal), setting.substr(equal + 1));
  }
  FitOptions options;
  options.seed = flags.seed;
  options.validation = validation;

  double begin = Now(), cpu = ThreadCpuSeconds();
  data.binned();
  const auto model = FitLearner(flags.learner, {&data, rows}, values, options);
  const double fit = Now() - begin, fit_cpu = ThreadCpuSeconds() - cpu;
  const size_t count = raw_test.rows, outputs = model->outputs();
  std::vector<double> out(count * outputs);
  begin = Now();
  model->Predict({test.data(), count, space.size()}, out.data());
  const double predict = Now() - begin;
  ArrayFileWriter file;
  model->Save("", &file);
  const double units =
      Learners()
          .Get(flags.learner)
          .cost_units(static_cast<double>(rows.size()), static_cast<double>(data.features()), static_cast<double>(outputs), values);
  fmt::print(stderr, R"({{"fit": {:.3f}, "fit_cpu": {:.3f}, "predict": {:.4f}, "model_bytes": {}, "cost_units": {:.1f}, "labels": [)", fit,
             fit_cpu, predict, file.Bytes().size(), units);
  for (size_t k = 0; k < task.labels.size(); ++k) fmt::print(stderr, "{}\"{}\"", k == 0 ? "" : ", ", task.labels[k]);
  fmt::print(stderr, "]}}\n");
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = 0; k < outputs; ++k) fmt::print("{}{}", k == 0 ? "" : ",", out[i * outputs + k]);
    fmt::print("\n");
  }
  return 0;
}

}  // namespace
}  // namespace everlearn

int main(int argc, char** argv) {
  everlearn::Flags flags;
  CLI::App app("One fit of symmetric_boosting");
  app.add_option("train", flags.train)->required();
  app.add_option("test", flags.test)->required();
  app.add_option("--target", flags.target)->required();
  app.add_option("--kind", flags.kind);
  app.add_option("--learner", flags.learner);
  app.add_option("--set", flags.settings);
  app.add_option("--validation", flags.validation);
  app.add_option("--seed", flags.seed);
  CLI11_PARSE(app, argc, argv);
  try {
    return everlearn::Run(flags);
  } catch (const everlearn::Error& error) {
    fmt::print(stderr, "symmetric_benchmark: {}\n", error.message());
    return 1;
  }
}
