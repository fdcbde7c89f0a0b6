// How far apart two distributions are, without a test: Wasserstein, Jensen–Shannon, population stability.
//
// Weights and counts are at least 0 and finite. Pure functions; any thread.
#pragma once

#include <span>

namespace everlearn {

struct WeightedPoints {
  std::span<const double> positions;  // finite, from small to large
  std::span<const double> weights;
};

// First Wasserstein distance (earth mover's), in units of the positions. 0 where one of them has no weight.
double WassersteinDistance(const WeightedPoints& a, const WeightedPoints& b);

// Square root of the Jensen–Shannon divergence with logarithms to base 2: from 0 (equal) to 1 (nothing in common). Lin, Divergence measures
// based on the Shannon entropy, 1991; Endres & Schindelin, A new metric for probability distributions, 2003.
double JensenShannonDistance(std::span<const double> a, std::span<const double> b);

// Population stability index: Kullback–Leibler divergence in both directions, in nats. Half a row is added to each bin, so that an empty
// one does not make it infinite. By custom 0.1 is a moderate, 0.25 a large change (Siddiqi, Credit risk scorecards, 2006).
double PopulationStabilityIndex(std::span<const double> a, std::span<const double> b);

}  // namespace everlearn
