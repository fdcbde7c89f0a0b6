#include "cli/feed_plan.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "cli/event_order.h"
#include "data/field.h"

namespace everlearn {
namespace {

constexpr size_t kMostOutcomes = 1'000;  // of one request

std::string JsonText(std::string_view text) { return ToText(Json(boost::json::string(text))); }

bool IsWrittenAsNumber(const std::string& text) {
  const auto value = ParsePlainNumber(text);
  return value && std::isfinite(*value) && PlainNumber(*value) == text;
}

// Yes and no keep their words, which are what the service has seen in its history.
Column WithWords(const Column& boolean, const std::vector<std::string>& words) {
  if (words.size() != 2 || (LowerCase(words[0]) == "false" && LowerCase(words[1]) == "true")) return boolean;
  Column column{.name = boolean.name, .type = ColumnType::kCategory, .dictionary = words};
  for (const double value : boolean.numbers) column.codes.push_back(std::isnan(value) ? kMissingCode : static_cast<int32_t>(value));
  return column;
}

// A column in the form in which it is sent: what the source has as numbers goes as such, whatever is inferred from them.
Column ToSend(const Column& raw, const Column& typed, const ColumnSchema& schema) {
  if (raw.is_numeric() && typed.type != ColumnType::kTimestamp) return raw;
  return typed.type == ColumnType::kBoolean ? WithWords(typed, schema.boolean_words) : typed;
}

// The order in which the rows are sent, with --start and --limit; their times come beside, where there are any.
std::vector<uint32_t> RowsToSend(const Table& table, const FeedRequest& request, const std::string& source, std::vector<int64_t>* times,
                                 std::vector<SchemaWarning>* warnings) {
  std::vector<uint32_t> rows(table.rows);
  for (uint32_t i = 0; i < table.rows; ++i) rows[i] = i;
  if (!request.time.empty()) {
    const Column& time = TimeColumn(table, request.time, source);
    rows = RowsInOrder(time, source, warnings);
    for (const uint32_t row : rows) times->push_back(TimeOf(time, row));
  }
  const size_t start = StartRow(request.start, *times, rows.size());
  const size_t end = start + std::min(request.limit, rows.size() - start);
  if (start == end) throw Error(ErrorKind::kUsage, "--start " + request.start + " and --limit leave no row to send", "begin earlier");
  if (!times->empty()) *times = std::vector<int64_t>(times->begin() + static_cast<long>(start), times->begin() + static_cast<long>(end));
  return {rows.begin() + static_cast<long>(start), rows.begin() + static_cast<long>(end)};
}

int64_t DelayOf(const FeedRequest& request) {
  if (request.delay.empty()) return 0;
  if (!request.outcome_time.empty())
    throw Error(ErrorKind::kUsage, "--delay and --outcome-time exclude each other", "an outcome has one time");
  const auto delay = ParseDuration(request.delay);
  if (!delay) throw Error(ErrorKind::kUsage, "--delay: '" + request.delay + "' is no time", "write it as 3h, 30m or 1d");
  return *delay;
}

}  // namespace

JsonColumn::JsonColumn(Column column) : column_(std::move(column)) {
  const std::vector<std::string>& labels = column_.dictionary;
  const bool numbers = std::all_of(labels.begin(), labels.end(), IsWrittenAsNumber);
  for (const std::string& label : labels) categories_.push_back(numbers ? label : JsonText(label));
}

void JsonColumn::Append(size_t row, std::string* json) const {
  if (column_.missing(row)) {
    *json += "null";
    return;
  }
  switch (column_.type) {
    case ColumnType::kCategory:
      *json += categories_[static_cast<size_t>(column_.codes[row])];
      return;
    case ColumnType::kText:
      *json += JsonText(column_.text[row]);
      return;
    case ColumnType::kBoolean:
      *json += column_.numbers[row] != 0 ? "true" : "false";
      return;
    case ColumnType::kTimestamp:
      *json += '"' + TimestampText(static_cast<int64_t>(column_.numbers[row])) + '"';
      return;
    default:
      *json += std::isfinite(column_.numbers[row]) ? NumberText(column_.numbers[row]) : "null";
  }
}

double JsonColumn::Number(size_t row) const {
  if (column_.is_numeric()) return column_.numbers[row];
  return ParsePlainNumber(column_.TextAt(row)).value_or(kMissing);
}

FeedPlan::FeedPlan(const Table& raw, const InferOptions& options, const FeedRequest& request, std::vector<SchemaWarning>* warnings) {
  const std::string& source = options.source;
  if (request.time.empty() && (!request.outcome_time.empty() || !request.delay.empty()))
    throw Error(ErrorKind::kUsage, (request.delay.empty() ? "--outcome-time" : "--delay") + std::string(" needs --time"),
                "name the column of the rows' own time");
  ScheduleInput order;
  order.delay_time = DelayOf(request);
  has_target_ = !request.target.empty();
  if (has_target_) raw.Get(request.target, source);
  std::vector<SchemaWarning> of_training;  // about leaks and ids: nothing that matters to who only sends rows
  const Schema schema = InferSchema(raw, options, &of_training);
  const Table typed = Conform(raw, schema, {}, source);
  const std::vector<uint32_t> rows = RowsToSend(typed, request, source, &order.times, warnings);
  order.rows = rows_ = rows.size();
  has_times_ = !order.times.empty();
  if (!request.outcome_time.empty()) {
    const Column& known = TimeColumn(typed, request.outcome_time, source);
    for (const uint32_t row : rows) order.outcome_times.push_back(TimeOf(known, row));
  }
  for (size_t c = 0; c < typed.columns.size(); ++c) {
    const std::string& name = typed.columns[c].name;
    Column column = ToSend(raw.Get(name, source), typed.columns[c], *schema.Find(name));
    if (name == request.target) {
      target_ = JsonColumn(std::move(Table{typed.rows, {std::move(column)}}.Select(rows).columns[0]));
    } else if (name != request.outcome_time && std::find(request.hidden.begin(), request.hidden.end(), name) == request.hidden.end()) {
      columns_.emplace_back(std::move(Table{typed.rows, {std::move(column)}}.Select(rows).columns[0]));
      prefixes_.push_back((prefixes_.empty() ? "{" : ",") + JsonText(name) + ":");
    }
  }
  if (columns_.empty()) throw Error(ErrorKind::kInput, source + " has no column to send besides the target");
  for (size_t row = 0; row < rows_; ++row) {
    order.has_outcome.push_back(knows_target(row));
    expects_outcome_.push_back(order.has_outcome[row] && (order.outcome_times.empty() || order.outcome_times[row] != kNoTime));
  }
  schedule_ = Schedule(std::move(order));
}

std::string FeedPlan::PredictionsBody(const std::vector<size_t>& items) const {
  std::string json = "{\"rows\":[";
  for (const size_t item : items) {
    if (item != items.front()) json += ',';
    for (size_t c = 0; c < columns_.size(); ++c) {
      json += prefixes_[c];
      columns_[c].Append(schedule_.row(item), &json);
    }
    json += '}';
  }
  return json + "]}";
}

std::string FeedPlan::OutcomesBody(const std::vector<size_t>& items, const std::vector<std::string>& ids) const {
  std::string json = "{\"outcomes\":[";
  for (size_t i = 0; i < items.size(); ++i) {
    json += (i == 0 ? "{\"id\":" : ",{\"id\":") + ids[i] + ",\"outcome\":";
    target_.Append(schedule_.row(items[i]), &json);
    if (has_times_) json += ",\"time\":\"" + TimestampText(schedule_.time(items[i])) + '"';
    json += '}';
  }
  return json + "]}";
}

bool FeedSteps::Next(int64_t now, FeedStep* step) {
  *step = {.rows_before = rows_};
  step->outcomes = !passed_.empty() || (at_ < schedule_.size() && schedule_.is_outcome(at_));
  if (passed_.empty() && at_ == schedule_.size()) return false;
  const int64_t first = schedule_.time(passed_.empty() ? at_ : passed_.front());
  if (step->outcomes) TakeOutcomes(std::max(now, first), step);
  else TakePredictions(std::max(now, first), step);
  step->time = schedule_.time(step->items.back());
  return true;
}

void FeedSteps::TakeOutcomes(int64_t until, FeedStep* step) {
  const size_t count = std::min(passed_.size(), kMostOutcomes);
  step->items.assign(passed_.begin(), passed_.begin() + static_cast<long>(count));
  passed_.erase(passed_.begin(), passed_.begin() + static_cast<long>(count));
  if (!passed_.empty()) return;
  for (; at_ < schedule_.size() && schedule_.is_outcome(at_) && step->items.size() < kMostOutcomes; ++at_) {
    if (schedule_.time(at_) > until) break;
    step->items.push_back(at_);
  }
}

void FeedSteps::TakePredictions(int64_t until, FeedStep* step) {
  for (; at_ < schedule_.size() && step->items.size() < batch_ && passed_.size() < kMostOutcomes; ++at_) {
    if (schedule_.time(at_) > until) break;
    (schedule_.is_outcome(at_) ? passed_ : step->items).push_back(at_);
  }
  rows_ += step->items.size();
}

}  // namespace everlearn
