// Tests of the ensemble kind: closed forms, batches against rows, what a stranger's file may not do.
#include "model/ensemble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "model/constant.h"
#include "model/linear.h"
#include "model/nested.h"

namespace everlearn {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

std::vector<double> PredictionOf(const Model& model, const std::vector<double>& row) {
  std::vector<double> out(model.outputs());
  model.PredictRow(row.data(), out.data());
  return out;
}

std::shared_ptr<const Model> Reloaded(const Model& model) {
  ArrayFileWriter writer;
  const Json json = ParseJson(ToText(SaveModel(model, "m.", &writer)), "test");
  return LoadModel(json, "m.", *ArrayFile::Parse(writer.Bytes(), "m"), model.features(), model.outputs());
}

// Softmax over three classes of `features` numbers.
std::shared_ptr<const Model> RandomLinear(uint64_t seed, size_t features) {
  Random random(seed);
  LinearParameters parameters;
  parameters.columns = MakeLinearColumns(std::vector<bool>(features), std::vector<size_t>(features), std::vector<double>(features, 0),
                                         std::vector<double>(features, 1));
  parameters.outputs = 3;
  parameters.link = Link::kSoftmax;
  for (int k = 0; k < 3; ++k) parameters.bias.push_back(random.Normal());
  for (size_t i = 0; i < parameters.columns.columns() * 3; ++i) parameters.weights.push_back(random.Normal());
  return MakeLinearModel(std::move(parameters));
}

TEST(Ensemble, AveragesByWeight) {
  const auto model = MakeEnsemble(
      {{MakeConstantModel(2, {0.25, 0.75}), 0.5}, {MakeConstantModel(2, {1, 0}), 0.25}, {MakeConstantModel(2, {0.5, 0.5}), 0.25}});
  EXPECT_THAT(PredictionOf(*model, {1, 2}), ElementsAre(0.5, 0.5));
  const auto bag = MakeBag({MakeConstantModel(1, {3}), MakeConstantModel(1, {4}), MakeConstantModel(1, {8})});
  EXPECT_THAT(PredictionOf(*bag, {0}), ElementsAre(DoubleEq(5)));
}

TEST(Ensemble, BatchesEqualRowsBitForBitAndAfterLoading) {
  const size_t features = 4;
  const auto bag = MakeBag({RandomLinear(1, features), RandomLinear(2, features), RandomLinear(3, features)});
  const auto model = MakeEnsemble({{bag, 0.7}, {RandomLinear(4, features), 0.1}, {MakeConstantModel(features, {0.2, 0.3, 0.5}), 0.2}});
  const auto loaded = Reloaded(*model);
  EXPECT_EQ(loaded->kind(), "ensemble");
  for (const size_t rows : {0, 1, 255, 256, 257, 1000}) {
    Random random(rows);
    std::vector<double> values(rows * features), batch(rows * 3), again(rows * 3);
    for (double& value : values) value = random.Normal();
    model->Predict({values.data(), rows, features}, batch.data());
    loaded->Predict({values.data(), rows, features}, again.data());
    EXPECT_EQ(batch, again);
    for (size_t i = 0; i < rows; ++i) {
      const std::vector<double> one = PredictionOf(*model, {values.begin() + i * features, values.begin() + (i + 1) * features});
      ASSERT_THAT(one, testing::ElementsAreArray(&batch[i * 3], 3));
      ASSERT_NEAR(one[0] + one[1] + one[2], 1, 1e-12);
    }
  }
}

TEST(Ensemble, KeepsTheSameModelOnce) {
  const auto a = MakeConstantModel(1, {1}), b = MakeConstantModel(1, {2}), c = MakeConstantModel(1, {3});
  const auto model = MakeEnsemble({{a, 0.25}, {b, 0.5}, {a, 0.25}, {c, 0}});
  ArrayFileWriter writer;
  const Json json = model->Save("m.", &writer);
  EXPECT_EQ(
      ToText(json),
      R"({"members": [{"kind": "constant", "parameters": {}, "weight": 0.5}, {"kind": "constant", "parameters": {}, "weight": 0.5}]})");
  EXPECT_THAT(PredictionOf(*model, {0}), ElementsAre(1.5));
}

TEST(Ensemble, RefusesWrongMembers) {
  const auto one = MakeConstantModel(1, {1});
  EXPECT_THROW(MakeEnsemble({}), Error);
  EXPECT_THROW(MakeEnsemble({{one, 0.5}}), Error);
  EXPECT_THROW(MakeEnsemble({{one, 1.5}, {MakeConstantModel(1, {2}), -0.5}}), Error);
  EXPECT_THROW(MakeEnsemble({{one, std::nan("")}}), Error);
  EXPECT_THROW(MakeEnsemble({{one, 0.5}, {MakeConstantModel(1, {1, 0}), 0.5}}), Error);
  EXPECT_THROW(MakeEnsemble({{one, 0.5}, {MakeConstantModel(2, {1}), 0.5}}), Error);
  EXPECT_THROW(MakeBag({}), Error);
}

TEST(Ensemble, RefusesFilesOfStrangers) {
  const auto model = MakeEnsemble({{MakeConstantModel(1, {1, 0}), 0.5}, {MakeConstantModel(1, {0.5, 0.5}), 0.5}});
  ArrayFileWriter writer;
  const std::string good = ToText(SaveModel(*model, "m.", &writer));
  const auto file = ArrayFile::Parse(writer.Bytes(), "m");
  const auto load = [&](std::string text, const std::string& from, const std::string& to, size_t outputs) {
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    return LoadModel(ParseJson(text, "test"), "m.", *file, 1, outputs);
  };
  EXPECT_NO_THROW(load(good, "", "", 2));
  EXPECT_THROW(load(good, "", "", 3), Error);
  EXPECT_THROW(load(good, "\"weight\": 0.5", "\"weight\": 0.25", 2), Error);
  EXPECT_THROW(load(good, "\"weight\": 0.5", "\"weight\": null", 2), Error);
  EXPECT_THROW(load(good, "\"kind\": \"constant\"", "\"kind\": \"no_kind\"", 2), Error);
  EXPECT_THROW(load(good, "\"kind\": \"constant\"", "\"kind\": \"ensemble\"", 2), Error);
  EXPECT_THROW(load(good, "members", "others", 2), Error);
}

TEST(Ensemble, NestingHasAnEnd) {
  std::shared_ptr<const Model> model = MakeConstantModel(1, {1});
  for (size_t depth = 1; depth < kMaxNesting; ++depth) model = MakeBag({model});
  EXPECT_NO_THROW(Reloaded(*model));
  EXPECT_THROW(Reloaded(*MakeBag({model})), Error);
}

}  // namespace
}  // namespace everlearn
