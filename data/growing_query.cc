// A query as a growing source: by a watermark, or read once.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "data/duck.h"
#include "data/growing_source.h"
#include "data/postgres.h"
#include "data/source.h"

namespace everlearn {
namespace {

constexpr size_t kFetchedRows = 50'000;
const std::string kName = "the query";
const std::string kChannel = "everlearn";
const std::string kMark = "everlearn_watermark";  // the watermark as text, beside the query's own columns

uint64_t HashOfRow(const Table& table, size_t row) {
  uint64_t hash = 0;
  for (const Column& column : table.columns) hash = HashBytes(column.missing(row) ? std::string_view("\0", 1) : column.TextAt(row), hash);
  return hash;
}

// The last watermark seen, and the rows that had it.
struct Position {
  std::optional<std::string> mark;
  std::map<uint64_t, uint64_t> at_mark;  // hash of a row -> how many

  static Position Parse(const std::string& text) {
    Position position;
    if (text.empty()) return position;
    const Json json = ParseJson(text, "the position in a query");
    position.mark = TextField(json, "watermark");
    for (const Json& row : ArrayField(json, "rows")) ++position.at_mark[std::stoull(std::string(row.as_string()), nullptr, 16)];
    return position;
  }
  std::string Text() const {
    JsonArray rows;
    for (const auto& [hash, count] : at_mark) rows.insert(rows.end(), count, Json(HashText(hash)));
    return ToText(JsonObject{{"watermark", *mark}, {"rows", rows}});
  }
  void Add(const std::string& at, uint64_t hash) {
    if (mark != at) at_mark.clear();
    mark = at;
    ++at_mark[hash];
  }
  size_t count() const {
    size_t rows = 0;
    for (const auto& [hash, count] : at_mark) rows += count;
    return rows;
  }
};

class GrowingQuery : public GrowingSource {
 public:
  GrowingQuery(std::string place, const std::string& sql, std::string watermark, const ReadOptions& options)
      : place_(std::move(place)), sql_(OneStatement(sql)), watermark_(std::move(watermark)), options_(options) {}

  std::string kind() const override { return "query"; }
  bool ended() const override { return watermark_.empty() && read_once_; }

  bool Next(size_t most, std::string* position, GrowthBatch* batch) override {
    *batch = {.rows = {}, .from = kName, .findings = {}};
    if (watermark_.empty()) return ReadOnce(position, batch);
    if (used_ == fetched_.rows || *position != position_text_) Fetch(*position);
    if (used_ == fetched_.rows) return false;
    std::vector<uint32_t> rows;
    for (; used_ < fetched_.rows && rows.size() < most; ++used_) {
      rows.push_back(static_cast<uint32_t>(used_));
      position_.Add(marks_[used_], hashes_[used_]);
    }
    batch->rows = fetched_.Select(rows);
    *position = position_text_ = position_.Text();
    return true;
  }

  bool Wait(std::chrono::milliseconds timeout) override {
    if (!place_.empty()) return WaitForNotification(timeout);
    std::this_thread::sleep_for(timeout);
    return false;
  }

 private:
  // A database that is away is found again by a later call; until then time is all that passes.
  bool WaitForNotification(std::chrono::milliseconds timeout) {
    try {
      if (listener_ == nullptr) {
        listener_ = std::make_unique<PostgresConnection>(place_);
        listener_->Listen(kChannel);
      }
      return listener_->Wait(static_cast<int>(timeout.count()));
    } catch (const Error&) {
      listener_ = nullptr;
      std::this_thread::sleep_for(timeout);
      return false;
    }
  }

  std::unique_ptr<TableReader> Open(const std::string& sql) const {
    if (place_.empty()) return TableReader::Open(sql, options_);
    ReadOptions options = options_;
    options.query = sql;
    return TableReader::Open(place_, options);
  }

  // All at once: where it stands in an unordered query cannot be said.
  bool ReadOnce(std::string* position, GrowthBatch* batch) {
    read_once_ = true;
    if (!position->empty()) return false;
    const auto reader = Open(sql_);
    if (!reader->Next(SIZE_MAX, &batch->rows)) throw Error(ErrorKind::kInput, reader->name() + " has no rows");
    for (std::string message : reader->warnings()) batch->findings.push_back({std::move(message), false});
    *position = "read";
    return true;
  }

  std::string Statement(size_t known) const {
    const std::string mark = SqlName(watermark_);
    std::string where = mark + " IS NOT NULL";
    // The text is brought to the column's type, not the column to text, which would order numbers as words.
    if (position_.mark) where = fmt::format("{} >= {}", mark, SqlText(*position_.mark));
    return fmt::format("SELECT *, CAST({0} AS VARCHAR) AS {1} FROM ({2}\n) AS source WHERE {3} ORDER BY {0} LIMIT {4}", mark,
                       SqlName(kMark), sql_, where, kFetchedRows + known);
  }

  void Fetch(const std::string& position) {
    position_ = Position::Parse(position);
    position_text_ = position;
    used_ = 0;
    fetched_ = {};
    marks_.clear();
    hashes_.clear();
    Table all;
    const auto reader = Open(Statement(position_.count()));
    if (!reader->Next(SIZE_MAX, &all)) return;
    const Column marks = std::move(all.columns.back());
    all.columns.pop_back();
    auto known = position_.at_mark;
    std::vector<uint32_t> fresh;
    for (uint32_t row = 0; row < all.rows; ++row) {
      const std::string mark = marks.TextAt(row);
      const uint64_t hash = HashOfRow(all, row);
      if (position_.mark == mark) {
        const auto seen = known.find(hash);
        if (seen != known.end() && seen->second > 0) {
          --seen->second;
          continue;
        }
      }
      fresh.push_back(row);
      marks_.push_back(mark);
      hashes_.push_back(hash);
    }
    fetched_ = all.Select(fresh);
  }

  std::string place_, sql_, watermark_;  // place: of a PostgreSQL database, else empty
  std::unique_ptr<PostgresConnection> listener_;
  ReadOptions options_;
  bool read_once_ = false;
  Position position_;
  std::string position_text_;
  Table fetched_;                   // rows after position_ and before
  std::vector<std::string> marks_;  // of its rows
  std::vector<uint64_t> hashes_;
  size_t used_ = 0;
};

}  // namespace

std::unique_ptr<GrowingSource> MakeGrowingQuery(const std::string& sql, const std::string& watermark, const ReadOptions& options) {
  return std::make_unique<GrowingQuery>("", sql, watermark, options);
}

std::unique_ptr<GrowingSource> MakeGrowingPostgres(const std::string& url, const std::string& watermark, const ReadOptions& options) {
  return std::make_unique<GrowingQuery>(url, options.query, watermark, options);
}

}  // namespace everlearn
