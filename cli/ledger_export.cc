#include "cli/ledger_export.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "base/error.h"
#include "base/suggest.h"
#include "base/timestamp.h"
#include "cli/interrupt.h"
#include "data/writer.h"
#include "loop/recompute.h"
#include "loop/records.h"
#include "loop/scored_outcomes.h"

namespace everlearn {
namespace {

constexpr size_t kBatchRows = 50'000;

using Columns = std::vector<std::pair<std::string, ColumnType>>;

// Rows, cell by cell in the order of the columns, written batch by batch.
class RowWriter {
 public:
  RowWriter(const std::string& path, Columns columns) : writer_(TableWriter::Open(path)), columns_(std::move(columns)) { Begin(); }

  void Add(double number) {
    table_.columns[at_].numbers.push_back(number);
    Next();
  }
  void AddTime(int64_t time) { Add(time == kNoTime ? kMissing : static_cast<double>(time)); }
  void AddText(std::string_view text) {
    if (text.empty()) table_.columns[at_].text.AppendMissing();
    else table_.columns[at_].text.Append(text);
    Next();
  }

  size_t Close() {
    if (table_.rows > 0 || rows_ == 0) Flush();
    writer_->Close();
    return rows_;
  }

 private:
  void Begin() {
    table_ = {};
    for (const auto& [name, type] : columns_) table_.columns.push_back({.name = name, .type = type});
  }
  void Next() {
    at_ = (at_ + 1) % columns_.size();
    if (at_ > 0) return;
    if (++table_.rows == kBatchRows) Flush();
  }
  void Flush() {
    ThrowIfInterrupted();
    writer_->Write(table_);
    rows_ += table_.rows;
    Begin();
  }

  std::unique_ptr<TableWriter> writer_;
  Columns columns_;
  Table table_;
  size_t at_ = 0, rows_ = 0;
};

void ForEachEvent(const Ledger& ledger, const LoopOptions& options, const std::function<void(uint64_t, const Event&)>& visit) {
  Event event;
  ledger.ReadEvents(1, ledger.last_event(), [&](uint64_t number, std::string_view bytes) {
    DecodeEvent(bytes, options.outputs(), options.classes > 0, &event);
    visit(number, event);
    return true;
  });
}

// A true or predicted value: a label or a number.
Columns::value_type ValueColumn(const std::string& name, const Task& task) {
  return {name, task.is_classification() ? ColumnType::kText : ColumnType::kNumber};
}

void AddValue(const Task& task, double value, RowWriter* out) {
  if (!task.is_classification()) out->Add(value);
  else out->AddText(std::isnan(value) ? "" : task.labels[static_cast<size_t>(value)]);
}

size_t ExportPredictions(const Ledger& ledger, const Task& task, const LoopOptions& options, const std::string& path) {
  Columns columns{{"row", ColumnType::kInteger},
                  {"time", ColumnType::kTimestamp},
                  {"champion", ColumnType::kText},
                  {"model", ColumnType::kText},
                  ValueColumn("prediction", task)};
  for (const std::string& label : task.labels) columns.emplace_back("probability_" + label, ColumnType::kNumber);
  columns.push_back(ValueColumn("outcome", task));
  columns.emplace_back("loss", ColumnType::kNumber);
  RowWriter out(path, std::move(columns));

  ScoredOutcomes outcomes(options);
  ForEachEvent(ledger, options, [&](uint64_t, const Event& event) { outcomes.Take(event); });
  constexpr double kEpsilon = 1e-15;  // as the loop scores
  const RowLoss loss(options.metric, options.classes);
  LoopState state(options);
  Recompute(ledger, &state, ledger.last_event(), [&](uint64_t, const Event& event, const Effects&) {
    if (event.kind != EventKind::kRow || event.history) return true;
    const double* prediction = event.predictions.data();
    const Member& champion = state.roster.Get(event.members.front());
    const double truth = outcomes.Of(event.row);
    out.Add(static_cast<double>(event.row));
    out.AddTime(event.time);
    out.AddText(champion.name);
    out.AddText(champion.model_hash);
    const auto best = static_cast<double>(std::max_element(prediction, prediction + options.outputs()) - prediction);
    AddValue(task, task.is_classification() ? best : prediction[0], &out);
    for (size_t k = 0; k < task.labels.size(); ++k) out.Add(prediction[k]);
    AddValue(task, truth, &out);
    out.Add(std::isnan(truth) ? kMissing : loss.Of(prediction, truth, kEpsilon));
    return true;
  });
  return out.Close();
}

size_t ExportOutcomes(const Ledger& ledger, const Task& task, const LoopOptions& options, const std::string& path) {
  RowWriter out(path, {{"event", ColumnType::kInteger},
                       {"row", ColumnType::kInteger},
                       {"time", ColumnType::kTimestamp},
                       {"kind", ColumnType::kText},
                       ValueColumn("outcome", task),
                       ValueColumn("before", task)});
  const std::map<EventKind, const char*> kinds{
      {EventKind::kOutcome, "joined"}, {EventKind::kKnown, "early"}, {EventKind::kCorrection, "corrected"}};
  ForEachEvent(ledger, options, [&](uint64_t number, const Event& event) {
    const auto kind = kinds.find(event.kind);
    if (kind == kinds.end()) return;
    const double before = event.kind == EventKind::kCorrection ? event.old_truth : kMissing;
    if (!options.IsOutcome(event.truth) || !(std::isnan(before) || options.IsOutcome(before)))
      throw Error(ErrorKind::kDamaged, "the outcome of row " + std::to_string(event.row) + " is no possible one");
    out.Add(static_cast<double>(number));
    out.Add(static_cast<double>(event.row));
    out.AddTime(event.time);
    out.AddText(kind->second);
    AddValue(task, event.truth, &out);
    AddValue(task, before, &out);
  });
  return out.Close();
}

size_t ExportEvents(const Ledger& ledger, const std::string& path) {
  RowWriter out(path, {{"row", ColumnType::kInteger},
                       {"time", ColumnType::kTimestamp},
                       {"kind", ColumnType::kText},
                       {"member", ColumnType::kText},
                       {"decision", ColumnType::kInteger},
                       {"detail", ColumnType::kText}});
  for (const LedgerNotice& notice : ledger.Notices()) {
    const Json event = ParseJson(notice.body, "a stored event");
    const auto text = [&](const char* name) {
      const Json& value = Field(event, name);
      return value.is_string() ? std::string(value.get_string()) : "";
    };
    const Json* decision = event.get_object().if_contains("decision");
    out.Add(Field(event, "row").is_null() ? kMissing : NumberField(event, "row"));
    out.AddTime(ParseTimestamp(text("time")).value_or(kNoTime));
    out.AddText(text("kind"));
    out.AddText(text("member"));
    out.Add(decision == nullptr ? kMissing : decision->to_number<double>());
    out.AddText(ToText(Field(event, "detail")));
  }
  return out.Close();
}

}  // namespace

size_t ExportLedger(const Ledger& ledger, const std::string& what, const std::string& path) {
  const std::vector<std::string> known{"predictions", "outcomes", "events"};
  if (std::find(known.begin(), known.end(), what) == known.end())
    throw Error(ErrorKind::kUsage, "--what: '" + what + "' cannot be exported", SuggestionHint(what, known));
  if (what == "events") return ExportEvents(ledger, path);
  const Task task = TaskOf(ledger);
  const LoopOptions options = OptionsOf(ledger);
  if (task.labels.size() != options.classes) throw Error(ErrorKind::kDamaged, "the ledger's task and options do not fit together");
  return what == "outcomes" ? ExportOutcomes(ledger, task, options, path) : ExportPredictions(ledger, task, options, path);
}

}  // namespace everlearn
