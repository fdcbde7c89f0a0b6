// Target statistics: lookups worked out by hand, batch against row, through a file, and damage refused.
#include "model/target_statistics.h"

#include <gtest/gtest.h>

#include "data/table.h"
#include "model/symmetric_trees.h"

namespace everlearn {
namespace {

// Features: a category of 3, a number with known values 10 and 20, and one that is not coded. Groups: the category (width 2); both (1).
TargetStatisticsParameters Small() {
  TargetStatisticsParameters p;
  p.features = 3;
  p.codings = {{0, 3, {}}, {1, 2, {10, 20}}};
  p.groups.push_back({{0}, {0, 2, 3}, {1, 2, 3, 4, 5, 6}, {-1, -2}});        // codes 0, 2 and missing
  p.groups.push_back({{0, 1}, {0 * 4 + 1, 2 * 4 + 2}, {100, 200}, {-100}});  // (0, 20), (2, missing)
  SymmetricTreesParameters inner;                                            // the sum of all statistics' answers: one tree a statistic
  inner.features = 6;
  inner.bias = {0};
  for (const auto& [feature, threshold] : {std::pair{3, 2.0}, {4, 3.0}, {5, 150.0}, {5, 0.0}}) {
    inner.depth.push_back(1);
    inner.feature.push_back(static_cast<uint32_t>(feature));
    inner.threshold.push_back(threshold);
    inner.equal.push_back(0);
  }
  inner.leaf_values = {0, 1, 0, 10, 0, 100, 0, 1000};
  p.inner = MakeSymmetricTrees(std::move(inner));
  return p;
}

double Predict(const Model& model, double a, double b) {
  const double row[] = {a, b, 7};
  double out = 0;
  model.PredictRow(row, &out);
  return out;
}

TEST(TargetStatistics, LooksUpByHand) {
  const auto model = MakeTargetStatistics(Small());
  EXPECT_EQ(Predict(*model, 0, 20), 1000);        // 1 2, 100
  EXPECT_EQ(Predict(*model, 2, kMissing), 1111);  // 3 4, 200
  EXPECT_EQ(Predict(*model, 2, 10), 11);          // 3 4, unseen together
  EXPECT_EQ(Predict(*model, kMissing, 20), 11);   // 5 6, unseen together
  EXPECT_EQ(Predict(*model, 1, 20), 0);           // unseen
  EXPECT_EQ(Predict(*model, 3, 20), 0);           // a code that is no category's, not the one of missing
  EXPECT_EQ(Predict(*model, 0, 15), 0);           // a number that is not known
}

TEST(TargetStatistics, ThroughAFileAndInBatches) {
  const auto model = MakeTargetStatistics(Small());
  ArrayFileWriter writer;
  const Json json = model->Save("m.", &writer);
  const auto loaded = ModelKinds().Get("target_statistics").load(json, "m.", *ArrayFile::Parse(writer.Bytes(), "test"), 3, 1);
  std::vector<double> rows;
  for (size_t i = 0; i < 600; ++i)
    rows.insert(rows.end(), {i % 5 == 4 ? kMissing : static_cast<double>(i % 5), i % 3 == 0 ? kMissing : i % 3 * 10.0, 1});
  std::vector<double> batch(600);
  loaded->Predict({rows.data(), 600, 3}, batch.data());
  for (size_t i = 0; i < 600; ++i) EXPECT_EQ(batch[i], Predict(*model, rows[3 * i], rows[3 * i + 1]));
}

TEST(TargetStatistics, DamageIsRefused) {
  const auto refused = [](auto change) {
    TargetStatisticsParameters p = Small();
    change(&p);
    EXPECT_THROW(MakeTargetStatistics(std::move(p)), Error);
  };
  refused([](auto* p) { p->features = 4; });
  refused([](auto* p) { p->codings[1].feature = 3; });
  refused([](auto* p) { p->codings[1].numbers = {20, 10}; });
  refused([](auto* p) { p->codings[1].size = 3; });
  refused([](auto* p) { p->codings[0].size = uint64_t{1} << 40; });
  refused([](auto* p) { p->groups[0].codings = {}; });
  refused([](auto* p) { p->groups[0].codings = {2}; });
  refused([](auto* p) { p->groups[0].keys = {2, 0, 3}; });
  refused([](auto* p) { p->groups[0].values.pop_back(); });
  refused([](auto* p) { p->groups[1].unseen = {kMissing}; });
  refused([](auto* p) { p->inner = nullptr; });
  refused([](auto* p) {
    p->codings[0].size = p->codings[1].size = (uint64_t{1} << 32) - 1;
    p->codings[1].numbers.clear();
  });
}

TEST(TargetStatistics, FilesThatDoNotFitAreRefused) {
  const auto model = MakeTargetStatistics(Small());
  ArrayFileWriter writer;
  Json json = model->Save("m.", &writer);
  const auto file = ArrayFile::Parse(writer.Bytes(), "test");
  const auto& load = ModelKinds().Get("target_statistics").load;
  EXPECT_THROW(load(json, "other.", *file, 3, 1), Error);
  json.as_object()["inner"].as_object()["kind"] = "no kind";
  EXPECT_THROW(load(json, "m.", *file, 3, 1), Error);
  json.as_object().erase("inner");
  EXPECT_THROW(load(json, "m.", *file, 3, 1), Error);
}

}  // namespace
}  // namespace everlearn
