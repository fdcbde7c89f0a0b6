#include "loop/ledger_rows.h"

#include <sys/random.h>

#include <array>
#include <cerrno>

#include "base/error.h"
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

LedgerRows ReadLedgerRows(const Ledger& ledger, const TaskFrame& frame, size_t most) {
  LedgerRows rows;
  rows.classes = frame.task.labels.size();
  for (const Feature& feature : frame.space.features()) rows.is_category.push_back(feature.is_category());
  const RowEncoder encoder(frame.schema, frame.task, frame.space);
  const size_t features = frame.space.size();
  const LedgerOutcomes newest = ledger.NewestOutcomes(most);
  rows.values.reserve(newest.count * features);
  ledger.ReadRows(newest.first_row, [&](const LedgerRow& row, const double* truth) {
    if (truth == nullptr || row.body.empty()) return true;
    rows.values.resize(rows.values.size() + features);
    encoder.Encode(RowOfBody(row.body), RowEncoder::Absent::kAsMissing, rows.values.data() + rows.values.size() - features);
    rows.target.push_back(*truth);
    rows.numbers.push_back(row.row);
    return true;
  });
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
