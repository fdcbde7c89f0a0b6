// XXH64 (Collet, xxHash specification 0.1): a fast 64-bit hash of bytes, for checksums. Not cryptographic.
//
// Pure functions, safe from any thread; equal on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace everlearn {

// Hash several pieces in a row by giving each the hash before it as `seed`.
uint64_t HashBytes(std::string_view bytes, uint64_t seed = 0);

// 16 lower-case hexadecimal digits.
std::string HashText(uint64_t hash);

}  // namespace everlearn
