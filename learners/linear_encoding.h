// What a linear model may see beside its features: knots of splines, and crosses of categories that are worth their columns.
//
// Pure functions, safe from any thread; fitted on the training rows only.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "learner/dataset.h"

namespace everlearn {

// Knots of each feature for up to `stretches` stretches of about equally many rows; none of categories and of numbers with two values.
std::vector<std::vector<double>> SplineKnots(const TrainingRows& training, size_t stretches);

// Up to `count` pairs of categories whose cells say most of the target beyond what the categories say each by itself: squared sums of the
// residuals in the cells of the pair, less what chance would give. Pairs of more than 4,096 cells are left out.
std::vector<std::pair<uint32_t, uint32_t>> ChooseCrosses(const TrainingRows& training, size_t count);

}  // namespace everlearn
