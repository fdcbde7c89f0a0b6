// Tables out of the Arrow C data interface, with the meaning that the same data have when they come from a file.
//
// Types: null, bool, all integers (beyond 2^53: text), float and double (infinite: missing, with a warning), decimal128, utf8, large_utf8
// and string views, dates, timestamps with and without a time zone (to microseconds, UTC where there is none), and dictionaries of these
// (category). Others, nested ones among them, are refused by name. A reader belongs to one thread at a time.
//
// What a structure says is checked as far as it can be: counts, pointers, codes, offsets and UTF-8. How large a buffer is it does not say.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/arrow.h"
#include "data/reader.h"

namespace everlearn {

// Reads a stream of record batches, which it takes over: *stream is empty afterwards, also when this throws, and released with the reader.
// `name` is the source in messages. Throws kInput (no table, no columns, a type that is not read, what the producer reports), as does Next.
std::unique_ptr<TableReader> OpenArrowReader(ArrowArrayStream* stream, const std::string& name);

// One record batch, of whose structures the same holds.
std::unique_ptr<TableReader> OpenArrowReader(ArrowSchema* schema, ArrowArray* array, const std::string& name);

}  // namespace everlearn
