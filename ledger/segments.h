// Events as every ledger keeps them: segments of some hundred, each with a checksum and a SHA-256 over itself and the segment before.
//
// One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace everlearn {

struct Segment {
  uint64_t first = 0;  // number of its first event
  uint64_t count = 0;
  int64_t checksum = 0;
  std::string_view chain;  // 32 bytes
  std::string_view body;   // each event with its length before it
};

// The hash of a segment that follows one whose hash was `before` (empty: it is the first).
std::string ChainOf(std::string_view before, uint64_t first, uint64_t count, std::string_view body);

using EventVisit = std::function<bool(uint64_t number, std::string_view event)>;  // false: enough

// The events that are not stored yet, and where the stored ones end.
class SegmentTail {
 public:
  // Forgets the events. `last_event` and `chain` are of the last stored segment.
  void Reset(uint64_t last_event, std::string chain);
  void Append(std::string_view event);
  bool empty() const { return count_ == 0; }
  bool full() const;  // large enough to be stored
  // The events as a segment, which is then the last stored one. It lives until the next call.
  Segment Take();

  uint64_t last_event() const { return last_event_; }
  const std::string& chain() const { return chain_; }  // of the last stored segment
  uint64_t first() const { return last_event_ - count_ + 1; }
  uint64_t count() const { return count_; }
  const std::string& body() const { return buffer_.bytes(); }

 private:
  uint64_t last_event_ = 0, count_ = 0;
  std::string chain_;
  ByteWriter buffer_;
  bool taken_ = false;  // the buffer's content is stored
};

// Visits the events [first, last] of segments that are given in their order, and refuses what is damaged or missing.
class SegmentReader {
 public:
  // `name` of the ledger for messages; all must outlive the reader.
  SegmentReader(const std::string& name, uint64_t first, uint64_t last, const EventVisit& visit);
  // False: the visitor has enough. Throws kDamaged.
  bool Read(const Segment& segment);
  // After the stored segments: what waits, or that nothing is missing.
  void End(const SegmentTail& tail);

 private:
  bool Visit(uint64_t begin, uint64_t count, std::string_view body);
  [[noreturn]] void ThrowDamaged(const std::string& what) const;

  const std::string& name_;
  uint64_t first_, last_, expected_;
  const EventVisit& visit_;
};

}  // namespace everlearn
