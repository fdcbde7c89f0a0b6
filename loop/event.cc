#include "loop/event.h"

#include "base/bytes.h"

namespace everlearn {
namespace {

// Of two class probabilities only the second is stored; members compute the first as one minus it, so both read back equal.
size_t StoredNumbers(size_t outputs, bool classification) { return classification && outputs == 2 ? 1 : outputs; }

constexpr uint8_t kHistory = 1, kServed = 2;
constexpr size_t kHashBytes = 32;

void PutPredictions(const Event& event, size_t outputs, bool classification, ByteWriter* out) {
  out->PutVarint(event.members.size());
  const size_t stored = StoredNumbers(outputs, classification);
  for (size_t m = 0; m < event.members.size(); ++m) {
    out->PutVarint(event.members[m]);
    for (size_t k = outputs - stored; k < outputs; ++k) out->Put(event.predictions[m * outputs + k]);
  }
}

void GetPredictions(ByteReader* in, size_t outputs, bool classification, Event* event) {
  const uint64_t count = in->GetCount();
  event->members.resize(count);
  event->predictions.resize(count * outputs);
  const size_t stored = StoredNumbers(outputs, classification);
  for (size_t m = 0; m < count; ++m) {
    event->members[m] = static_cast<uint32_t>(in->GetVarint());
    double* out = event->predictions.data() + m * outputs;
    for (size_t k = outputs - stored; k < outputs; ++k) out[k] = in->Get<double>();
    if (stored < outputs) out[0] = 1.0 - out[1];
  }
}

}  // namespace

void EncodeEvent(const Event& event, size_t outputs, bool classification, std::string* bytes) {
  ByteWriter out(std::move(*bytes));
  out.Put(event.kind);
  out.Put(event.time);
  switch (event.kind) {
    case EventKind::kRow: {
      const bool served = !event.row_hash.empty();
      out.PutVarint(event.row);
      out.Put<uint8_t>(static_cast<uint8_t>((event.history ? kHistory : 0) | (served ? kServed : 0)));
      if (served) {
        for (const char c : event.row_hash) out.Put(c);
        out.PutVarint(event.learnt);
        if (!classification) out.Put(event.half_width);
      }
      PutPredictions(event, outputs, classification, &out);
      break;
    }
    case EventKind::kShadow:
      out.PutVarint(event.row);
      PutPredictions(event, outputs, classification, &out);
      break;
    case EventKind::kOutcome:
    case EventKind::kKnown:
      out.PutVarint(event.row);
      out.Put(event.truth);
      break;
    case EventKind::kCorrection:
      out.PutVarint(event.row);
      out.Put(event.truth);
      out.Put(event.old_truth);
      PutPredictions(event, outputs, classification, &out);
      break;
    case EventKind::kModel:
      out.PutVarint(event.request);
      out.PutText(event.learner);
      out.PutText(event.parameters);
      out.PutText(event.hash);
      out.PutText(event.detail);
      out.PutAll(event.predictions);
      break;
    case EventKind::kWish:
    case EventKind::kNotice:
      out.PutText(event.word);
      out.PutVarint(event.member);
      out.PutText(event.detail);
      break;
    case EventKind::kTick:
      break;
  }
  *bytes = out.Take();
}

void DecodeEvent(std::string_view bytes, size_t outputs, bool classification, Event* event) {
  ByteReader in(bytes);
  event->kind = in.Get<EventKind>();
  event->time = in.Get<int64_t>();
  event->features = nullptr;
  switch (event->kind) {
    case EventKind::kRow: {
      event->row = in.GetVarint();
      const auto flags = in.Get<uint8_t>();
      event->history = (flags & kHistory) != 0;
      event->row_hash.clear();
      event->learnt = 0;
      event->half_width = kNoInterval;
      if ((flags & kServed) != 0) {
        for (size_t i = 0; i < kHashBytes; ++i) event->row_hash.push_back(in.Get<char>());
        event->learnt = in.GetVarint();
        if (!classification) event->half_width = in.Get<double>();
      }
      GetPredictions(&in, outputs, classification, event);
      break;
    }
    case EventKind::kShadow:
      event->row = in.GetVarint();
      GetPredictions(&in, outputs, classification, event);
      break;
    case EventKind::kOutcome:
    case EventKind::kKnown:
      event->row = in.GetVarint();
      event->truth = in.Get<double>();
      break;
    case EventKind::kCorrection:
      event->row = in.GetVarint();
      event->truth = in.Get<double>();
      event->old_truth = in.Get<double>();
      GetPredictions(&in, outputs, classification, event);
      break;
    case EventKind::kModel:
      event->request = static_cast<uint32_t>(in.GetVarint());
      event->learner = in.GetText();
      event->parameters = in.GetText();
      event->hash = in.GetText();
      event->detail = in.GetText();
      event->predictions = in.GetAll<double>();
      break;
    case EventKind::kWish:
    case EventKind::kNotice:
      event->word = in.GetText();
      event->member = static_cast<uint32_t>(in.GetVarint());
      event->detail = in.GetText();
      break;
    case EventKind::kTick:
      break;
    default:
      throw Error(ErrorKind::kDamaged, "a stored event is of an unknown kind");
  }
  if (!in.done()) throw Error(ErrorKind::kDamaged, "a stored event is longer than it should be");
}

}  // namespace everlearn
