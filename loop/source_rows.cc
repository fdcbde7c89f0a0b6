#include "loop/source_rows.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "data/field.h"

namespace everlearn {
namespace {

constexpr size_t kRowsToMissAColumn = 100;  // of a batch whose columns are those that had a value

JsonObject ChangeJson(const std::string& change, const std::vector<std::string>& columns, const std::string& from, const char* done) {
  return {{"change", change}, {"columns", JsonArray(columns.begin(), columns.end())}, {"from", from}, {"done", done}};
}

}  // namespace

SourceRows::SourceRows(const TaskFrame& frame, SourceOutcome outcome)
    : frame_(frame), encoder_(frame_.schema, frame_.task, frame_.space), outcome_(std::move(outcome)), features_(frame_.space.size()) {
  if (!outcome_.time.empty()) outcome_time_ = frame_.schema.Find(outcome_.time);
}

std::vector<SourceRow> SourceRows::Take(const GrowthBatch& batch, std::vector<JsonObject>* events) {
  CompareColumns(batch, events);
  std::vector<SourceRow> rows;
  rows.reserve(batch.rows.rows);
  for (size_t i = 0; i < batch.rows.rows; ++i) {
    SourceRow row;
    if (Read(batch.rows.Row(i), &row)) rows.push_back(std::move(row));
    else ++without_time_;
  }
  for (auto& [column, bad] : unreadable_) {
    if (bad.values == bad.told || bad.values < 2 * bad.told) continue;
    const ColumnSchema* schema = frame_.schema.Find(column);
    JsonObject event = ChangeJson("retyped", {column}, batch.from, column == frame_.task.target ? "no outcome" : "missing values");
    event["type"] = schema == nullptr ? Json(nullptr) : Json(ColumnTypeName(schema->type));
    event["values"] = bad.values;
    event["reason"] = "not of the column's type";  // the values themselves may be a person's, and events are never erased
    events->push_back(std::move(event));
    bad.told = bad.values;
  }
  std::stable_sort(rows.begin(), rows.end(), [](const SourceRow& a, const SourceRow& b) { return a.time < b.time; });
  return rows;
}

void SourceRows::CompareColumns(const GrowthBatch& batch, std::vector<JsonObject>* events) {
  if (batch.rows.rows == 0) return;
  std::vector<std::string> added, lacking;
  for (const Column& column : batch.rows.columns)
    if (frame_.schema.Find(column.name) == nullptr && new_.insert(column.name).second) added.push_back(column.name);
  const bool may_lack = !batch.sparse || batch.rows.rows >= kRowsToMissAColumn;
  for (const std::string& name : frame_.RequestColumns()) {
    if (batch.rows.Find(name) >= 0) lacking_.erase(name);
    else if (may_lack && lacking_.insert(name).second) lacking.push_back(name);
  }
  if (!added.empty()) events->push_back(ChangeJson("new", added, batch.from, "left out of the features"));
  if (!lacking.empty()) events->push_back(ChangeJson("vanished", lacking, batch.from, "missing values"));
}

void SourceRows::SetMissing(const RowError& error, JsonObject* row) {
  (*row)[error.column()] = nullptr;
  Unreadable& bad = unreadable_[error.column()];
  ++bad.values;
}

bool SourceRows::Read(JsonObject row, SourceRow* out) {
  if (const Json* truth = row.if_contains(frame_.task.target); truth != nullptr && !truth->is_null()) {
    const ColumnSchema* schema = frame_.schema.Find(frame_.task.target);
    const bool missing = schema != nullptr && truth->is_string() && FieldParser(*schema).Missing(std::string_view(truth->get_string()));
    try {
      if (!missing) out->truth = encoder_.Truth(*truth);
    } catch (const RowError& error) {
      SetMissing(error, &row);
    }
  }
  for (bool good = false; !good;) {
    try {
      encoder_.Encode(row, RowEncoder::Absent::kAsMissing, features_.data());
      out->key = encoder_.Key(row);
      const bool has_time = encoder_.Time(row, &out->time);
      if (!has_time && !frame_.task.time.empty()) return false;
      if (outcome_time_ != nullptr && !encoder_.TimeIn(*outcome_time_, row, &out->due)) out->truth = kMissing;
      good = true;
    } catch (const RowError& error) {
      SetMissing(error, &row);
    }
  }
  out->after = outcome_.after;
  row.erase(frame_.task.target);
  if (!outcome_.time.empty()) row.erase(outcome_.time);
  out->row = std::move(row);
  return true;
}

JsonObject SourceRows::Save() const {
  JsonObject unreadable;
  for (const auto& [column, bad] : unreadable_) unreadable[column] = JsonArray{bad.values, bad.told};
  return {
      {"new", JsonArray(new_.begin(), new_.end())}, {"lacking", Lacking()}, {"unreadable", unreadable}, {"without_time", without_time_}};
}

void SourceRows::Load(const JsonObject& saved) {
  const Json json(saved);
  for (const Json& name : ArrayField(json, "new")) new_.emplace(name.as_string());
  for (const Json& name : ArrayField(json, "lacking")) lacking_.emplace(name.as_string());
  for (const auto& [column, counts] : Field(json, "unreadable").as_object())
    unreadable_[std::string(column)] = {counts.at(0).to_number<uint64_t>(), counts.at(1).to_number<uint64_t>()};
  without_time_ = static_cast<uint64_t>(IntegerField(json, "without_time"));
}

JsonArray SourceRows::Lacking() const { return JsonArray(lacking_.begin(), lacking_.end()); }

}  // namespace everlearn
