// What a linear model that learns row by row sees of a row: numbers that are standardised as the stream goes on, and hashed places of
// categories and missing values, as model/hashed_linear.h reads them.
//
// Numbers are standardised by their running mean and deviation and held inside ±3, where an outlier does no harm. With `sparse_zeros`, a
// column of which at least half of the first 256 numbers are 0 keeps its zeros: it is divided by the root mean square of the others and not
// centred, so that a row costs only what is not 0 in it. Belongs to one thread; no allocation a row once warm.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "kernels/early_moments.h"
#include "learner/learner.h"
#include "model/hashed_linear.h"

namespace everlearn {

class StreamFeatures {
 public:
  StreamFeatures(const StreamShape& shape, int bits, bool sparse_zeros);

  // The running moments learn the row's numbers.
  void Learn(const double* row);
  // Reads a row, for numbers() and hashed().
  void Read(const double* row) const;
  // One a column of numbers, in the order of the columns; 0 where it is missing.
  std::span<const double> numbers() const { return numbers_; }
  // Categories, missing values, and numbers whose place in the table of weights another number has too.
  std::span<const HashedValue> hashed() const { return hashed_; }
  // One a column of numbers.
  std::span<const uint64_t> hashes() const { return hashes_; }

  // As the model keeps them.
  HashedFeatures Features() const;
  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  void LearnZeros();
  const std::vector<double>& centre() const { return sparse_zeros_ ? centre_ : mean_; }
  const std::vector<double>& scale() const { return sparse_zeros_ ? scale_ : deviation_; }

  size_t features_;
  int bits_;
  bool sparse_zeros_;
  std::vector<uint32_t> columns_, categories_;  // of the row: numbers, and the others
  std::vector<uint64_t> hashes_;                // one a number; so too all that follows
  std::vector<uint8_t> shared_;                 // a number before it has its place; empty where none is
  std::vector<double> count_, mean_, squares_, deviation_;
  EarlyMoments early_{0};
  std::vector<double> judged_, zeros_;    // among the first numbers; empty without sparse_zeros, so too the next three
  std::vector<double> present_, square_;  // numbers that are not 0: how many, and their mean square
  std::vector<double> centre_, scale_;
  mutable std::vector<double> raw_, numbers_;  // of the row that was read
  mutable std::vector<HashedValue> hashed_;
};

}  // namespace everlearn
