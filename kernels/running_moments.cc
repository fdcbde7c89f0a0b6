#include "kernels/running_moments.h"

#include "base/widest_vectors.h"

namespace everlearn {
namespace {

void AddAll(double* __restrict count, double* __restrict mean, double* __restrict squares, double* __restrict deviation,
            const double* __restrict values, size_t columns) {
  for (size_t j = 0; j < columns; ++j) {
    RunningMoments moments{count[j], mean[j], squares[j], deviation[j]};
    moments.Add(values[j]);
    count[j] = moments.count;
    mean[j] = moments.mean;
    squares[j] = moments.squares;
    deviation[j] = moments.deviation;
  }
}

void StandardiseAll(const double* __restrict values, const double* __restrict centre, const double* __restrict scale, double limit,
                    size_t columns, double* __restrict out) {
  for (size_t j = 0; j < columns; ++j) {
    const double scaled = (values[j] - centre[j]) / scale[j];
    const double held = std::min(std::max(scaled, -limit), limit);
    out[j] = values[j] == values[j] ? held : 0.0;
  }
}

}  // namespace

void AddToMoments(const MomentArrays& moments, const double* values, size_t columns) {
  RunWithWidestVectors<AddAll>(moments.count, moments.mean, moments.squares, moments.deviation, values, columns);
}

void Standardise(const double* values, const double* centre, const double* scale, double limit, size_t columns, double* out) {
  RunWithWidestVectors<StandardiseAll>(values, centre, scale, limit, columns, out);
}

}  // namespace everlearn
