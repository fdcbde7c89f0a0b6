#include "ledger/sqlite_ledger.h"

#include <algorithm>

#include "base/hash.h"
#include "ledger/sha256.h"

namespace everlearn {
namespace {

constexpr size_t kSegmentBytes = 64 << 10;
constexpr size_t kSegmentEvents = 512;
constexpr int kNumberBits = 44;
constexpr uint64_t kLargestNumber = (uint64_t{1} << kNumberBits) - 1;

// SQLite checks the structure of its pages, not the bytes inside a blob.
int64_t Checksum(std::string_view bytes) { return static_cast<int64_t>(HashBytes(bytes)); }

}  // namespace

SqliteLedger::SqliteLedger(SqliteStore& store, int64_t task) : store_(store), task_(task) {
  SqliteStatement segment =
      store_.database().Prepare("SELECT first + count - 1, chain FROM segment WHERE first BETWEEN ? AND ? ORDER BY first DESC LIMIT 1");
  if (segment.Bind(Id(0)).Bind(Id(kLargestNumber)).Step()) {
    committed_ = Number(segment.Integer(0));
    committed_chain_ = segment.Bytes(1);
  }
  SqliteStatement notice = store_.database().Prepare("SELECT max(number) FROM notice WHERE number BETWEEN ? AND ?");
  if (notice.Bind(Id(0)).Bind(Id(kLargestNumber)).Step() && notice.Integer(0) > 0) committed_notice_ = Number(notice.Integer(0));
  TakenBack();
}

int64_t SqliteLedger::Id(uint64_t number) const { return (task_ << kNumberBits) + static_cast<int64_t>(std::min(number, kLargestNumber)); }

void SqliteLedger::SetFact(const std::string& name, const std::string& value) {
  store_.Write("INSERT INTO fact VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
               [&](SqliteStatement& insert) { insert.Bind(task_).Bind(name).Bind(value); });
}

std::optional<std::string> SqliteLedger::Fact(const std::string& name) const {
  SqliteStatement& select = store_.Prepared("SELECT value FROM fact WHERE task = ? AND name = ?");
  if (!select.Bind(task_).Bind(name).Step()) return std::nullopt;
  return std::string(select.Bytes(0));
}

uint64_t SqliteLedger::Append(std::string_view event) {
  buffer_.PutText(event);
  ++last_event_;
  if (++buffered_ >= kSegmentEvents || buffer_.size() >= kSegmentBytes) WriteSegment();
  return last_event_;
}

void SqliteLedger::AddNotice(const LedgerNotice& notice) {
  ++last_notice_;
  store_.Write("INSERT INTO notice VALUES (?, ?, ?, ?)", [&](SqliteStatement& insert) {
    insert.Bind(Id(last_notice_)).Bind(static_cast<int64_t>(notice.event)).Bind(notice.kind).Bind(notice.body);
  });
}

void SqliteLedger::AddDecision(const LedgerDecision& decision) {
  store_.Write("INSERT INTO decision VALUES (?, ?, ?)", [&](SqliteStatement& insert) {
    insert.Bind(Id(static_cast<uint64_t>(decision.number))).Bind(static_cast<int64_t>(decision.event)).Bind(decision.body);
  });
}

void SqliteLedger::PutModel(const std::string& hash, const std::string& name, std::string_view bytes) {
  store_.Write("INSERT INTO model VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
               [&](SqliteStatement& insert) { insert.Bind(hash).Bind(name).BindBlob(bytes); });
}

void SqliteLedger::PutCheckpoint(const LedgerCheckpoint& checkpoint) {
  store_.Write("INSERT OR REPLACE INTO checkpoint VALUES (?, ?)",
               [&](SqliteStatement& insert) { insert.Bind(Id(checkpoint.event)).BindBlob(checkpoint.state); });
  store_.Write(
      "DELETE FROM checkpoint WHERE event BETWEEN ?1 AND ?2 AND event NOT IN "
      "(SELECT event FROM checkpoint WHERE event BETWEEN ?1 AND ?2 ORDER BY event DESC LIMIT 2)",
      [&](SqliteStatement& erase) { erase.Bind(Id(0)).Bind(Id(kLargestNumber)); });
}

void SqliteLedger::PutRow(const LedgerRow& row) {
  store_.Write("INSERT INTO row VALUES (?, ?, nullif(?, 0), ?)", [&](SqliteStatement& insert) {
    insert.Bind(Id(row.row)).Bind(static_cast<int64_t>(row.event)).Bind(static_cast<int64_t>(row.key)).BindBlob(row.body);
  });
}

void SqliteLedger::EraseRow(uint64_t row) {
  store_.Write("UPDATE row SET body = x'', key = NULL WHERE number = ?", [&](SqliteStatement& update) { update.Bind(Id(row)); });
}

std::optional<LedgerRow> SqliteLedger::Row(uint64_t row) const {
  SqliteStatement& select = store_.Prepared("SELECT event, key, body FROM row WHERE number = ?");
  if (!select.Bind(Id(row)).Step()) return std::nullopt;
  return LedgerRow{row, static_cast<uint64_t>(select.Integer(0)), static_cast<uint64_t>(select.Integer(1)), std::string(select.Bytes(2))};
}

std::vector<uint64_t> SqliteLedger::RowsOfKey(uint64_t key) const {
  std::vector<uint64_t> rows;
  SqliteStatement& select = store_.Prepared("SELECT number FROM row WHERE key = ? AND number BETWEEN ? AND ? ORDER BY number");
  select.Bind(static_cast<int64_t>(key)).Bind(Id(0)).Bind(Id(kLargestNumber));
  while (select.Step()) rows.push_back(Number(select.Integer(0)));
  return rows;
}

void SqliteLedger::PutOutcome(const LedgerOutcome& outcome) {
  store_.Write("INSERT INTO outcome VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET truth = excluded.truth", [&](SqliteStatement& insert) {
    insert.Bind(Id(outcome.row)).Bind(static_cast<int64_t>(outcome.event)).Bind(outcome.truth);
  });
}

std::optional<LedgerOutcome> SqliteLedger::Outcome(uint64_t row) const {
  SqliteStatement& select = store_.Prepared("SELECT event, truth FROM outcome WHERE number = ?");
  if (!select.Bind(Id(row)).Step()) return std::nullopt;
  return LedgerOutcome{row, static_cast<uint64_t>(select.Integer(0)), select.Number(1)};
}

void SqliteLedger::ReadRows(uint64_t first, const std::function<bool(const LedgerRow&, const double*)>& visit) const {
  SqliteStatement select = store_.database().Prepare(
      "SELECT row.number, row.event, row.key, row.body, outcome.truth FROM row LEFT JOIN outcome ON outcome.number = row.number "
      "WHERE row.number BETWEEN ? AND ? ORDER BY row.number");
  select.Bind(Id(first)).Bind(Id(kLargestNumber));
  while (select.Step()) {
    const LedgerRow row{Number(select.Integer(0)), static_cast<uint64_t>(select.Integer(1)), static_cast<uint64_t>(select.Integer(2)),
                        std::string(select.Bytes(3))};
    const double truth = select.Number(4);
    if (!visit(row, select.is_null(4) ? nullptr : &truth)) return;
  }
}

void SqliteLedger::PutNote(const std::string& name, int64_t time, std::string_view value) {
  store_.Write("INSERT OR REPLACE INTO note VALUES (?, ?, ?, ?)",
               [&](SqliteStatement& insert) { insert.Bind(task_).Bind(name).Bind(time).BindBlob(value); });
}

std::optional<std::string> SqliteLedger::Note(const std::string& name) const {
  SqliteStatement& select = store_.Prepared("SELECT value FROM note WHERE task = ? AND name = ?");
  if (!select.Bind(task_).Bind(name).Step()) return std::nullopt;
  return std::string(select.Bytes(0));
}

void SqliteLedger::ReadNotes(const std::string& first, const std::string& end,
                             const std::function<void(const std::string&, std::string_view)>& visit) const {
  SqliteStatement select =
      store_.database().Prepare("SELECT name, value FROM note WHERE task = ? AND name >= ? AND name < ? ORDER BY name");
  select.Bind(task_).Bind(first).Bind(end);
  while (select.Step()) visit(std::string(select.Bytes(0)), select.Bytes(1));
}

void SqliteLedger::DropNotes(const std::string& first, const std::string& end, int64_t before) {
  store_.Write("DELETE FROM note WHERE task = ? AND name >= ? AND name < ? AND time < ?",
               [&](SqliteStatement& erase) { erase.Bind(task_).Bind(first).Bind(end).Bind(before); });
}

std::string SqliteLedger::ChainOf(std::string_view before, uint64_t first, uint64_t count, std::string_view body) const {
  ByteWriter place;
  place.Put(first);
  place.Put(count);
  return Sha256({before, place.bytes(), body});
}

std::string SqliteLedger::ChainHead() const { return committed_chain_; }

void SqliteLedger::VerifyChain() const {
  SqliteStatement select =
      store_.database().Prepare("SELECT first, count, chain, body FROM segment WHERE first BETWEEN ? AND ? ORDER BY first");
  select.Bind(Id(0)).Bind(Id(kLargestNumber));
  std::string chain;
  uint64_t expected = 1;
  while (select.Step()) {
    const uint64_t first = Number(select.Integer(0)), count = static_cast<uint64_t>(select.Integer(1));
    chain = ChainOf(chain, first, count, select.Bytes(3));
    if (first != expected || chain != select.Bytes(2))
      throw Error(ErrorKind::kDamaged,
                  store_.database().name() + " does not fit its hash chain from event " + std::to_string(expected) + " on");
    expected = first + count;
  }
}

void SqliteLedger::WriteSegment() {
  if (buffered_ == 0) return;
  const uint64_t first = last_event_ - buffered_ + 1;
  std::string chain = ChainOf(chain_, first, buffered_, buffer_.bytes());
  store_.Write("INSERT INTO segment VALUES (?, ?, ?, ?, ?)", [&](SqliteStatement& insert) {
    insert.Bind(Id(first)).Bind(static_cast<int64_t>(buffered_)).Bind(Checksum(buffer_.bytes()));
    insert.BindBlob(chain).BindBlob(buffer_.bytes());
  });
  chain_ = std::move(chain);
  buffer_.Clear();
  buffered_ = 0;
}

void SqliteLedger::Committed() {
  committed_ = last_event_;
  committed_notice_ = last_notice_;
  committed_chain_ = chain_;
}

void SqliteLedger::TakenBack() noexcept {
  buffer_.Clear();
  buffered_ = 0;
  last_event_ = committed_;
  last_notice_ = committed_notice_;
  chain_ = committed_chain_;
}

void SqliteLedger::ReadEvents(uint64_t first, uint64_t last, const std::function<bool(uint64_t, std::string_view)>& visit) const {
  const std::string& file = store_.database().name();
  const auto damaged = [&](const std::string& what) { return Error(ErrorKind::kDamaged, file + " is damaged: " + what); };
  const auto visit_segment = [&](uint64_t begin, uint64_t count, std::string_view body) {
    for (uint64_t number = begin; number < begin + count && number <= last; ++number) {
      ByteReader reader(body);
      uint64_t size = body.size();
      try {
        size = reader.GetVarint();
      } catch (const Error&) {
      }
      body.remove_prefix(reader.position());
      if (size > body.size()) throw damaged("event " + std::to_string(number) + " ends too early");
      if (number >= first && !visit(number, body.substr(0, size))) return false;
      body.remove_prefix(size);
    }
    return true;
  };
  SqliteStatement select = store_.database().Prepare(
      "SELECT first, count, checksum, body FROM segment WHERE first >= "
      "coalesce((SELECT max(first) FROM segment WHERE first BETWEEN ?1 AND ?2), ?2) AND first <= ?3 ORDER BY first");
  select.Bind(Id(0)).Bind(Id(first)).Bind(Id(last));
  uint64_t expected = std::max<uint64_t>(first, 1);
  while (select.Step()) {
    const uint64_t begin = Number(select.Integer(0)), count = static_cast<uint64_t>(select.Integer(1));
    // The first segment may begin before what is wanted, none may leave a gap.
    if (begin > expected || (begin < expected && begin > first)) throw damaged("event " + std::to_string(expected) + " is missing");
    if (Checksum(select.Bytes(3)) != select.Integer(2))
      throw damaged("the checksum of the events from " + std::to_string(begin) + " on is wrong");
    if (!visit_segment(begin, count, select.Bytes(3))) return;
    expected = begin + count;
  }
  if (buffered_ > 0) visit_segment(last_event_ - buffered_ + 1, buffered_, buffer_.bytes());
  else if (expected <= std::min(last, last_event_)) throw damaged("event " + std::to_string(expected) + " is missing");
}

std::vector<LedgerNotice> SqliteLedger::Notices(uint64_t after, uint64_t most) const {
  std::vector<LedgerNotice> notices;
  SqliteStatement select =
      store_.database().Prepare("SELECT number, event, kind, body FROM notice WHERE number > ? AND number <= ? ORDER BY number LIMIT ?");
  select.Bind(Id(after)).Bind(Id(kLargestNumber)).Bind(static_cast<int64_t>(std::min(most, kLargestNumber)));
  while (select.Step()) {
    notices.push_back(
        {Number(select.Integer(0)), static_cast<uint64_t>(select.Integer(1)), std::string(select.Bytes(2)), std::string(select.Bytes(3))});
  }
  return notices;
}

std::vector<LedgerDecision> SqliteLedger::Decisions() const {
  std::vector<LedgerDecision> decisions;
  SqliteStatement select =
      store_.database().Prepare("SELECT number, event, body FROM decision WHERE number BETWEEN ? AND ? ORDER BY number");
  select.Bind(Id(0)).Bind(Id(kLargestNumber));
  while (select.Step()) {
    decisions.push_back(
        {static_cast<int64_t>(Number(select.Integer(0))), static_cast<uint64_t>(select.Integer(1)), std::string(select.Bytes(2))});
  }
  return decisions;
}

std::optional<std::string> SqliteLedger::Model(const std::string& hash) const {
  SqliteStatement select = store_.database().Prepare("SELECT bytes FROM model WHERE hash = ?");
  if (!select.Bind(hash).Step()) return std::nullopt;
  return std::string(select.Bytes(0));
}

std::vector<LedgerCheckpoint> SqliteLedger::Checkpoints() const {
  std::vector<LedgerCheckpoint> checkpoints;
  SqliteStatement select = store_.database().Prepare("SELECT event, state FROM checkpoint WHERE event BETWEEN ? AND ? ORDER BY event DESC");
  select.Bind(Id(0)).Bind(Id(kLargestNumber));
  while (select.Step()) checkpoints.push_back({Number(select.Integer(0)), std::string(select.Bytes(1))});
  return checkpoints;
}

}  // namespace everlearn
