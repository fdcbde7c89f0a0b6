// Prediction from the nearest stored rows (Cover & Hart, Nearest neighbor pattern classification, 1967).
//
// A number is a coordinate (x - mean) / scale, held inside ±kNeighbourLimit; a missing one is at the mean, with a coordinate of its own
// that is 1 where it is missing. Two categories that differ are `scale` apart, a missing one is a category. The distance is Euclidean, in
// single precision. All rows are measured, in blocks that fit the cache. Models are immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/model.h"

namespace everlearn {

constexpr double kNeighbourLimit = 1e6;
constexpr uint16_t kMissingNeighbourCode = 65'535;

struct NeighboursParameters {
  std::vector<uint8_t> is_category;   // one a feature; so too the next three
  std::vector<uint8_t> with_missing;  // a number that has the coordinate for missing values
  std::vector<double> mean, scale;    // finite, scale above 0
  size_t outputs = 1;
  bool classes = false;                // targets are class indices
  std::vector<float> coordinates;      // coordinate after coordinate, each of all stored rows
  std::vector<uint16_t> codes;         // category after category, each of all stored rows
  std::vector<double> target, weight;  // one a stored row
  uint32_t neighbours = 1;             // how many are asked
  bool by_distance = false;            // a neighbour counts by the inverse of its distance; one at distance 0 alone
  std::vector<double> prior;           // class shares that are added with prior_rows; empty for values
  double prior_rows = 0;
  size_t rows() const { return target.size(); }
};

// Appends the coordinates of a row, feature after feature, and its codes (kMissingNeighbourCode where they are missing; larger ones where
// they are none).
void EmbedNeighbour(const NeighboursParameters& parameters, const double* row, std::vector<float>* coordinates,
                    std::vector<uint32_t>* codes);

// Throws kDamaged where sizes or numbers are wrong.
std::shared_ptr<const Model> MakeNeighbours(NeighboursParameters parameters);

}  // namespace everlearn
