// The temperature: its step is that of the derivatives, and it finds the temperature that outcomes were drawn at.
#include "statistics/temperature_scaling.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "base/random.h"

namespace everlearn {
namespace {

using Three = std::array<double, 3>;

Three Softmax(const Three& scores, double factor) {
  Three p;
  double sum = 0;
  for (size_t k = 0; k < 3; ++k) sum += p[k] = std::exp(factor * scores[k]);
  for (double& value : p) value /= sum;
  return p;
}

TEST(TemperatureScaling, StepsByTheDerivativesOfTheLoss) {
  const Three scores = {0.3, -1.2, 0.8};
  const auto loss = [&](double factor) { return -std::log(Softmax(scores, factor)[1]); };
  const double h = 1e-4, slope = (loss(1 + h) - loss(1 - h)) / (2 * h), curvature = (loss(1 + h) - 2 * loss(1) + loss(1 - h)) / (h * h);
  TemperatureScaling scaling;
  scaling.Add(scores.data(), Softmax(scores, 1).data(), 3, 1);
  EXPECT_NEAR(scaling.Get(), 1 - slope / (10 + curvature), 1e-7);
}

TEST(TemperatureScaling, FindsTheTemperatureOfTheOutcomes) {
  for (const double truth : {0.25, 3.0}) {
    Random random(1);
    TemperatureScaling scaling;
    for (int i = 0; i < 20000; ++i) {
      const Three scores = {random.Normal(), random.Normal(), random.Normal()};
      const Three p = Softmax(scores, truth);
      const double draw = random.Uniform();
      const size_t happened = draw < p[0] ? 0 : draw < p[0] + p[1] ? 1 : 2;
      scaling.Add(scores.data(), Softmax(scores, scaling.Get()).data(), 3, happened);
    }
    EXPECT_NEAR(scaling.Get(), truth, 0.1 * truth);
  }
}

TEST(TemperatureScaling, RefusesDamage) {
  TemperatureScaling scaling;
  ByteWriter out;
  out.Put(1.0);
  out.Put(-1.0);
  ByteReader in(out.bytes());
  EXPECT_THROW(scaling.Load(&in), Error);
}

}  // namespace
}  // namespace everlearn
