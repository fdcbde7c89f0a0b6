// Raw rows of a source as a task takes them: values that do not fit their column are missing, the outcome stands beside the row, rows are
// in the order of time; and what changed in the source's columns, told once.
//
// One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/growing_source.h"
#include "loop/live_task.h"

namespace everlearn {

struct SourceOutcome {
  std::string time = {};  // the column that says when an outcome became known; empty: there is none
  int64_t after = 0;      // microseconds after its row, where there is none
};

class SourceRows {
 public:
  // The frame must outlive it.
  SourceRows(const TaskFrame& frame, SourceOutcome outcome);

  // `events` become the details of events of kind "schema": {"change": "new" | "vanished" | "retyped", "columns", "from", "done"}; of
  // values that cannot be read also how many there were so far, which is told again whenever it has doubled.
  std::vector<SourceRow> Take(const GrowthBatch& batch, std::vector<JsonObject>* events);
  // Rows without a time, which were left out.
  uint64_t without_time() const { return without_time_; }

  // What was told, to go on from.
  JsonObject Save() const;
  void Load(const JsonObject& saved);
  // Columns of the task that the last batch lacked.
  JsonArray Lacking() const;

 private:
  struct Unreadable {
    uint64_t values = 0, told = 0;
  };
  void CompareColumns(const GrowthBatch& batch, std::vector<JsonObject>* events);
  bool Read(JsonObject row, SourceRow* out);
  void SetMissing(const RowError& error, JsonObject* row);

  const TaskFrame& frame_;
  RowEncoder encoder_;
  SourceOutcome outcome_;
  const ColumnSchema* outcome_time_ = nullptr;
  std::vector<double> features_;
  std::set<std::string> new_, lacking_;           // columns that were told
  std::map<std::string, Unreadable> unreadable_;  // by column
  uint64_t without_time_ = 0;
};

}  // namespace everlearn
