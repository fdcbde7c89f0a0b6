// What `everlearn feed` sends, and in which order: rows and outcomes of a table as JSON, in event time, in steps of one request each.
//
// A FeedPlan is read-only once made, so any thread may use it; FeedSteps belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "data/schema.h"
#include "data/table.h"
#include "loop/schedule.h"

namespace everlearn {

// A column as JSON: numbers as numbers, true and false, timestamps as ISO text, texts as they stood, missing as null.
class JsonColumn {
 public:
  explicit JsonColumn(Column column);
  const std::string& name() const { return column_.name; }
  bool missing(size_t row) const { return column_.missing(row); }
  void Append(size_t row, std::string* json) const;
  // The value as the label of a class is written.
  std::string Label(size_t row) const { return column_.TextAt(row); }
  double Number(size_t row) const;  // NaN where it is none

 private:
  Column column_;
  std::vector<std::string> categories_;  // as JSON
};

struct FeedRequest {
  std::string target = {}, time = {}, outcome_time = {}, delay = {};  // empty: there is none
  std::vector<std::string> hidden = {};                               // further columns that are not sent
  std::string start = "0";
  size_t limit = std::numeric_limits<size_t>::max();
};

class FeedPlan {
 public:
  // Infers what the columns of a raw table are, and puts its rows in the order of time. Throws kNotFound for a column that is not there,
  // kUsage for a flag that does not fit, kInput for times that are none.
  FeedPlan(const Table& raw, const InferOptions& options, const FeedRequest& request, std::vector<SchemaWarning>* warnings);

  size_t rows() const { return rows_; }
  bool has_times() const { return has_times_; }
  const Schedule& schedule() const { return schedule_; }
  bool knows_target(size_t row) const { return has_target_ && !target_.missing(row); }
  // Whether an outcome of the row follows.
  bool expects_outcome(size_t row) const { return expects_outcome_[row]; }
  const JsonColumn& target() const { return target_; }

  // {"rows": […]} and {"outcomes": […]} of items of the schedule; `ids` are those of the items, as JSON.
  std::string PredictionsBody(const std::vector<size_t>& items) const;
  std::string OutcomesBody(const std::vector<size_t>& items, const std::vector<std::string>& ids) const;

 private:
  size_t rows_ = 0;
  bool has_times_ = false, has_target_ = false;
  std::vector<JsonColumn> columns_;
  std::vector<std::string> prefixes_;  // of each column's value: {"a": or ,"b":
  JsonColumn target_{Column{}};        // of no rows where there is no target
  std::vector<bool> expects_outcome_;
  Schedule schedule_{ScheduleInput{}};
};

// One request: predictions or outcomes.
struct FeedStep {
  bool outcomes = false;
  std::vector<size_t> items = {};  // of the schedule
  int64_t time = 0;                // event time of the last one
  size_t rows_before = 0;          // predictions of earlier steps
};

class FeedSteps {
 public:
  // At most `batch` rows a prediction. Keeps a reference to the schedule.
  FeedSteps(const Schedule& schedule, size_t batch) : schedule_(schedule), batch_(batch) {}

  // The next request; false at the end. Takes together what is due at `now` in event time, and at least what comes at the same time as
  // the first. Outcomes that come due inside a batch of predictions follow it at once: their rows may be in it.
  bool Next(int64_t now, FeedStep* step);

 private:
  void TakeOutcomes(int64_t until, FeedStep* step);
  void TakePredictions(int64_t until, FeedStep* step);

  const Schedule& schedule_;
  size_t batch_;
  size_t at_ = 0, rows_ = 0;
  std::vector<size_t> passed_;  // outcomes that a batch of predictions went past
};

}  // namespace everlearn
