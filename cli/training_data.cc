#include "cli/training_data.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "base/error.h"
#include "cli/class_weights.h"
#include "cli/content_folds.h"
#include "cli/terminal.h"
#include "cli/training_checks.h"
#include "data/postgres.h"
#include "data/reader.h"

namespace everlearn {
namespace {

// Numbers of the rows to learn from, in order of time where there is one.
std::vector<uint32_t> ChooseRows(const Table& table, const std::vector<double>& target, const Task& task, const std::string& source,
                                 std::vector<SchemaWarning>* warnings) {
  const Column* time = task.time.empty() ? nullptr : &table.Get(task.time, source);
  if (time != nullptr && !time->is_numeric())
    throw Error(ErrorKind::kInput, source + ": the time column '" + task.time + "' holds neither times nor numbers",
                "say how to read it with --type " + task.time + "=timestamp");
  std::vector<uint32_t> rows;
  size_t without_target = 0, without_time = 0;
  for (uint32_t i = 0; i < target.size(); ++i) {
    if (std::isnan(target[i])) ++without_target;
    else if (time != nullptr && time->missing(i)) ++without_time;
    else rows.push_back(i);
  }
  const auto note = [&](size_t count, const char* code, const std::string& column) {
    if (count > 0)
      warnings->push_back(
          {code, Grouped(count) + " of " + Grouped(target.size()) + " rows have no '" + column + "' and are left out", column});
  };
  note(without_target, "missing_target", task.target);
  note(without_time, "missing_time", task.time);
  if (rows.empty()) throw Error(ErrorKind::kInput, source + ": no row has both '" + task.target + "' and '" + task.time + "'");
  if (time != nullptr)
    std::stable_sort(rows.begin(), rows.end(), [&](uint32_t a, uint32_t b) { return time->numbers[a] < time->numbers[b]; });
  return rows;
}

std::vector<double> Weights(const Table& table, const Task& task, const std::string& source) {
  if (task.weight.empty()) return {};
  const Column& column = table.Get(task.weight, source);
  double sum = 0;
  for (size_t i = 0; i < table.rows; ++i) {
    const double weight = column.numbers[i];
    if (!(weight >= 0) || std::isinf(weight))
      throw Error(ErrorKind::kInput, source + ": the weight column '" + task.weight + "' holds '" + column.TextAt(i) + "'",
                  "weights are numbers that are not negative, one in every row");
    sum += weight;
  }
  if (sum == 0) throw Error(ErrorKind::kInput, source + ": all weights in '" + task.weight + "' are 0");
  return column.numbers;
}

// A number a row, equal for rows of one group; rows without a group are a group each.
std::vector<int32_t> GroupNumbers(const Column& column, size_t* groups) {
  std::map<std::string, int32_t> numbers;
  std::vector<int32_t> out(column.size());
  int32_t next = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    if (column.missing(i)) {
      out[i] = next++;
      continue;
    }
    const auto [found, added] = numbers.emplace(column.TextAt(i), next);
    if (added) ++next;
    out[i] = found->second;
  }
  *groups = static_cast<size_t>(next);
  return out;
}

SchemaWarning NoFolds(const std::string& why) { return {"no_folds", why + "; the model is a constant", ""}; }

// Rows of groups that come again later are not learned from, unless too few would be left.
std::vector<Fold> FoldsInTime(std::span<const double> times, std::span<const int32_t> groups, int count,
                              std::vector<SchemaWarning>* warnings) {
  constexpr double kLeastLeft = 0.5;
  std::vector<Fold> folds = SequentialFolds(times.size(), {.count = count, .times = times});
  if (folds.empty()) warnings->push_back(NoFolds("all rows are of one time"));
  if (groups.empty()) return folds;
  std::vector<Fold> apart = SequentialFolds(times.size(), {.count = count, .times = times, .groups = groups});
  size_t rows = 0, left = 0;
  for (const Fold& fold : folds) rows += fold.train.size();
  for (const Fold& fold : apart) left += fold.train.size();
  if (apart.size() == folds.size() && static_cast<double>(left) >= kLeastLeft * static_cast<double>(rows)) return apart;
  warnings->push_back(
      {"groups", "most groups come again later: folds are by time alone, and measure rows of groups that the model knows", ""});
  return folds;
}

std::vector<Fold> MakeFolds(const Table& table, const TaskFlags& flags, uint64_t seed, TrainingData* training) {
  const Dataset& data = *training->data;
  const Task& task = training->task;
  const int asked = flags.folds;
  std::vector<int32_t> groups;
  size_t most = data.rows();
  if (!task.group.empty()) groups = GroupNumbers(table.Get(task.group, ""), &most);
  if (!task.time.empty()) most = data.rows() - 1;  // the first part is only learned from
  if (static_cast<size_t>(asked) > most)
    throw Error(ErrorKind::kUsage, std::to_string(asked) + " folds are too many: at most " + Grouped(most) + " are possible with " +
                                       Grouped(data.rows()) + " rows" + (groups.empty() ? "" : " in their groups"));
  const int count = asked > 0 ? asked : static_cast<int>(std::min(most, static_cast<size_t>(flags.default_folds)));
  if (count < 2) {
    training->warnings.push_back(NoFolds("there are too few rows or groups to compare models"));
    return {};
  }
  if (!task.time.empty()) return FoldsInTime(table.Get(task.time, "").numbers, groups, count, &training->warnings);
  if (!groups.empty()) return GroupedFolds(groups, count, seed);
  if (flags.content_folds) {
    const std::vector<uint64_t> keys = ContentKeys(training->space, {data.view().values, data.rows() * data.features()});
    std::vector<Fold> folds = ContentFolds(keys, data.target(), data.classes(), count, seed);
    training->content_folds = !folds.empty();
    training->fold_seed = seed;
    if (training->content_folds) return folds;
  }
  if (task.is_classification()) return StratifiedFolds(data.target(), count, seed);
  return RandomFolds(data.rows(), count, seed);
}

// The columns that prediction and evaluation of the model will need.
Schema UsedSchema(const Schema& schema, const FeatureSpace& space, const Task& task) {
  std::set<std::string> used{task.target, task.weight, task.group, task.time};
  used.insert(task.key.begin(), task.key.end());
  for (const std::string& name : space.Columns()) used.insert(name);
  Schema kept;
  for (const ColumnSchema& column : schema.columns) {
    if (used.count(column.name) > 0) kept.columns.push_back(column);
  }
  return kept;
}

JsonArray DescribeColumns(const Table& table, const Schema& schema, const FeatureSpace& space, const Task& task) {
  const std::vector<std::string> used = space.Columns();
  JsonArray features;
  for (const Column& column : table.columns) {
    if (column.name == task.target) continue;
    size_t missing = 0;
    for (size_t i = 0; i < table.rows; ++i) missing += column.missing(i) ? 1 : 0;
    features.push_back(JsonObject{{"name", column.name},
                                  {"kind", schema.Find(column.name)->kind},
                                  {"missing", missing},
                                  {"used", std::find(used.begin(), used.end(), column.name) != used.end()}});
  }
  return features;
}

}  // namespace

TrainingData ReadTrainingData(const std::string& place, const TaskFlags& flags, const CommonOptions& options) {
  const std::string source = ShownPlace(place);
  TrainingData training;
  std::vector<std::string> reader_warnings;
  Table raw = ReadTable(place, {options.threads, options.memory_bytes, options.query, flags.read_enough}, &reader_warnings);
  for (std::string& message : reader_warnings) training.warnings.push_back({"source", std::move(message), ""});
  training.columns = raw.columns.size();

  raw.Get(flags.task.target, source);
  InferOptions infer = ToInferOptions(flags, source);
  if (!flags.task.weight.empty()) infer.types[raw.Get(flags.task.weight, source).name] = ColumnType::kNumber;
  const Schema schema = InferSchema(raw, infer, &training.warnings);
  training.task = MakeTask(raw, schema, flags.task, source);
  const Task& task = training.task;
  CheckMetric(task);

  std::vector<double> target = TargetValues(raw, schema, task, source);
  Table table = Conform(raw, schema, {}, source);
  raw = {};
  const std::vector<uint32_t> rows = ChooseRows(table, target, task, source, &training.warnings);
  const bool all_in_order = rows.size() == table.rows && std::is_sorted(rows.begin(), rows.end());
  if (!all_in_order) {
    table = table.Select(rows);
    std::vector<double> chosen(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) chosen[i] = target[rows[i]];
    target = std::move(chosen);
  }

  // The elapsed time since some day would be extrapolated where all later rows are predicted.
  training.space = FeatureSpace::Build(table, schema, task, task.time.empty());
  std::vector<bool> is_category;
  std::vector<size_t> dictionary_sizes;
  for (const Feature& feature : training.space.features()) {
    is_category.push_back(feature.is_category());
    dictionary_sizes.push_back(feature.dictionary.size());
  }
  std::vector<double> weights = TimesClassWeights(flags.class_weights, task, target, Weights(table, task, source));
  training.data =
      std::make_unique<Dataset>(std::move(is_category), std::move(dictionary_sizes), training.space.Encode(table, options.threads),
                                std::move(target), std::move(weights), task.labels.size());
  training.folds = MakeFolds(table, flags, options.seed, &training);
  training.schema = UsedSchema(schema, training.space, task);
  training.features = DescribeColumns(table, schema, training.space, task);
  for (SchemaWarning& warning : CheckTrainingData(table, schema, training)) training.warnings.push_back(std::move(warning));
  return training;
}

}  // namespace everlearn
