#include "loop/due_outcomes.h"

#include <limits>

#include "base/bytes.h"
#include "base/hash.h"

namespace everlearn {
namespace {

const std::string kDue = "due/", kAfterDue = "due0";  // '0' follows '/'

// Of two values for one row at one time the later one stays.
std::string NameOf(const DueOutcome& outcome) { return kDue + HashText(static_cast<uint64_t>(outcome.time)) + "/" + HashText(outcome.row); }

}  // namespace

void DueOutcomes::Load() {
  waiting_ = {};
  ledger_.ReadNotes(kDue, kAfterDue, [&](const std::string&, std::string_view value) {
    ByteReader in(value);
    DueOutcome outcome;
    outcome.time = in.Get<int64_t>();
    outcome.row = in.Get<uint64_t>();
    outcome.truth = in.Get<double>();
    waiting_.push(outcome);
  });
}

void DueOutcomes::Add(const DueOutcome& outcome) {
  const std::string name = NameOf(outcome);
  const bool again = ledger_.Note(name).has_value();
  ByteWriter out;
  out.Put(outcome.time);
  out.Put(outcome.row);
  out.Put(outcome.truth);
  ledger_.PutNote(name, 0, out.bytes());
  if (again) Load();
  else waiting_.push(outcome);
}

bool DueOutcomes::Take(int64_t now, DueOutcome* outcome) {
  if (waiting_.empty() || waiting_.top().time > now) return false;
  *outcome = waiting_.top();
  waiting_.pop();
  const std::string name = NameOf(*outcome);
  ledger_.DropNotes(name, name + "0", std::numeric_limits<int64_t>::max());
  return true;
}

}  // namespace everlearn
