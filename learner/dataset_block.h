// A data set as one block of memory that worker processes map: values, targets, weights and codes, written once (design.md, contract 3).
//
// The block is for processes of one program version on one machine; it is not a file format.
#pragma once

#include <memory>

#include "base/memory_file.h"
#include "learner/dataset.h"

namespace everlearn {

// Appends the data set with its bins. Throws kResource.
void WriteDataset(const Dataset& data, MemoryFile* file);

// The data set in a mapped block, without a copy; it keeps the mapping.
std::unique_ptr<Dataset> MapDataset(std::shared_ptr<const Mapping> mapping);

}  // namespace everlearn
