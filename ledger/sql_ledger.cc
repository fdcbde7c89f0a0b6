#include "ledger/sql_ledger.h"

#include <algorithm>

#include "base/error.h"

namespace everlearn {
namespace {

constexpr int kNumberBits = 44;
constexpr uint64_t kLargestNumber = (uint64_t{1} << kNumberBits) - 1;
constexpr int64_t kSegmentsOfAPage = 64;
constexpr size_t kRowsOfAPage = 512;

constexpr const char* kSegments =
    "SELECT first, count, checksum, chain, body FROM segment WHERE first BETWEEN $1 AND $2 ORDER BY first LIMIT $3";

}  // namespace

SqlLedger::SqlLedger(SqlStore& store, int64_t task) : store_(store), task_(task) { Reload(); }

void SqlLedger::Reload() {
  committed_ = committed_notice_ = 0;
  committed_chain_.clear();
  store_.Read("SELECT first + count - 1, chain FROM segment WHERE first BETWEEN $1 AND $2 ORDER BY first DESC LIMIT 1",
              {Id(0), Id(kLargestNumber)}, [&](const SqlRow& row) {
                committed_ = Number(row.Integer(0));
                committed_chain_ = row.Bytes(1);
                return false;
              });
  store_.Read("SELECT max(number) FROM notice WHERE number BETWEEN $1 AND $2", {Id(0), Id(kLargestNumber)}, [&](const SqlRow& row) {
    if (!row.is_null(0)) committed_notice_ = Number(row.Integer(0));
    return false;
  });
  TakenBack();
}

int64_t SqlLedger::Id(uint64_t number) const { return (task_ << kNumberBits) + static_cast<int64_t>(std::min(number, kLargestNumber)); }

std::optional<std::string> SqlLedger::Cell(const char* sql, SqlValues values) const {
  std::optional<std::string> cell;
  store_.Read(sql, values, [&](const SqlRow& row) { return cell = row.Bytes(0), false; });
  return cell;
}

void SqlLedger::ReadPages(const char* sql, int64_t first, int64_t last, int64_t rows_of_a_page, const SqlStore::Visit& visit) const {
  for (bool more = true; more && first <= last;) {
    int64_t rows = 0;
    store_.Read(sql, {first, last, rows_of_a_page}, [&](const SqlRow& row) {
      ++rows;
      first = row.Integer(0) + 1;
      return more = visit(row);
    });
    more = more && rows == rows_of_a_page;
  }
}

void SqlLedger::SetFact(const std::string& name, const std::string& value) {
  store_.Write("INSERT INTO fact VALUES ($1, $2, $3) ON CONFLICT (task, name) DO UPDATE SET value = excluded.value",
               {task_, std::string_view(name), std::string_view(value)});
}

std::optional<std::string> SqlLedger::Fact(const std::string& name) const {
  return Cell("SELECT value FROM fact WHERE task = $1 AND name = $2", {task_, std::string_view(name)});
}

uint64_t SqlLedger::Append(std::string_view event) {
  tail_.Append(event);
  const uint64_t number = tail_.last_event();
  if (tail_.full()) WriteSegment();
  return number;
}

void SqlLedger::AddNotice(const LedgerNotice& notice) {
  ++last_notice_;
  store_.Write("INSERT INTO notice VALUES ($1, $2, $3, $4)",
               {Id(last_notice_), notice.event, std::string_view(notice.kind), std::string_view(notice.body)});
}

void SqlLedger::AddDecision(const LedgerDecision& decision) {
  store_.Write("INSERT INTO decision VALUES ($1, $2, $3)",
               {Id(static_cast<uint64_t>(decision.number)), decision.event, std::string_view(decision.body)});
}

void SqlLedger::PutModel(const std::string& hash, const std::string& name, std::string_view bytes) {
  store_.Write("INSERT INTO model VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
               {std::string_view(hash), std::string_view(name), SqlValue::Blob(bytes)});
}

void SqlLedger::PutCheckpoint(const LedgerCheckpoint& checkpoint) {
  store_.Write("INSERT INTO checkpoint VALUES ($1, $2) ON CONFLICT (event) DO UPDATE SET state = excluded.state",
               {Id(checkpoint.event), SqlValue::Blob(checkpoint.state)});
  store_.Write(
      "DELETE FROM checkpoint WHERE event BETWEEN $1 AND $2 AND event NOT IN "
      "(SELECT event FROM checkpoint WHERE event BETWEEN $1 AND $2 ORDER BY event DESC LIMIT 2)",
      {Id(0), Id(kLargestNumber)});
}

void SqlLedger::PutRow(const LedgerRow& row) {
  store_.Write("INSERT INTO \"row\" VALUES ($1, $2, $3, $4)",
               {Id(row.row), row.event, row.key == 0 ? SqlValue::Null() : SqlValue(row.key), SqlValue::Blob(row.body)});
}

void SqlLedger::EraseRow(uint64_t row) {
  store_.Write("UPDATE \"row\" SET body = $1, key = NULL WHERE number = $2", {SqlValue::Blob(""), Id(row)});
}

std::optional<LedgerRow> SqlLedger::Row(uint64_t row) const {
  std::optional<LedgerRow> found;
  store_.Read("SELECT event, key, body FROM \"row\" WHERE number = $1", {Id(row)}, [&](const SqlRow& stored) {
    found = {row, static_cast<uint64_t>(stored.Integer(0)), static_cast<uint64_t>(stored.Integer(1)), std::string(stored.Bytes(2))};
    return false;
  });
  return found;
}

std::vector<uint64_t> SqlLedger::RowsOfKey(uint64_t key) const {
  std::vector<uint64_t> rows;
  store_.Read("SELECT number FROM \"row\" WHERE key = $1 AND number BETWEEN $2 AND $3 ORDER BY number", {key, Id(0), Id(kLargestNumber)},
              [&](const SqlRow& row) { return rows.push_back(Number(row.Integer(0))), true; });
  return rows;
}

void SqlLedger::PutOutcome(const LedgerOutcome& outcome) {
  store_.Write("INSERT INTO outcome VALUES ($1, $2, $3) ON CONFLICT (number) DO UPDATE SET truth = excluded.truth",
               {Id(outcome.row), outcome.event, outcome.truth});
}

std::optional<LedgerOutcome> SqlLedger::Outcome(uint64_t row) const {
  std::optional<LedgerOutcome> found;
  store_.Read("SELECT event, truth FROM outcome WHERE number = $1", {Id(row)}, [&](const SqlRow& stored) {
    found = {row, static_cast<uint64_t>(stored.Integer(0)), stored.Number(1)};
    return false;
  });
  return found;
}

LedgerOutcomes SqlLedger::NewestOutcomes(uint64_t most) const {
  LedgerOutcomes newest;
  store_.Read(
      "SELECT min(number), count(*) FROM (SELECT number FROM outcome WHERE number BETWEEN $1 AND $2 ORDER BY number DESC LIMIT $3) AS "
      "newest",
      {Id(0), Id(kLargestNumber), std::min(most, kLargestNumber)}, [&](const SqlRow& row) {
        if (!row.is_null(0)) newest = {Number(row.Integer(0)), static_cast<uint64_t>(row.Integer(1))};
        return false;
      });
  return newest;
}

void SqlLedger::ReadRows(uint64_t first, const std::function<bool(const LedgerRow&, const double*)>& visit) const {
  struct Fetched {
    LedgerRow row;
    double truth;
    bool known;
  };
  std::vector<Fetched> page;
  do {
    page.clear();
    store_.Read(
        "SELECT r.number, r.event, r.key, r.body, outcome.truth FROM \"row\" AS r LEFT JOIN outcome ON outcome.number = r.number "
        "WHERE r.number BETWEEN $1 AND $2 ORDER BY r.number LIMIT $3",
        {Id(first), Id(kLargestNumber), kRowsOfAPage}, [&](const SqlRow& stored) {
          page.push_back({{Number(stored.Integer(0)), static_cast<uint64_t>(stored.Integer(1)), static_cast<uint64_t>(stored.Integer(2)),
                           std::string(stored.Bytes(3))},
                          stored.Number(4),
                          !stored.is_null(4)});
          return true;
        });
    for (const Fetched& fetched : page)
      if (!visit(fetched.row, fetched.known ? &fetched.truth : nullptr)) return;
    if (!page.empty()) first = page.back().row.row + 1;
  } while (page.size() == kRowsOfAPage);
}

void SqlLedger::PutNote(const std::string& name, int64_t time, std::string_view value) {
  store_.Write(
      "INSERT INTO note VALUES ($1, $2, $3, $4) ON CONFLICT (task, name) DO UPDATE SET time = excluded.time, value = excluded.value",
      {task_, std::string_view(name), time, SqlValue::Blob(value)});
}

std::optional<std::string> SqlLedger::Note(const std::string& name) const {
  return Cell("SELECT value FROM note WHERE task = $1 AND name = $2", {task_, std::string_view(name)});
}

void SqlLedger::ReadNotes(const std::string& first, const std::string& end,
                          const std::function<void(const std::string&, std::string_view)>& visit) const {
  store_.Read("SELECT name, value FROM note WHERE task = $1 AND name >= $2 AND name < $3 ORDER BY name",
              {task_, std::string_view(first), std::string_view(end)},
              [&](const SqlRow& row) { return visit(std::string(row.Bytes(0)), row.Bytes(1)), true; });
}

void SqlLedger::DropNotes(const std::string& first, const std::string& end, int64_t before) {
  store_.Write("DELETE FROM note WHERE task = $1 AND name >= $2 AND name < $3 AND time < $4",
               {task_, std::string_view(first), std::string_view(end), before});
}

std::string SqlLedger::ChainHead() const { return committed_chain_; }

void SqlLedger::VerifyChain() const {
  std::string chain;
  uint64_t expected = 1;
  ReadPages(kSegments, Id(0), Id(kLargestNumber), kSegmentsOfAPage, [&](const SqlRow& row) {
    const uint64_t first = Number(row.Integer(0)), count = static_cast<uint64_t>(row.Integer(1));
    chain = ChainOf(chain, first, count, row.Bytes(4));
    if (first != expected || chain != row.Bytes(3))
      throw Error(ErrorKind::kDamaged, store_.name() + " does not fit its hash chain from event " + std::to_string(expected) + " on");
    expected = first + count;
    return true;
  });
}

void SqlLedger::WriteSegment() {
  if (tail_.empty()) return;
  const Segment segment = tail_.Take();
  store_.Write("INSERT INTO segment VALUES ($1, $2, $3, $4, $5)",
               {Id(segment.first), segment.count, segment.checksum, SqlValue::Blob(segment.chain), SqlValue::Blob(segment.body)});
}

void SqlLedger::Committed() {
  committed_ = tail_.last_event();
  committed_notice_ = last_notice_;
  committed_chain_ = tail_.chain();
}

void SqlLedger::TakenBack() noexcept {
  last_notice_ = committed_notice_;
  tail_.Reset(committed_, committed_chain_);
}

void SqlLedger::ReadEvents(uint64_t first, uint64_t last, const std::function<bool(uint64_t, std::string_view)>& visit) const {
  SegmentReader reader(store_.name(), first, last, visit);
  // The segment with the first wanted event begins there or before.
  int64_t begin = Id(first);
  store_.Read("SELECT max(first) FROM segment WHERE first BETWEEN $1 AND $2", {Id(0), Id(first)}, [&](const SqlRow& row) {
    if (!row.is_null(0)) begin = row.Integer(0);
    return false;
  });
  bool more = true;
  ReadPages(kSegments, begin, Id(last), kSegmentsOfAPage, [&](const SqlRow& row) {
    return more = reader.Read({Number(row.Integer(0)), static_cast<uint64_t>(row.Integer(1)), row.Integer(2), row.Bytes(3), row.Bytes(4)});
  });
  if (more) reader.End(tail_);
}

std::vector<LedgerNotice> SqlLedger::Notices(uint64_t after, uint64_t most) const {
  std::vector<LedgerNotice> notices;
  store_.Read("SELECT number, event, kind, body FROM notice WHERE number > $1 AND number <= $2 ORDER BY number LIMIT $3",
              {Id(after), Id(kLargestNumber), std::min(most, kLargestNumber)}, [&](const SqlRow& row) {
                notices.push_back(
                    {Number(row.Integer(0)), static_cast<uint64_t>(row.Integer(1)), std::string(row.Bytes(2)), std::string(row.Bytes(3))});
                return true;
              });
  return notices;
}

std::vector<LedgerDecision> SqlLedger::Decisions() const {
  std::vector<LedgerDecision> decisions;
  store_.Read("SELECT number, event, body FROM decision WHERE number BETWEEN $1 AND $2 ORDER BY number", {Id(0), Id(kLargestNumber)},
              [&](const SqlRow& row) {
                decisions.push_back(
                    {static_cast<int64_t>(Number(row.Integer(0))), static_cast<uint64_t>(row.Integer(1)), std::string(row.Bytes(2))});
                return true;
              });
  return decisions;
}

std::optional<std::string> SqlLedger::Model(const std::string& hash) const {
  return Cell("SELECT bytes FROM model WHERE hash = $1", {std::string_view(hash)});
}

std::vector<LedgerCheckpoint> SqlLedger::Checkpoints() const {
  std::vector<LedgerCheckpoint> checkpoints;
  store_.Read("SELECT event, state FROM checkpoint WHERE event BETWEEN $1 AND $2 ORDER BY event DESC", {Id(0), Id(kLargestNumber)},
              [&](const SqlRow& row) {
                return checkpoints.push_back({Number(row.Integer(0)), std::string(row.Bytes(1))}), true;
              });
  return checkpoints;
}

}  // namespace everlearn
