// A source that grows: files, a query with a watermark, standard input. Each row is given once, from any position on.
//
// A position is a text that only the source understands; whoever keeps it together with what became of the rows has seen each row exactly
// once, whatever happens in between. One thread at a time.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "data/reader.h"
#include "data/table.h"

namespace everlearn {

// What is odd about a source but does not stop it: told once each.
struct SourceFinding {
  std::string message;  // names file and line
  bool lost = false;    // there are rows that could not be read
};

struct GrowthBatch {
  Table rows;        // raw, with the columns of this batch
  std::string from;  // the file, or what the source is called
  std::vector<SourceFinding> findings;
  bool sparse = false;  // JSON: a column that is not there may have had no value only
};

class GrowingSource {
 public:
  virtual ~GrowingSource() = default;

  // "files", "query", "standard input", …
  virtual std::string kind() const = 0;

  // The rows after `position` (empty: from the beginning), at most `most`, and moves `position` behind them; all of one file, so of one set
  // of columns. False where there are none now; `batch` may then still have findings, and `position` may have changed. Throws an Error
  // where nothing can be read now: asking again later goes on from the same place.
  virtual bool Next(size_t most, std::string* position, GrowthBatch* batch) = 0;

  // Returns true once there may be more, false at the latest after `timeout`.
  virtual bool Wait(std::chrono::milliseconds timeout) = 0;

  // Nothing more will ever come.
  virtual bool ended() const { return false; }
};

struct GrowingOptions {
  ReadOptions read;
  std::string watermark;  // a column of the query; empty: a query is read once and does not grow
};

// `source` as TableReader::Open takes it. Throws kUsage (a watermark where there is no query).
std::unique_ptr<GrowingSource> OpenGrowingSource(const std::string& source, const GrowingOptions& options);

// Files by a path or pattern; there need be none yet.
//  - .csv, .tsv, .jsonl, .ndjson: whole lines are taken as the file grows. What comes after the last end of a line is half a line, and is
//    taken when the file has rested for ten seconds.
//  - all others (.parquet, .json, compressed ones): taken when complete, that is, when they can be read to their end.
//  - A file that vanished or became shorter is told and waited for. One whose part that was read has changed (its beginning and its end are
//    compared) was replaced: that is told, and it is read from its beginning.
std::unique_ptr<GrowingSource> MakeGrowingFiles(const std::string& pattern, const ReadOptions& options);

// The rows of a query whose watermark is greater than the last one seen, in its order; of rows whose watermark is equal to it those that
// were not there before (all columns are compared; of equal rows as many as there are more). So rows that come late with an equal watermark
// are neither lost nor given twice; rows that come with a smaller one are never seen, and neither are those without one.
std::unique_ptr<GrowingSource> MakeGrowingQuery(const std::string& sql, const std::string& watermark, const ReadOptions& options);

// The same of options.query in a PostgreSQL database. Between two questions it listens: NOTIFY everlearn (from a trigger, say) has the
// query asked at once.
std::unique_ptr<GrowingSource> MakeGrowingPostgres(const std::string& url, const std::string& watermark, const ReadOptions& options);

// CSV as it comes through a descriptor, which is not closed; its first line is the header. Its position is always empty: what was read and
// not kept is lost.
std::unique_ptr<GrowingSource> MakeGrowingInput(int descriptor);

}  // namespace everlearn
