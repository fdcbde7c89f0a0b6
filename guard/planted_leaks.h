// Tables with faults planted in them, for the tests and the benchmark of the checks of a fit.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/timestamp.h"
#include "data/reader.h"
#include "data/schema.h"
#include "data/task.h"
#include "guard/training_input.h"

namespace everlearn {

struct PlantedTable {
  std::vector<GuardColumn> columns;         // without values
  std::vector<std::vector<double>> values;  // one a column
  std::vector<double> target;
  size_t classes = 0;
  bool time_ordered = false;
  std::vector<std::vector<double>> test_values = {};

  GuardInput Input() const {
    GuardInput input;
    input.columns = columns;
    for (size_t j = 0; j < columns.size(); ++j) input.columns[j].values = values[j].data();
    if (!test_values.empty()) {
      input.test_columns = input.columns;
      for (size_t j = 0; j < columns.size(); ++j) input.test_columns[j].values = test_values[j].data();
      input.test_rows = test_values[0].size();
    }
    input.rows = target.size();
    input.target = target;
    input.classes = classes;
    input.time_ordered = time_ordered;
    return input;
  }
  void Add(GuardColumn column, std::vector<double> of_rows) {
    columns.push_back(std::move(column));
    values.push_back(std::move(of_rows));
  }
  void Select(const std::vector<uint32_t>& rows) {
    const auto select = [&](std::vector<double>* all) {
      std::vector<double> chosen;
      for (const uint32_t i : rows) chosen.push_back((*all)[i]);
      *all = std::move(chosen);
    };
    for (std::vector<double>& column : values) select(&column);
    select(&target);
  }
  std::vector<uint32_t> RowsByTarget() const {
    std::vector<uint32_t> rows(target.size());
    std::iota(rows.begin(), rows.end(), 0U);
    std::stable_sort(rows.begin(), rows.end(), [&](uint32_t a, uint32_t b) { return target[a] < target[b]; });
    return rows;
  }
};

// A file as the checks see it: texts and constants left out, ids unused.
inline PlantedTable ReadPlantedTable(const std::string& path, const std::string& target) {
  std::vector<std::string> warnings;
  const Table raw = ReadTable(path, {}, &warnings);
  const Schema schema = InferSchema(raw, {}, nullptr);
  TaskOptions options;
  options.target = target;
  const Task task = MakeTask(raw, schema, options, path);
  PlantedTable table;
  table.target = TargetValues(raw, schema, task, path);
  table.classes = task.labels.size();
  const Table typed = Conform(raw, schema, {}, path);
  for (const Column& column : typed.columns) {
    const std::string& kind = schema.Find(column.name)->kind;
    if (column.name == target || column.type == ColumnType::kText || kind == "constant") continue;
    GuardColumn guard{.name = column.name, .is_category = column.type == ColumnType::kCategory, .used = kind != "id"};
    std::vector<double> values = column.numbers;
    for (const int32_t code : column.codes) values.push_back(code < 0 ? kMissing : code);
    guard.is_time = column.type == ColumnType::kTimestamp;
    table.Add(guard, std::move(values));
  }
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < raw.rows; ++i)
    if (!std::isnan(table.target[i])) rows.push_back(i);
  table.Select(rows);
  return table;
}

struct PublicSet {
  std::string path, name, target;
  bool stream;
};

// The tables and streams of a folder with an index.tsv (file, name, task, rows, columns, target, …); none where there is no such folder.
inline std::vector<PublicSet> PublicSets(const std::string& folder) {
  std::vector<PublicSet> sets;
  std::ifstream index(folder + "/index.tsv");
  std::string line;
  while (std::getline(index, line)) {
    std::istringstream fields(line);
    std::string file, name, task, rows, columns, target;
    for (std::string* field : {&file, &name, &task, &rows, &columns, &target}) std::getline(fields, *field, '\t');
    const bool stream = file.starts_with("streams/");
    if (stream || file.starts_with("tabular/")) sets.push_back({folder + "/" + file, name, target, stream});
  }
  return sets;
}

struct Plant {
  std::string name;
  std::string code;          // of the finding that is due
  std::string column;        // and its column
  bool needs_order = false;  // only for rows in order of time
  std::function<void(PlantedTable*, Random*)> add;
};

constexpr const char* kPlanted = "planted";

// The target with some rows' changed: another class for a share `noise` of them, or normal noise of so many standard deviations.
inline std::vector<double> NoisyTarget(const PlantedTable& table, double noise, Random* random) {
  std::vector<double> values = table.target;
  double mean = 0, spread = 0;
  for (const double y : values) mean += y / static_cast<double>(values.size());
  for (const double y : values) spread += (y - mean) * (y - mean) / static_cast<double>(values.size());
  for (double& y : values) {
    if (table.classes == 0) y += noise * std::sqrt(spread) * random->Normal();
    else if (random->Uniform() < noise) y = static_cast<double>(random->Below(table.classes));
  }
  return values;
}

inline std::vector<Plant> PlantsOfColumns() {
  const auto add = [](PlantedTable* table, std::vector<double> values, bool is_category = false) {
    table->Add({.name = kPlanted, .is_category = is_category}, std::move(values));
  };
  const auto noisy = [add](double noise_of_classes, double noise_of_values) {
    return [=](PlantedTable* t, Random* r) { add(t, NoisyTarget(*t, t->classes > 0 ? noise_of_classes : noise_of_values, r)); };
  };
  return {
      {"copy", "leak", kPlanted, false, noisy(0, 0)},
      {"copy, 1% of classes or 5% noise", "leak", kPlanted, false, noisy(0.01, 0.05)},
      {"copy, 2% or 15%", "leak", kPlanted, false, noisy(0.02, 0.15)},
      {"recoded", "leak", kPlanted, false,
       [add](PlantedTable* t, Random*) {
         std::vector<double> values;
         const double largest = std::abs(*std::max_element(t->target.begin(), t->target.end())) + 1;
         for (const double y : t->target) values.push_back(t->classes > 0 ? std::fmod(7 * y + 3, 101) : -std::exp(3 * y / largest));
         add(t, std::move(values), t->classes > 0);
       }},
      {"mean over groups of 4, the row's own in it", "leak", kPlanted, false,
       [add](PlantedTable* t, Random* r) {
         std::vector<uint32_t> rows(t->target.size());
         std::iota(rows.begin(), rows.end(), 0U);
         for (size_t i = 0; i + 1 < rows.size(); ++i) std::swap(rows[i], rows[i + r->Below(rows.size() - i)]);
         std::vector<double> values(rows.size());
         for (size_t i = 0; i < rows.size(); i += 4) {
           const size_t end = std::min(rows.size(), i + 4);
           double sum = 0;
           for (size_t k = i; k < end; ++k) sum += t->classes > 2 ? (t->target[rows[k]] == 0 ? 1.0 : 0.0) : t->target[rows[k]];
           for (size_t k = i; k < end; ++k) values[rows[k]] = sum / static_cast<double>(end - i);
         }
         add(t, std::move(values));
       }},
      {"the target of the next row", "leak", kPlanted, true,
       [add](PlantedTable* t, Random*) {
         std::vector<double> values(t->target.begin() + 1, t->target.end());
         values.push_back(NAN);
         add(t, std::move(values), t->classes > 0);
       }},
      {"the mean of the next 3 rows", "leak", kPlanted, true,
       [add](PlantedTable* t, Random*) {
         std::vector<double> values;
         for (size_t i = 0; i < t->target.size(); ++i)
           values.push_back(i + 3 < t->target.size() ? (t->target[i + 1] + t->target[i + 2] + t->target[i + 3]) / 3 : NAN);
         add(t, std::move(values));
       }},
      {"a count of rows sorted by target", "leak", kPlanted, false,
       [add](PlantedTable* t, Random*) {
         t->Select(t->RowsByTarget());
         std::vector<double> values;
         for (size_t i = 0; i < t->target.size(); ++i) values.push_back(static_cast<double>(1000 + 3 * i));
         add(t, std::move(values));
       }},
      {"filled in for one outcome only", "leak", kPlanted, false,
       [add](PlantedTable* t, Random* r) {
         const double middle = t->classes > 0 ? 1 : t->target[t->RowsByTarget()[t->target.size() / 2]];
         std::vector<double> values;
         for (const double y : t->target) values.push_back(y < middle ? NAN : r->Normal());
         add(t, std::move(values));
       }},
      {"a patient with 5 rows of one outcome", "groups", kPlanted, false,
       [add](PlantedTable* t, Random* r) {
         const std::vector<uint32_t> rows = t->RowsByTarget();
         std::vector<double> names(rows.size() / 5 + 1), values(rows.size());
         std::iota(names.begin(), names.end(), 0.0);
         for (size_t i = 0; i + 1 < names.size(); ++i) std::swap(names[i], names[i + r->Below(names.size() - i)]);
         for (size_t i = 0; i < rows.size(); ++i) values[rows[i]] = names[i / 5];
         add(t, std::move(values));
       }},
  };
}

inline std::vector<Plant> PlantsOfRows() {
  return {
      {"10% of the rows copied", "duplicates", "", false,
       [](PlantedTable* t, Random* r) {
         std::vector<uint32_t> rows(t->target.size());
         std::iota(rows.begin(), rows.end(), 0U);
         for (size_t i = 0, extra = rows.size() / 10; i < extra; ++i) rows.push_back(static_cast<uint32_t>(r->Below(t->target.size())));
         t->Select(rows);
       }},
      {"a date, the target drifting with it", "time_order", kPlanted, false,
       [](PlantedTable* t, Random* r) {
         const std::vector<uint32_t> rows = t->RowsByTarget();
         std::vector<double> values(rows.size());
         for (size_t i = 0; i < rows.size(); ++i)
           values[rows[i]] = (0.3 * static_cast<double>(i) / static_cast<double>(rows.size()) + r->Uniform()) * 1e15;
         t->Add({.name = kPlanted, .is_time = true}, std::move(values));
       }},
      {"a fifth of the test rows in train", "test_in_train", "", false,
       [](PlantedTable* t, Random* r) {
         std::vector<uint32_t> rows, test;
         for (uint32_t i = 0; i < t->target.size(); ++i) (r->Uniform() < 0.2 ? test : rows).push_back(i);
         for (size_t i = 0; i < test.size() / 4; ++i) test.push_back(rows[r->Below(rows.size())]);
         PlantedTable other = *t;
         other.Select(test);
         t->test_values = other.values;
         t->Select(rows);
       }},
  };
}

}  // namespace everlearn
