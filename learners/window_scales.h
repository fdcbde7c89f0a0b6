// How window_neighbours scales its features: by their deviations in the window, and by how much each says of the target by itself.
//
// Pure function, safe from any thread.
#pragma once

#include "kernels/running_moments.h"
#include "model/neighbours.h"

namespace everlearn {

// Sets mean, scale and with_missing of the features from `rows` (at least one), whose targets are class indices or, for classes = 0,
// values. A feature's scale shrinks with (0.01 + its correlation ratio)^(-relevance / 2), relative to the largest; Goodman & Kruskal's tau
// for classes.
void ScaleByWindow(const RowsView& rows, const double* target, size_t classes, double relevance, NeighboursParameters* form);

}  // namespace everlearn
