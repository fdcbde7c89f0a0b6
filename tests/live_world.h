// What tests of served tasks have in common: a world that makes rows and may change, a task over it, trainings in this process.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/random.h"
#include "loop/ledger_rows.h"
#include "loop/trainer.h"

namespace everlearn {

// Trains in this process, on the rows that the ledger had when the training began.
class LedgerInlineTrainer : public Trainer {
 public:
  explicit LedgerInlineTrainer(const Ledger& ledger) : ledger_(ledger) {}
  void Start(uint32_t ticket, const TrainingJob& job) override {
    const LedgerRows rows = ReadLedgerRows(ledger_, TaskFrame::Decode(job.frame));
    TrainingJob own = job;
    for (uint32_t i = 0; i < rows.target.size(); ++i) own.rows.push_back(i);
    results_[ticket] = RunTraining(own, rows.View());
  }
  bool Ended(uint32_t) override { return true; }
  void Kill(uint32_t) override {}
  std::optional<TrainingResult> Wait(uint32_t ticket, const std::function<bool()>&) override { return results_.extract(ticket).mapped(); }

 private:
  const Ledger& ledger_;
  std::map<uint32_t, TrainingResult> results_;
};

struct World {
  explicit World(uint64_t seed) : random(seed) {}
  // a, b and a colour; y depends on them, and on whether the world has changed.
  JsonObject Row(bool changed, double* truth) {
    const double a = random.Normal(), b = random.Normal();
    *truth = (changed ? -3 * a - b : 2 * a + b) + 0.3 * random.Normal() > 0 ? 1 : 0;
    ++rows;
    return {{"ref", rows}, {"a", a}, {"b", b}, {"colour", std::string(1, static_cast<char>('p' + random.Below(rows > 500 ? 5 : 3)))}};
  }
  Random random;
  int64_t rows = 0;
};

inline TaskFrame MakeFrame() {
  TaskFrame frame;
  const std::pair<const char*, ColumnType> columns[] = {{"ref", ColumnType::kInteger},
                                                        {"a", ColumnType::kNumber},
                                                        {"b", ColumnType::kNumber},
                                                        {"colour", ColumnType::kCategory},
                                                        {"y", ColumnType::kCategory}};
  Table table;
  table.rows = 1;
  for (const auto& [name, type] : columns) {
    ColumnSchema schema;
    schema.name = name;
    schema.type = type;
    schema.kind = ColumnTypeName(type);
    frame.schema.columns.push_back(schema);
    Column column;
    column.name = name;
    column.type = type;
    if (column.is_numeric()) column.numbers = {0};
    else column.codes = {0}, column.dictionary = {"p"};
    table.columns.push_back(column);
  }
  frame.task.target = "y";
  frame.task.kind = TaskKind::kBinary;
  frame.task.metric = "log_loss";
  frame.task.labels = {"no", "yes"};
  frame.task.key = {"ref"};
  frame.space = FeatureSpace::Build(table, frame.schema, frame.task, false);
  return frame;
}

inline LoopOptions MakeOptions() {
  LoopOptions options;
  options.metric = "log_loss";
  options.classes = 2;
  options.is_category = {false, false, true};
  options.history = true;
  options.retrain = RetrainRule::kEveryRows;
  options.retrain_every = 700;
  options.budget_units = 50;
  return options;
}

}  // namespace everlearn
