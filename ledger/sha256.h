// SHA-256 (FIPS 180-4, by OpenSSL), for what must not be forged: the chain of the ledger, rows that can be erased, keys.
//
// Pure functions, safe from any thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace everlearn {

// 32 bytes, of all pieces one after the other.
std::string Sha256(std::initializer_list<std::string_view> pieces);

// Lower-case hexadecimal digits.
std::string HexText(std::string_view bytes);

}  // namespace everlearn
