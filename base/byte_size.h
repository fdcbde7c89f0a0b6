// Sizes in bytes, as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace everlearn {

// "2GB", "500MB", "1.5 GiB", "4096" → bytes; KB, MB, GB, TB are powers of 1000, KiB … of 1024. Nothing where it is none, or less than 1.
std::optional<uint64_t> ParseByteSize(std::string_view text);

}  // namespace everlearn
