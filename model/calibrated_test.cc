// Tests of the calibrated kind: closed forms, batches against rows, what a stranger's file may not do.
#include "model/calibrated.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "model/constant.h"
#include "model/nested.h"

namespace everlearn {
namespace {

using Method = Calibration::Method;
using testing::DoubleNear;
using testing::ElementsAre;

std::vector<double> Applied(const Calibration& calibration, std::vector<double> p) {
  calibration.Apply(p.data(), p.data());
  return p;
}

Calibration Curve() {  // of two classes: flat at 0.1, up from 0.2 to 0.6, flat at 0.9
  return {.method = Method::kIsotonic, .classes = 2, .begin = {0, 3}, .x = {0.2, 0.6, 0.8}, .y = {0.1, 0.9, 0.9}};
}

TEST(Calibration, ClosedForms) {
  const Calibration halves{.method = Method::kTemperature, .classes = 3, .slope = {0.5}};  // square roots
  const double sum = std::sqrt(0.64) + std::sqrt(0.25) + std::sqrt(0.11);
  EXPECT_THAT(Applied(halves, {0.64, 0.25, 0.11}),
              ElementsAre(DoubleNear(0.8 / sum, 1e-12), DoubleNear(0.5 / sum, 1e-12), DoubleNear(std::sqrt(0.11) / sum, 1e-12)));
  const Calibration platt{.method = Method::kPlatt, .classes = 2, .slope = {2}, .offset = {std::log(3)}};  // odds: 3 × squared
  EXPECT_THAT(Applied(platt, {0.5, 0.5}), ElementsAre(DoubleNear(0.25, 1e-12), DoubleNear(0.75, 1e-12)));
  EXPECT_THAT(Applied(platt, {0.75, 0.25}), ElementsAre(DoubleNear(0.75, 1e-12), DoubleNear(0.25, 1e-12)));
  EXPECT_THAT(Applied(Curve(), {0.6, 0.4}), ElementsAre(DoubleNear(0.5, 1e-12), DoubleNear(0.5, 1e-12)));
  for (const auto& [p, expected] :
       std::vector<std::pair<double, double>>{{0, 0.1}, {0.2, 0.1}, {0.3, 0.3}, {0.6, 0.9}, {0.7, 0.9}, {1, 0.9}})
    EXPECT_NEAR(Applied(Curve(), {1 - p, p})[1], expected, 1e-12) << p;
  const Calibration three{.method = Method::kPlatt, .classes = 3, .slope = {1, 1, 1}, .offset = {0, 0, 0}};
  EXPECT_THAT(Applied(three, {0.5, 0.3, 0.2}), ElementsAre(DoubleNear(0.5, 1e-12), DoubleNear(0.3, 1e-12), DoubleNear(0.2, 1e-12)));
  for (const double p : Applied(platt, {1, 0})) EXPECT_TRUE(std::isfinite(p));
}

TEST(CalibratedModel, IsEqualInBatchesAndAfterLoading) {
  const auto inner = MakeConstantModel(1, {0.3, 0.7});
  EXPECT_EQ(MakeCalibrated(inner, {.classes = 2}), inner);
  for (const Calibration& calibration : {Curve(), Calibration{.method = Method::kTemperature, .classes = 2, .slope = {1.5}},
                                         Calibration{.method = Method::kPlatt, .classes = 2, .slope = {1.5}, .offset = {-1}}}) {
    const auto model = MakeCalibrated(inner, calibration);
    ArrayFileWriter writer;
    const Json json = SaveModel(*model, "m.", &writer);
    const auto loaded = LoadModel(json, "m.", *ArrayFile::Parse(writer.Bytes(), "m"), 1, 2);
    const std::vector<double> rows(3), expected = Applied(calibration, {0.3, 0.7});
    std::vector<double> batch(6), one(2);
    loaded->Predict({rows.data(), 3, 1}, batch.data());
    model->PredictRow(rows.data(), one.data());
    EXPECT_EQ(one, expected);
    EXPECT_THAT(batch, ElementsAre(one[0], one[1], one[0], one[1], one[0], one[1]));
  }
}

TEST(CalibratedModel, RefusesWrongParameters) {
  const auto inner = MakeConstantModel(1, {0.3, 0.7});
  EXPECT_THROW(MakeCalibrated(MakeConstantModel(1, {1}), {.method = Method::kTemperature, .classes = 1, .slope = {1}}), Error);
  EXPECT_THROW(MakeCalibrated(inner, {.method = Method::kTemperature, .classes = 3, .slope = {1}}), Error);
  for (const double slope : {0.0, -1.0, std::nan(""), HUGE_VAL})
    EXPECT_THROW(MakeCalibrated(inner, {.method = Method::kTemperature, .classes = 2, .slope = {slope}}), Error);
  EXPECT_THROW(MakeCalibrated(inner, {.method = Method::kPlatt, .classes = 2, .slope = {1}}), Error);
  for (const auto& spoil : std::vector<std::function<void(Calibration*)>>{
           [](auto* c) {
             c->begin = {0, 2};
           },
           [](auto* c) {
             c->begin = {0, 3, 3};
           },
           [](auto* c) { c->begin = {}; }, [](auto* c) { c->x.pop_back(); }, [](auto* c) { c->x[0] = 0.6; }, [](auto* c) { c->y[0] = 1.5; },
           [](auto* c) { c->y[2] = 0.5; }, [](auto* c) { c->x[1] = std::nan(""); },
           [](auto* c) {
             *c = {.method = Method::kIsotonic, .classes = 2, .begin = {0, 0}};
           }}) {
    Calibration bad = Curve();
    spoil(&bad);
    EXPECT_THROW(MakeCalibrated(inner, bad), Error);
  }
}

}  // namespace
}  // namespace everlearn
