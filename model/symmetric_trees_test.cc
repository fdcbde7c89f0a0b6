// Symmetric trees: worked out by hand, batch against row, through a file, and damage refused.
#include "model/symmetric_trees.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/random.h"
#include "data/table.h"

namespace everlearn {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Tree 1: x0 > 1.5 (bit 0), x1 is 2 (bit 1). Tree 2: x0 is there. Tree 3: x1 is missing.
SymmetricTreesParameters Small() {
  SymmetricTreesParameters p;
  p.features = 2;
  p.bias = {100};
  p.depth = {2, 1, 1};
  p.feature = {0, 1, 0, 1};
  p.threshold = {1.5, 2, -kInfinity, -kInfinity};
  p.equal = {0, 1, 0, 1};
  p.leaf_values = {1, 2, 3, 4, 10, 20, 0, 1000};
  return p;
}

double Predict(const Model& model, double x0, double x1) {
  const double row[] = {x0, x1};
  double out = 0;
  model.PredictRow(row, &out);
  return out;
}

TEST(SymmetricTrees, TestsByHand) {
  const auto model = MakeSymmetricTrees(Small());
  EXPECT_EQ(Predict(*model, 1.5, 0), 100 + 1 + 20);
  EXPECT_EQ(Predict(*model, 1.6, 0), 100 + 2 + 20);
  EXPECT_EQ(Predict(*model, -kInfinity, 2), 100 + 3 + 20);
  EXPECT_EQ(Predict(*model, kInfinity, 2), 100 + 4 + 20);
  EXPECT_EQ(Predict(*model, kMissing, 2), 100 + 3 + 10);
  EXPECT_EQ(Predict(*model, kMissing, kMissing), 100 + 1 + 10 + 1000);
}

SymmetricTreesParameters Large(size_t outputs, Link link) {
  Random random(outputs);
  SymmetricTreesParameters p;
  p.features = 6;
  p.outputs = outputs;
  p.link = link;
  const size_t scores = LinkScores(link, outputs);
  for (size_t k = 0; k < scores; ++k) p.bias.push_back(random.Normal());
  for (size_t t = 0; t < 60; ++t) {
    p.depth.push_back(static_cast<uint8_t>(random.Below(kMostSymmetricLevels + 1)));
    for (size_t k = 0; k < p.depth.back(); ++k) {
      p.feature.push_back(static_cast<uint32_t>(random.Below(6)));
      p.equal.push_back(p.feature.back() == 5);
      p.threshold.push_back(random.Below(10) == 0 ? -kInfinity
                            : p.equal.back() != 0 ? static_cast<double>(random.Below(4))
                                                  : random.Normal());
    }
    for (size_t v = 0; v < scores << p.depth.back(); ++v) p.leaf_values.push_back(random.Normal());
  }
  return p;
}

std::vector<double> Rows(size_t count) {
  Random random(9);
  std::vector<double> values;
  for (size_t i = 0; i < count * 6; ++i)
    values.push_back(random.Below(8) == 0 ? kMissing : i % 6 == 5 ? static_cast<double>(random.Below(5)) : random.Normal());
  return values;
}

// The definition, test by test.
std::vector<double> ByDefinition(const SymmetricTreesParameters& p, const double* row) {
  std::vector<double> scores = p.bias;
  size_t test = 0, value = 0;
  for (const uint8_t depth : p.depth) {
    size_t leaf = 0;
    for (size_t k = 0; k < depth; ++k, ++test) {
      const double x = row[p.feature[test]], t = p.threshold[test];
      const bool yes = p.equal[test] != 0 ? (t == -kInfinity ? std::isnan(x) : x == t) : (t == -kInfinity ? !std::isnan(x) : x > t);
      leaf |= static_cast<size_t>(yes) << k;
    }
    for (size_t s = 0; s < scores.size(); ++s) scores[s] += p.leaf_values[value + leaf * scores.size() + s];
    value += scores.size() << depth;
  }
  std::vector<double> out(p.outputs);
  ApplyLink(p.link, scores.data(), p.outputs, 1.0, out.data());
  return out;
}

TEST(SymmetricTrees, BatchRowAndDefinitionAreEqualBitForBit) {
  const std::vector<double> values = Rows(200);
  for (const auto& p : {Large(1, Link::kIdentity), Large(2, Link::kSigmoid), Large(3, Link::kSoftmax)}) {
    const auto model = MakeSymmetricTrees(p);
    std::vector<double> batch(200 * p.outputs), row(p.outputs);
    model->Predict({values.data(), 200, 6}, batch.data());
    for (size_t i = 0; i < 200; ++i) {
      model->PredictRow(values.data() + i * 6, row.data());
      EXPECT_TRUE(std::equal(row.begin(), row.end(), batch.begin() + static_cast<std::ptrdiff_t>(i * p.outputs)));
      EXPECT_EQ(row, ByDefinition(p, values.data() + i * 6));
    }
  }
}

TEST(SymmetricTrees, ThroughAFile) {
  const SymmetricTreesParameters p = Large(3, Link::kSoftmax);
  const auto model = MakeSymmetricTrees(p);
  ArrayFileWriter writer;
  const Json json = model->Save("m.", &writer);
  const auto loaded = ModelKinds().Get("symmetric_trees").load(json, "m.", *ArrayFile::Parse(writer.Bytes(), "test"), 6, 3);
  const std::vector<double> values = Rows(50);
  std::vector<double> a(150), b(150);
  model->Predict({values.data(), 50, 6}, a.data());
  loaded->Predict({values.data(), 50, 6}, b.data());
  EXPECT_EQ(a, b);
}

TEST(SymmetricTrees, DamageIsRefused) {
  const auto refused = [](auto change) {
    SymmetricTreesParameters p = Small();
    change(&p);
    EXPECT_THROW(MakeSymmetricTrees(std::move(p)), Error);
  };
  refused([](auto* p) { p->bias.push_back(0); });
  refused([](auto* p) { p->depth[0] = 9; });
  refused([](auto* p) { p->depth[1] = 2; });
  refused([](auto* p) { p->feature[3] = 2; });
  refused([](auto* p) { p->threshold[0] = kMissing; });
  refused([](auto* p) { p->threshold[0] = kInfinity; });
  refused([](auto* p) { p->equal[0] = 2; });
  refused([](auto* p) { p->equal.pop_back(); });
  refused([](auto* p) { p->leaf_values.pop_back(); });
  refused([](auto* p) { p->leaf_values[2] = kInfinity; });
}

}  // namespace
}  // namespace everlearn
