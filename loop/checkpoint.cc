#include "loop/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/hash.h"

namespace everlearn {
namespace {

constexpr uint32_t kPlaces = 3;            // for the two checkpoints that the ledger keeps, and the one that is being written
constexpr uint32_t kInParts = 0x73747270;  // instead of a state's format: it lies in parts, from which one on is said
constexpr const char *kParts = "waiting/", *kAfterParts = "waiting0";  // '0' follows '/'

std::string PartName(uint32_t place, uint32_t part) { return fmt::format("{}{}/{:08x}", kParts, place, part); }

std::string ReadPart(const Ledger& ledger, uint32_t place, uint64_t event, uint32_t part, bool* more) {
  auto bytes = ledger.Note(PartName(place, part));
  constexpr size_t kTail = sizeof(uint64_t) + sizeof(bool) + sizeof(uint64_t);  // event, more, checksum
  if (bytes && bytes->size() > kTail) {
    const std::string_view all = *bytes, checked = all.substr(0, all.size() - sizeof(uint64_t));
    ByteReader tail(all.substr(all.size() - kTail));
    const auto its_event = tail.Get<uint64_t>();
    *more = tail.Get<bool>();
    if (its_event == event && tail.Get<uint64_t>() == HashBytes(checked)) {
      bytes->resize(all.size() - kTail);
      return std::move(*bytes);
    }
  }
  throw Error(ErrorKind::kDamaged, "the ledger's checkpoint is damaged: it lacks a part of its rows");
}

// The bytes of a state, put together where they lie in parts.
std::string WholeState(const Ledger& ledger, const std::string& stored) {
  if (stored.size() < sizeof(kInParts) || ByteReader(stored).Get<uint32_t>() != kInParts) return stored;
  ByteReader places(stored);
  places.Get<uint32_t>();
  const auto place = places.Get<uint32_t>();
  const auto event = places.Get<uint64_t>();
  std::string state;
  bool more = true;
  for (uint32_t part = places.Get<uint32_t>(); more; ++part) state += ByteReader(ReadPart(ledger, place, event, part, &more)).GetText();
  return state;
}

}  // namespace

void CheckpointWriter::Begin(LoopState* state) {
  const uint32_t before = state->rows_place();
  event_ = state->events;
  parts_ = 0;
  written_ = 0;
  first_of_state_.reset();
  state_ = state->SaveWithoutRows(before < kPlaces ? (before + 1) % kPlaces : 0);
}

void CheckpointWriter::PutPart(uint32_t place, bool more, ByteWriter part) {
  part.Put(event_);
  part.Put(more);
  part.Put(HashBytes(part.bytes()));
  ledger_.PutNote(PartName(place, parts_++), 0, part.bytes());
}

void CheckpointWriter::Continue(LoopState* state, size_t bytes) {
  const uint32_t place = state->rows_place();
  ByteWriter part;
  if (!first_of_state_) {
    const bool more = state->pending.SavePart(bytes, &part);
    PutPart(place, more, std::move(part));
    if (!more) first_of_state_ = parts_;
    return;
  }
  part.PutText(std::string_view(state_).substr(written_, bytes));
  written_ = std::min(state_.size(), written_ + bytes);
  const bool more = written_ < state_.size();
  PutPart(place, more, std::move(part));
  if (more) return;
  // An earlier checkpoint in this place may have had more parts.
  ledger_.DropNotes(PartName(place, parts_), PartName(place + 1, 0), std::numeric_limits<int64_t>::max());
  ByteWriter places;
  places.Put(kInParts);
  places.Put(place);
  places.Put(event_);
  places.Put(*first_of_state_);
  ledger_.PutCheckpoint({event_, places.Take()});
  state_ = {};
  event_ = 0;
}

std::unique_ptr<LoopState> LoadCheckpoint(const Ledger& ledger, const LedgerCheckpoint& checkpoint, const LoopOptions& options,
                                          const LoopState::ModelOf& model_of) {
  auto state = std::make_unique<LoopState>(options);
  state->Load(WholeState(ledger, checkpoint.state), model_of,
              [&](uint32_t place, uint64_t event, uint32_t part, bool* more) { return ReadPart(ledger, place, event, part, more); });
  if (state->events != checkpoint.event) throw Error(ErrorKind::kDamaged, "the ledger's checkpoint is of another event");
  return state;
}

std::unique_ptr<LoopState> RestoreState(const Ledger& ledger, const LoopOptions& options, const LoopState::ModelOf& model_of) {
  for (const LedgerCheckpoint& checkpoint : ledger.Checkpoints()) {
    try {
      return LoadCheckpoint(ledger, checkpoint, options, model_of);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kDamaged) throw;
    }
  }
  return std::make_unique<LoopState>(options);
}

void DropCheckpointParts(Ledger& ledger) { ledger.DropNotes(kParts, kAfterParts, std::numeric_limits<int64_t>::max()); }

}  // namespace everlearn
