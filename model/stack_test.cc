// Tests of the stack kind: closed forms, batches against rows, what a stranger's file may not do.
#include "model/stack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "model/constant.h"
#include "model/linear.h"
#include "model/nested.h"

namespace everlearn {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

// Σ weights × inputs, through the link.
std::shared_ptr<const Model> Linear(const std::vector<double>& weights, double bias, Link link, size_t outputs) {
  const size_t features = weights.size();
  LinearParameters parameters{MakeLinearColumns(std::vector<bool>(features), std::vector<size_t>(features),
                                                std::vector<double>(features, 0), std::vector<double>(features, 1)),
                              outputs,
                              link,
                              {bias},
                              {}};
  for (const double weight : weights) parameters.weights.insert(parameters.weights.end(), {weight, 0});
  return MakeLinearModel(std::move(parameters));
}

std::shared_ptr<const Model> Reloaded(const Model& model) {
  ArrayFileWriter writer;
  const Json json = SaveModel(model, "m.", &writer);
  return LoadModel(json, "m.", *ArrayFile::Parse(writer.Bytes(), "m"), model.features(), model.outputs());
}

TEST(Stack, AddsLogOddsAndValues) {
  const auto a = MakeConstantModel(2, {0.2, 0.8}), b = MakeConstantModel(2, {0.5, 0.5});
  const auto model = Reloaded(*MakeStack({a, b}, Linear({0.5, 3}, 0, Link::kSigmoid, 2)));  // odds 4, so √4 : 1
  std::vector<double> out(2);
  model->PredictRow(std::vector<double>{0, 0}.data(), out.data());
  EXPECT_THAT(out, ElementsAre(DoubleNear(1.0 / 3, 1e-12), DoubleNear(2.0 / 3, 1e-12)));
  double value = 0;
  MakeStack({MakeConstantModel(1, {3}), MakeConstantModel(1, {10})}, Linear({2, -1}, 7, Link::kIdentity, 1))->PredictRow(&value, &value);
  EXPECT_EQ(value, 3);
}

TEST(Stack, HoldsProbabilitiesAwayFromZero) {
  const double sure[2] = {1, 0}, three[3] = {0, 1, 0};
  double inputs[3];
  WriteStackInputs(sure, 2, inputs);
  EXPECT_NEAR(inputs[0], std::log(1e-6), 1e-5);
  WriteStackInputs(three, 3, inputs);
  EXPECT_NEAR(inputs[0], std::log(1e-6), 1e-9);
  EXPECT_NEAR(inputs[1], -1e-6, 1e-9);
}

TEST(Stack, BatchesEqualRowsBitForBit) {
  const auto model = MakeStack({Linear({1, -2}, 0.5, Link::kSigmoid, 2), Linear({0.3, 0.1}, 0, Link::kSigmoid, 2)},
                               Linear({0.7, 0.6}, -0.1, Link::kSigmoid, 2));
  Random random(1);
  std::vector<double> rows(600), batch(600), one(2);
  for (double& value : rows) value = random.Normal();
  model->Predict({rows.data(), 300, 2}, batch.data());
  for (size_t i = 0; i < 300; ++i) {
    model->PredictRow(&rows[2 * i], one.data());
    ASSERT_THAT(one, testing::ElementsAreArray(&batch[2 * i], 2));
  }
}

TEST(Stack, RefusesWhatDoesNotFit) {
  const auto a = MakeConstantModel(2, {0.2, 0.8});
  const auto top = Linear({1, 1}, 0, Link::kSigmoid, 2);
  EXPECT_THROW(MakeStack({}, top), Error);
  EXPECT_THROW(MakeStack({a}, top), Error);
  EXPECT_THROW(MakeStack({a, a, a}, top), Error);
  EXPECT_THROW(MakeStack({a, MakeConstantModel(3, {0.2, 0.8})}, top), Error);
  EXPECT_THROW(MakeStack({a, MakeConstantModel(2, {1})}, top), Error);
  ArrayFileWriter writer;
  JsonObject json = SaveModel(*MakeStack({a, a}, top), "m.", &writer);
  const auto file = ArrayFile::Parse(writer.Bytes(), "m");
  EXPECT_NO_THROW(LoadModel(json, "m.", *file, 2, 2));
  json["parameters"].as_object()["members"].as_array().pop_back();
  EXPECT_THROW(LoadModel(json, "m.", *file, 2, 2), Error);
  json["parameters"].as_object()["members"].as_array().clear();
  EXPECT_THROW(LoadModel(json, "m.", *file, 2, 2), Error);
}

}  // namespace
}  // namespace everlearn
