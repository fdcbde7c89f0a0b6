// What a network is given for a row: numbers on a robust scale, one-hot categories, and places in tables of learned embeddings.
//
// Numbers are centred on the median, divided by a spread and squashed, x / sqrt(1 + (x/3)²), so that no value is beyond ±3 (Holzmüller,
// Grinsztajn & Steinwart, Better by default: strong pre-tuned MLPs and boosted trees on tabular data, 2024). Immutable; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "data/array_file.h"

namespace everlearn {

// Vectors have one element a feature. An input is the embeddings of the features that have a table, in their order, and then the fixed
// columns of all features in their order: a number has one, a category without a table one a level; each one more where `indicator` is set,
// 1 where the value is missing. Without it missing numbers count as the median, and missing or unseen levels are all zeros.
struct NetworkInputs {
  std::vector<uint8_t> is_category;
  std::vector<double> centre, scale;  // of numbers: finite, scale above 0
  std::vector<uint8_t> indicator;
  std::vector<uint32_t> levels;       // of categories: codes from `levels` on are unseen
  std::vector<uint32_t> table_width;  // 0: the feature has no table
  std::vector<uint64_t> knots_begin;  // features + 1
  std::vector<double> knots;          // of numbers with a table, at least two each, ascending

  size_t features() const { return is_category.size(); }
  // Of a number: one a knot, and one for missing values; of a category: one a level, and one for missing and unseen ones.
  size_t TableRows(size_t feature) const;
  size_t FixedColumns(size_t feature) const;
  size_t tables() const;    // features that have one
  size_t embedded() const;  // columns of all tables
  size_t fixed() const;     // fixed columns of all features
  // For each table the row and the share of the next row (0 where it is the row alone), and the fixed columns.
  void Locate(const double* row, uint32_t* positions, float* fractions, float* fixed) const;

  void Save(const std::string& prefix, ArrayFileWriter* file) const;
  static NetworkInputs Load(const std::string& prefix, const ArrayFile& file);
  void Check() const;  // throws kDamaged where sizes or numbers are wrong
};

}  // namespace everlearn
