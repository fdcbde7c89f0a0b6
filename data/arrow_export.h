// Tables into the Arrow C stream interface, for libraries that take it.
//
// Numbers are float64; integers int64 (float64 where one is too large); booleans bool; timestamps timestamp[us, UTC]; categories
// dictionary<int32, large_utf8>; texts large_utf8; what is missing is null. The values are copied, batch by batch.
#pragma once

#include <cstddef>

#include "data/arrow.h"
#include "data/table.h"

namespace everlearn {

constexpr size_t kRowsOfArrowBatch = 1 << 20;

// Overwrites *out with a stream of the table's rows, which the receiver releases. The stream belongs to one thread at a time; what it hands
// out lives on without it. Its callbacks do not throw: they return an errno, with a message for get_last_error.
void ExportArrow(Table table, ArrowArrayStream* out, size_t rows_of_batch = kRowsOfArrowBatch);

}  // namespace everlearn
