#include "ledger/segments.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "ledger/sha256.h"

namespace everlearn {
namespace {

constexpr size_t kSegmentBytes = 64 << 10;
constexpr size_t kSegmentEvents = 512;

// Databases check the structure of their pages, not always the bytes inside a blob.
int64_t Checksum(std::string_view bytes) { return static_cast<int64_t>(HashBytes(bytes)); }

}  // namespace

std::string ChainOf(std::string_view before, uint64_t first, uint64_t count, std::string_view body) {
  ByteWriter place;
  place.Put(first);
  place.Put(count);
  return Sha256({before, place.bytes(), body});
}

void SegmentTail::Reset(uint64_t last_event, std::string chain) {
  last_event_ = last_event;
  chain_ = std::move(chain);
  count_ = 0;
  taken_ = true;
}

void SegmentTail::Append(std::string_view event) {
  if (taken_) buffer_.Clear();
  taken_ = false;
  buffer_.PutText(event);
  ++last_event_;
  ++count_;
}

bool SegmentTail::full() const { return count_ >= kSegmentEvents || buffer_.size() >= kSegmentBytes; }

Segment SegmentTail::Take() {
  Segment segment{first(), count_, Checksum(buffer_.bytes()), {}, buffer_.bytes()};
  chain_ = ChainOf(chain_, segment.first, segment.count, segment.body);
  segment.chain = chain_;
  count_ = 0;
  taken_ = true;
  return segment;
}

SegmentReader::SegmentReader(const std::string& name, uint64_t first, uint64_t last, const EventVisit& visit)
    : name_(name), first_(first), last_(last), expected_(std::max<uint64_t>(first, 1)), visit_(visit) {}

bool SegmentReader::Read(const Segment& segment) {
  // The first segment may begin before what is wanted, none may leave a gap.
  if (segment.first > expected_ || (segment.first < expected_ && segment.first > first_))
    ThrowDamaged("event " + std::to_string(expected_) + " is missing");
  if (Checksum(segment.body) != segment.checksum)
    ThrowDamaged("the checksum of the events from " + std::to_string(segment.first) + " on is wrong");
  expected_ = segment.first + segment.count;
  return Visit(segment.first, segment.count, segment.body);
}

void SegmentReader::End(const SegmentTail& tail) {
  if (!tail.empty()) Visit(tail.first(), tail.count(), tail.body());
  else if (expected_ <= std::min(last_, tail.last_event())) ThrowDamaged("event " + std::to_string(expected_) + " is missing");
}

bool SegmentReader::Visit(uint64_t begin, uint64_t count, std::string_view body) {
  for (uint64_t number = begin; number < begin + count && number <= last_; ++number) {
    ByteReader reader(body);
    uint64_t size = body.size();
    try {
      size = reader.GetVarint();
    } catch (const Error&) {
    }
    body.remove_prefix(reader.position());
    if (size > body.size()) ThrowDamaged("event " + std::to_string(number) + " ends too early");
    if (number >= first_ && !visit_(number, body.substr(0, size))) return false;
    body.remove_prefix(size);
  }
  return true;
}

void SegmentReader::ThrowDamaged(const std::string& what) const { throw Error(ErrorKind::kDamaged, name_ + " is damaged: " + what); }

}  // namespace everlearn
