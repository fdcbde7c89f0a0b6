// Which weights a linear model that learns row by row has: one a column of numbers, one bias, and one for each place of the hashed table
// that a row has met, in this order. A weight of a model of several scores is several numbers.
//
// Belongs to one thread. There are at most 2^bits + numbers + 1 slots.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace everlearn {

// Of a table of 2^bits weights in all, the bits that each of so many scores has.
int BitsOfEach(int bits, size_t scores);

class StreamSlots {
 public:
  static constexpr size_t kNone = SIZE_MAX;

  // `number_hashes`: of the columns of numbers. Where two have one place, it is the first one's.
  StreamSlots(std::span<const uint64_t> number_hashes, int bits);

  size_t numbers() const { return numbers_; }
  size_t bias() const { return numbers_; }
  size_t size() const { return numbers_ + 1 + places_.size(); }
  size_t Find(uint64_t hash) const { return static_cast<size_t>(slot_of_[Place(hash)]) - 1; }  // kNone where there is none
  size_t FindOrAdd(uint64_t hash);
  // Places, ascending, with their slots.
  std::vector<std::pair<uint32_t, size_t>> Places() const;

  void Save(ByteWriter* out) const { out->PutAll(places_); }
  void Load(ByteReader* in);  // into slots that are new; throws kDamaged

 private:
  uint32_t Place(uint64_t hash) const { return static_cast<uint32_t>(hash) & static_cast<uint32_t>(slot_of_.size() - 1); }

  size_t numbers_;
  std::vector<uint32_t> slot_of_;  // of each place, slot + 1; 0: none
  std::vector<uint32_t> places_;   // of the slots after the bias
  std::vector<uint32_t> number_places_;
};

}  // namespace everlearn
