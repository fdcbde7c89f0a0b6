#include "loop/event.h"

#include "base/bytes.h"

namespace everlearn {
namespace {

// Of two class probabilities only the second is stored; members compute the first as one minus it, so both read back equal.
size_t StoredNumbers(size_t outputs, bool classification) { return classification && outputs == 2 ? 1 : outputs; }

}  // namespace

void EncodeEvent(const Event& event, size_t outputs, bool classification, std::string* bytes) {
  ByteWriter out(std::move(*bytes));
  out.Put(event.kind);
  out.Put(event.time);
  switch (event.kind) {
    case EventKind::kRow: {
      out.PutVarint(event.row);
      out.Put<uint8_t>(event.history ? 1 : 0);
      out.PutVarint(event.members.size());
      const size_t stored = StoredNumbers(outputs, classification);
      for (size_t m = 0; m < event.members.size(); ++m) {
        out.PutVarint(event.members[m]);
        for (size_t k = outputs - stored; k < outputs; ++k) out.Put(event.predictions[m * outputs + k]);
      }
      break;
    }
    case EventKind::kOutcome:
      out.PutVarint(event.row);
      out.Put(event.truth);
      break;
    case EventKind::kModel:
      out.PutVarint(event.request);
      out.PutText(event.learner);
      out.PutText(event.parameters);
      out.PutText(event.hash);
      out.PutText(event.detail);
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
      event->history = in.Get<uint8_t>() != 0;
      const size_t count = in.GetVarint();
      if (count > bytes.size()) throw Error(ErrorKind::kDamaged, "a stored row names more members than it has bytes");
      event->members.resize(count);
      event->predictions.resize(count * outputs);
      const size_t stored = StoredNumbers(outputs, classification);
      for (size_t m = 0; m < count; ++m) {
        event->members[m] = static_cast<uint32_t>(in.GetVarint());
        double* out = event->predictions.data() + m * outputs;
        for (size_t k = outputs - stored; k < outputs; ++k) out[k] = in.Get<double>();
        if (stored < outputs) out[0] = 1.0 - out[1];
      }
      break;
    }
    case EventKind::kOutcome:
      event->row = in.GetVarint();
      event->truth = in.Get<double>();
      break;
    case EventKind::kModel:
      event->request = static_cast<uint32_t>(in.GetVarint());
      event->learner = in.GetText();
      event->parameters = in.GetText();
      event->hash = in.GetText();
      event->detail = in.GetText();
      break;
    default:
      throw Error(ErrorKind::kDamaged, "a stored event is of an unknown kind");
  }
  if (!in.done()) throw Error(ErrorKind::kDamaged, "a stored event is longer than it should be");
}

}  // namespace everlearn
