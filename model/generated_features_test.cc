// Generated features: worked out by hand, batch against row, through a file, and damage refused.
#include "model/generated_features.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "data/table.h"
#include "model/symmetric_trees.h"

namespace everlearn {
namespace {

using enum GeneratedFeature::Kind;

TEST(GeneratedFeature, ByHand) {
  const double row[] = {6, 4, 1, kMissing, 0};
  const auto of = [&](GeneratedFeature::Kind kind, uint32_t a, uint32_t b) { return GeneratedFeature{kind, a, b, {}, 0}.Of(row); };
  EXPECT_EQ(of(kSum, 0, 1), 10);
  EXPECT_EQ(of(kDifference, 0, 1), 2);
  EXPECT_EQ(of(kProduct, 0, 1), 24);
  EXPECT_EQ(of(kRatio, 0, 1), 1.5);
  EXPECT_TRUE(std::isnan(of(kRatio, 0, 4))) << "nothing is divided by zero";
  EXPECT_TRUE(std::isnan(of(kSum, 0, 3))) << "what is missing stays so";
  const GeneratedFeature from_mean{kFromGroupMean, 0, 2, {1, 5}, 3};
  EXPECT_EQ(from_mean.Of(row), 1);
  const double unknown[] = {6, 4, 2, 0, 0}, missing[] = {6, 4, kMissing, 0, 0}, negative[] = {6, 4, -1, 0, 0};
  for (const double* other : {unknown, missing, negative}) EXPECT_EQ(from_mean.Of(other), 3);
}

// Two features; the ratio and the distance from the category's mean decide one tree each.
GeneratedFeaturesParameters Small() {
  GeneratedFeaturesParameters p;
  p.features = 2;
  p.generated = {{kRatio, 0, 1, {}, 0}, {kFromGroupMean, 0, 1, {1, 2, 3}, 2}};
  SymmetricTreesParameters inner;
  inner.features = 4;
  inner.bias = {0};
  for (const auto& [feature, threshold] : {std::pair{2, 1.5}, {3, 0.0}}) {
    inner.depth.push_back(1);
    inner.feature.push_back(static_cast<uint32_t>(feature));
    inner.threshold.push_back(threshold);
    inner.equal.push_back(0);
  }
  inner.leaf_values = {0, 1, 0, 10};
  p.inner = MakeSymmetricTrees(std::move(inner));
  return p;
}

TEST(GeneratedFeatures, ThroughAFileAndInBatches) {
  const auto model = MakeGeneratedFeatures(Small());
  ArrayFileWriter writer;
  const Json json = model->Save("m.", &writer);
  const auto loaded = ModelKinds().Get("generated_features").load(json, "m.", *ArrayFile::Parse(writer.Bytes(), "test"), 2, 1);
  std::vector<double> rows;
  for (size_t i = 0; i < 600; ++i)
    rows.insert(rows.end(), {i % 7 == 6 ? kMissing : static_cast<double>(i % 7), static_cast<double>(i % 4)});
  std::vector<double> batch(600);
  loaded->Predict({rows.data(), 600, 2}, batch.data());
  double sum = 0;
  for (size_t i = 0; i < 600; ++i) {
    double own = 0;
    model->PredictRow(&rows[2 * i], &own);
    EXPECT_EQ(batch[i], own);
    sum += own;
  }
  const double row[] = {5, 2};  // 2.5 and 5 - 3
  double out = 0;
  loaded->PredictRow(row, &out);
  EXPECT_EQ(out, 11);
  EXPECT_GT(sum, 0);
}

TEST(GeneratedFeatures, DamageIsRefused) {
  const auto refused = [](auto change) {
    GeneratedFeaturesParameters p = Small();
    change(&p);
    EXPECT_THROW(MakeGeneratedFeatures(std::move(p)), Error);
  };
  refused([](auto* p) { p->features = 3; });
  refused([](auto* p) { p->generated[0].b = 2; });
  refused([](auto* p) { p->generated[1].mean = kMissing; });
  refused([](auto* p) { p->generated[1].group_means[0] = HUGE_VAL; });
  refused([](auto* p) { p->generated.pop_back(); });
  refused([](auto* p) { p->inner = nullptr; });
  const auto model = MakeGeneratedFeatures(Small());
  ArrayFileWriter writer;
  Json json = model->Save("m.", &writer);
  const auto file = ArrayFile::Parse(writer.Bytes(), "test");
  const auto& load = ModelKinds().Get("generated_features").load;
  EXPECT_THROW(load(json, "other.", *file, 2, 1), Error);
  EXPECT_THROW(load(json, "m.", *file, 1, 1), Error);
  json.as_object().erase("inner");
  EXPECT_THROW(load(json, "m.", *file, 2, 1), Error);
}

}  // namespace
}  // namespace everlearn
