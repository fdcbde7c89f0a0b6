#include "learners/stream_slots.h"

#include <algorithm>
#include <bit>

namespace everlearn {

int BitsOfEach(int bits, size_t scores) { return std::max(1, bits - static_cast<int>(std::bit_width(scores - 1))); }

StreamSlots::StreamSlots(std::span<const uint64_t> number_hashes, int bits)
    : numbers_(number_hashes.size()), slot_of_(size_t{1} << bits, 0) {
  for (size_t i = 0; i < numbers_; ++i) {
    uint32_t& slot = slot_of_[Place(number_hashes[i])];
    if (slot != 0) continue;
    slot = static_cast<uint32_t>(i + 1);
    number_places_.push_back(Place(number_hashes[i]));
  }
}

size_t StreamSlots::FindOrAdd(uint64_t hash) {
  uint32_t& slot = slot_of_[Place(hash)];
  if (slot == 0) {
    places_.push_back(Place(hash));
    slot = static_cast<uint32_t>(size());
  }
  return slot - 1;
}

std::vector<std::pair<uint32_t, size_t>> StreamSlots::Places() const {
  std::vector<std::pair<uint32_t, size_t>> all;
  all.reserve(number_places_.size() + places_.size());
  for (const auto* places : {&number_places_, &places_})
    for (const uint32_t place : *places) all.emplace_back(place, slot_of_[place] - 1);
  std::sort(all.begin(), all.end());
  return all;
}

void StreamSlots::Load(ByteReader* in) {
  for (const uint32_t place : in->GetAll<uint32_t>()) {
    if (place >= slot_of_.size() || slot_of_[place] != 0)
      throw Error(ErrorKind::kDamaged, "a stored state of an online learner names a wrong weight");
    places_.push_back(place);
    slot_of_[place] = static_cast<uint32_t>(size());
  }
}

}  // namespace everlearn
