#include "loop/ledger_rows.h"

#include <sys/random.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "loop/event.h"
#include "loop/lags.h"
#include "model/row_encoder.h"

namespace everlearn {

EncodedRows LedgerRows::View() const {
  EncodedRows rows;
  rows.classes = classes;
  rows.is_category = is_category;
  rows.values = values;
  rows.target = target;
  rows.numbers = numbers;
  return rows;
}

namespace {

// As Step filled them in when the rows were predicted, but for the first rows, before which the outcomes are not read.
void FillLags(const Ledger& ledger, uint64_t first_event, LedgerRows* rows) {
  Lags lags(rows->classes);
  const size_t features = rows->is_category.size(), count = Lags::Count(rows->classes);
  Event event;
  size_t next = 0;
  ledger.ReadEvents(first_event, ledger.last_event(), [&](uint64_t, std::string_view bytes) {
    DecodeEvent(bytes, rows->classes == 0 ? 1 : rows->classes, rows->classes > 0, &event);
    if (event.kind == EventKind::kOutcome) lags.OnOutcome(event.row, event.truth);
    if (event.kind != EventKind::kRow) return true;
    while (next < rows->numbers.size() && rows->numbers[next] < event.row) ++next;
    if (next == rows->numbers.size()) return false;
    if (rows->numbers[next] == event.row) lags.Fill(event.row, rows->values.data() + (next + 1) * features - count);
    return true;
  });
}

}  // namespace

LedgerRows ReadLedgerRows(const Ledger& ledger, const TaskFrame& frame, size_t most) {
  LedgerRows rows;
  rows.classes = frame.task.labels.size();
  for (const Feature& feature : frame.space.features()) rows.is_category.push_back(feature.is_category());
  const RowEncoder encoder(frame.schema, frame.task, frame.space);
  const size_t features = frame.space.size();
  const LedgerOutcomes newest = ledger.NewestOutcomes(most);
  uint64_t first_event = 0;
  rows.values.reserve(newest.count * features);
  ledger.ReadRows(newest.first_row, [&](const LedgerRow& row, const double* truth) {
    if (truth == nullptr || row.body.empty()) return true;
    rows.values.resize(rows.values.size() + features);
    encoder.Encode(RowOfBody(row.body), RowEncoder::Absent::kAsMissing, rows.values.data() + rows.values.size() - features);
    rows.target.push_back(*truth);
    rows.numbers.push_back(row.row);
    if (first_event == 0) first_event = row.event;
    return true;
  });
  if (!rows.numbers.empty() && frame.space.features().back().is_lag()) FillLags(ledger, first_event, &rows);
  return rows;
}

// Fetched many at once: a call for each row would cost more than all else that is done for it.
uint64_t SystemRandomBits() {
  constexpr size_t kFetched = 512;
  thread_local std::array<uint64_t, kFetched> bits;
  thread_local size_t used = kFetched;
  if (used == kFetched) {
    for (size_t done = 0; done < sizeof bits;) {
      const ssize_t got = getrandom(reinterpret_cast<char*>(bits.data()) + done, sizeof bits - done, 0);
      if (got < 0 && errno != EINTR) throw Error(ErrorKind::kResource, "the system has no random numbers");
      if (got > 0) done += static_cast<size_t>(got);
    }
    used = 0;
  }
  return bits[used++];
}

std::string NewSalt() {
  const uint64_t bits[] = {SystemRandomBits(), SystemRandomBits()};
  return std::string(reinterpret_cast<const char*>(bits), kSaltBytes);
}

std::string MakeBody(std::string_view salt, std::string_view json_text) {
  std::string body(salt);
  body.append(json_text);
  return body;
}

JsonObject RowOfBody(std::string_view body) {
  if (body.size() < kSaltBytes) throw Error(ErrorKind::kDamaged, "a stored row is too short");
  Json row = ParseJson(body.substr(kSaltBytes), "a stored row");
  if (!row.is_object()) throw Error(ErrorKind::kDamaged, "a stored row is no object");
  return std::move(row.as_object());
}

}  // namespace everlearn
