// Tests of the constant, linear and hashed linear kinds against closed forms.
#include "model/linear.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "data/table.h"
#include "model/constant.h"
#include "model/hashed_linear.h"

namespace everlearn {
namespace {

using testing::ElementsAre;

std::vector<double> PredictionOf(const Model& model, const std::vector<double>& row) {
  std::vector<double> out(model.outputs());
  model.PredictRow(row.data(), out.data());
  return out;
}

std::shared_ptr<const Model> Reloaded(const Model& model) {
  ArrayFileWriter writer;
  const Json json = model.Save("m.", &writer);
  const auto file = ArrayFile::Parse(writer.Bytes(), "m");
  return ModelKinds().Get(std::string(model.kind())).load(json, "m.", *file, model.features(), model.outputs());
}

// A number (mean 10, scale 2) and a category of three codes.
LinearParameters Sample(Link link, size_t outputs, std::vector<double> bias, std::vector<double> weights) {
  return {MakeLinearColumns({false, true}, {0, 3}, {10, 0}, {2, 1}), outputs, link, std::move(bias), std::move(weights)};
}

TEST(LinearModel, AddsItsColumns) {
  const auto model = MakeLinearModel(Sample(Link::kIdentity, 1, {100}, {1, 7, 10, 20, 30, 40}));
  EXPECT_THAT(PredictionOf(*model, {14, 1}), ElementsAre(100 + 2 + 20));
  EXPECT_THAT(PredictionOf(*model, {kMissing, 0}), ElementsAre(100 + 7 + 10));
  EXPECT_THAT(PredictionOf(*model, {10, kMissing}), ElementsAre(100 + 40));
  EXPECT_THAT(PredictionOf(*model, {10, 3}), ElementsAre(100));  // unseen
  EXPECT_THAT(PredictionOf(*model, {10, 1e300}), ElementsAre(100));
  EXPECT_THAT(PredictionOf(*model, {std::numeric_limits<double>::infinity(), 3}), ElementsAre(100 + kLinearLimit));
  EXPECT_EQ(PredictionOf(*Reloaded(*model), {14, 1}), PredictionOf(*model, {14, 1}));
}

TEST(LinearModel, Links) {
  const auto binary = MakeLinearModel(Sample(Link::kSigmoid, 2, {0.5}, {1, 0, 0, 0, 0, 0}));
  const double p = 1 / (1 + std::exp(-1.5));
  EXPECT_THAT(PredictionOf(*binary, {12, 0}), ElementsAre(testing::DoubleEq(1 - p), testing::DoubleEq(p)));
  const auto three = MakeLinearModel(Sample(Link::kSoftmax, 3, {0, 1, 2}, std::vector<double>(18, 0.25)));
  const double sum = 1 + std::exp(1) + std::exp(2);
  EXPECT_THAT(PredictionOf(*Reloaded(*three), {12, 0}),
              ElementsAre(testing::DoubleNear(1 / sum, 1e-15), testing::DoubleNear(std::exp(1) / sum, 1e-15),
                          testing::DoubleNear(std::exp(2) / sum, 1e-15)));
}

TEST(LinearModel, RefusesWrongParameters) {
  EXPECT_THROW(MakeLinearModel(Sample(Link::kIdentity, 1, {0, 1}, std::vector<double>(6))), Error);
  EXPECT_THROW(MakeLinearModel(Sample(Link::kIdentity, 1, {0}, std::vector<double>(5))), Error);
  EXPECT_THROW(MakeLinearModel(Sample(Link::kIdentity, 1, {std::nan("")}, std::vector<double>(6))), Error);
  EXPECT_THROW(MakeLinearModel(Sample(Link::kSigmoid, 3, {0}, std::vector<double>(6))), Error);
  LinearParameters zero_scale = Sample(Link::kIdentity, 1, {0}, std::vector<double>(6));
  zero_scale.columns.scale[0] = 0;
  EXPECT_THROW(MakeLinearModel(zero_scale), Error);
  LinearParameters descending = Sample(Link::kIdentity, 1, {0}, std::vector<double>(6));
  descending.columns.begin = {0, 8, 6};
  EXPECT_THROW(MakeLinearModel(descending), Error);
}

TEST(ConstantModel, GivesItsValues) {
  const auto model = MakeConstantModel(3, {0.25, 0.75});
  EXPECT_THAT(PredictionOf(*Reloaded(*model), {1, 2, 3}), ElementsAre(0.25, 0.75));
  EXPECT_THROW(MakeConstantModel(3, {}), Error);
  EXPECT_THROW(MakeConstantModel(3, {kMissing}), Error);
}

TEST(HashedLinearModel, EqualsADenseTable) {
  HashedLinearParameters parameters;
  parameters.features = {{0, 1, 0}, {1, 0, -3}, {2, 1, 0.5}, 8, 100};
  const uint32_t mask = parameters.features.mask();
  std::vector<double> dense(mask + 1);
  Random random(4);
  for (uint32_t index = 0; index <= mask; ++index) {
    if (random.Uniform() < 0.5) continue;
    dense[index] = random.Normal();
    parameters.indices.push_back(index);
    parameters.weights.push_back(dense[index]);
  }
  parameters.bias = {0.5};
  const auto model = Reloaded(*MakeHashedLinearModel(parameters));
  for (int i = 0; i < 200; ++i) {
    const std::vector<double> row = {random.Normal(), static_cast<double>(random.Below(50)), i % 3 == 0 ? kMissing : random.Normal() * 100};
    double expected = 0.5;
    expected += (row[0] - 1) / 2 * dense[PlaceOf(FeatureHash(0, kHashedNumber), mask)];
    expected += dense[PlaceOf(FeatureHash(1, static_cast<uint64_t>(row[1])), mask)];
    expected += i % 3 == 0 ? dense[PlaceOf(FeatureHash(2, kHashedMissing), mask)]
                           : std::clamp((row[2] + 3) / 0.5, -100.0, 100.0) * dense[PlaceOf(FeatureHash(2, kHashedNumber), mask)];
    EXPECT_THAT(PredictionOf(*model, row), ElementsAre(expected));
  }
}

TEST(HashedLinearModel, RefusesWrongParameters) {
  const auto make = [](std::vector<uint32_t> indices, int bits) {
    HashedLinearParameters parameters;
    parameters.features = {{0}, {0}, {1}, bits, 100};
    parameters.bias = {0};
    parameters.weights.assign(indices.size(), 1.0);
    parameters.indices = std::move(indices);
    return MakeHashedLinearModel(parameters);
  };
  EXPECT_NO_THROW(make({0, 3, 15}, 4));
  EXPECT_NO_THROW(make({}, 30));
  EXPECT_THROW(make({3, 0}, 4), Error);
  EXPECT_THROW(make({3, 3}, 4), Error);
  EXPECT_THROW(make({16}, 4), Error);
  EXPECT_THROW(make({0}, 31), Error);
  EXPECT_THROW(make({0}, 0), Error);
}

}  // namespace
}  // namespace everlearn
