#include "cli/live_source.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "cli/event_rows.h"
#include "data/postgres.h"
#include "data/reader.h"

namespace everlearn {
namespace {

constexpr size_t kLeastHistory = 1000;  // rows, of a source that gives them as they come
constexpr std::chrono::seconds kQuiet{1};

// All that there is now; of a source that never stops, what comes until there are enough rows and then none for a second.
Table ReadHistory(const std::string& name, GrowingSource& source, const ReadOptions& options, std::string* position,
                  std::vector<SchemaWarning>* warnings) {
  Table all;
  GrowthBatch batch;
  for (;;) {
    const bool more = source.Next(SIZE_MAX, position, &batch);
    for (const SourceFinding& finding : batch.findings) {
      if (finding.lost) throw Error(ErrorKind::kInput, finding.message, "correct it, or begin without these rows");
      warnings->push_back({"source", finding.message, ""});
    }
    if (more && all.rows == 0) all = std::move(batch.rows);
    else if (more) all.Append(batch.rows);
    else if (name != "-" || source.ended() || (!source.Wait(kQuiet) && all.rows >= kLeastHistory)) break;
  }
  if (all.rows == 0 && name != "-") ReadTable(name, options);  // says what is wrong with it
  if (all.rows == 0) throw Error(ErrorKind::kInput, (name == "-" ? "standard input" : ShownPlace(name)) + " has no rows");
  return all;
}

}  // namespace

LiveSource::LiveSource(const std::string& place, GrowingSource& growing, const TaskFlags& flags, const LoopFlags& loop,
                       const CommonOptions& common, std::vector<SchemaWarning>* warnings)
    : options_(ToLoopOptions(loop, flags, common.seed)),
      raw_(ReadHistory(place, growing, {common.threads, common.memory_bytes, common.query}, &position_, warnings)) {
  const std::string source = ShownPlace(place);
  read_ = raw_.rows;
  EventRows rows = TypeRows(raw_, source, flags, loop, warnings);
  OrderRows(&rows, source, loop, &options_, warnings);
  options_.history = true;
  options_.most_waiting = 100'000;  // a service runs for years
  frame_ = {std::move(rows.task), std::move(rows.schema), std::move(rows.space)};
  target_ = std::move(rows.target);
  order_ = std::move(rows.order);
  std::erase_if(raw_.columns, [&](const Column& column) {
    return column.name == frame_.task.target || (!loop.outcome_time.empty() && column.name == loop.outcome_time);
  });
}

}  // namespace everlearn
