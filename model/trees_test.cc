// Tests of the tree kernel against a plain walk over the parameters, for every rule of missing values and for categories.
// Equality with LightGBM's own predictions is tested in learners/trees_equal_lightgbm_test.cc.
#include "model/trees.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/error.h"
#include "base/random.h"
#include "model/model_bytes.h"

namespace everlearn {
namespace {

using testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct RandomShape {
  size_t trees = 20, max_leaves = 31, features = 6, sets = 10;
  double category_share = 0.0;
  size_t thresholds = 40;  // distinct ones
};

// Feature j < 3 is a category where the split says so.
TreesParameters RandomTrees(const RandomShape& shape, uint64_t seed) {
  Random random(seed);
  TreesParameters p;
  p.features = shape.features;
  p.category_offsets = {0};
  for (size_t s = 0; s < shape.sets; ++s) {
    for (size_t word = 0; word <= s % 3; ++word) p.category_words.push_back(static_cast<uint32_t>(random.Next()));
    p.category_offsets.push_back(p.category_words.size());
  }
  for (size_t t = 0; t < shape.trees; ++t) {
    const auto leaves = static_cast<uint32_t>(1 + random.Below(shape.max_leaves));
    p.leaves.push_back(leaves);
    const size_t first = p.left.size();
    // As LightGBM grows: split a random leaf; the left child keeps its number.
    std::vector<std::pair<size_t, bool>> parent(1, {SIZE_MAX, false});  // of each leaf: split, whether right
    for (uint32_t s = 0; s + 1 < leaves; ++s) {
      const size_t leaf = random.Below(parent.size());
      const auto [up, is_right] = parent[leaf];
      if (up != SIZE_MAX) (is_right ? p.right : p.left)[first + up] = static_cast<int32_t>(s);
      p.left.push_back(~static_cast<int32_t>(leaf));
      p.right.push_back(~static_cast<int32_t>(parent.size()));
      parent[leaf] = {s, false};
      parent.push_back({s, true});
      const bool category = random.Uniform() < shape.category_share;
      p.feature.push_back(static_cast<uint32_t>(category ? random.Below(3) : 3 + random.Below(shape.features - 3)));
      p.threshold.push_back(static_cast<double>(category ? random.Below(shape.sets) : random.Below(shape.thresholds)) *
                                (category ? 1 : 0.25) -
                            (category ? 0 : 2));
      if (!category && random.Uniform() < 0.05) p.threshold.back() = kInfinity;
      p.flags.push_back(static_cast<uint8_t>((category ? kSplitCategories : 0) | random.Below(2) << 1 | random.Below(3) << 2));
    }
    for (uint32_t leaf = 0; leaf < leaves; ++leaf) p.leaf_values.push_back(random.Normal());
  }
  return p;
}

std::vector<double> RandomRows(size_t rows, size_t features, uint64_t seed) {
  Random random(seed);
  std::vector<double> values;
  for (size_t i = 0; i < rows * features; ++i) {
    const double u = random.Uniform();
    double x = static_cast<double>(random.Below(60)) * 0.25 - 2;
    if (i % features < 3) x = static_cast<double>(random.Below(120)) - 5;
    if (u < 0.1) x = kNan;
    else if (u < 0.2) x = 0.0;
    else if (u < 0.22) x = 1e-36;
    else if (u < 0.24) x = kInfinity;
    else if (u < 0.26) x = -kInfinity;
    values.push_back(x);
  }
  return values;
}

bool GoesRight(const TreesParameters& p, size_t split, double x) {
  const uint8_t flags = p.flags[split];
  if (flags & kSplitCategories) {
    if (std::isnan(x) || x <= -1 || x >= 2147483648.0) return true;
    const auto code = static_cast<uint64_t>(x);
    const uint64_t begin = p.category_offsets[static_cast<size_t>(p.threshold[split])];
    const uint64_t end = p.category_offsets[static_cast<size_t>(p.threshold[split]) + 1];
    return code / 32 >= end - begin || !(p.category_words[begin + code / 32] >> code % 32 & 1);
  }
  const int missing = flags >> 2 & 3;
  if (std::isnan(x) && missing != 2) x = 0;
  if ((missing == 1 && std::abs(x) <= 1e-35f) || (missing == 2 && std::isnan(x))) return !(flags & kSplitDefaultLeft);
  return x > p.threshold[split];
}

std::vector<double> PlainScores(const TreesParameters& p, const double* row, size_t scores) {
  std::vector<double> sums(scores);
  size_t split = 0, leaf = 0;
  for (size_t t = 0; t < p.leaves.size(); ++t) {
    int32_t at = p.leaves[t] == 1 ? ~0 : 0;
    while (at >= 0) {
      const size_t s = split + static_cast<size_t>(at);
      at = GoesRight(p, s, row[p.feature[s]]) ? p.right[s] : p.left[s];
    }
    sums[t % scores] += p.leaf_values[leaf + static_cast<size_t>(~at)];
    split += p.leaves[t] - 1;
    leaf += p.leaves[t];
  }
  return sums;
}

void ExpectPlain(const TreesParameters& p, size_t rows, uint64_t seed) {
  const auto model = MakeTrees(p);
  const std::vector<double> values = RandomRows(rows, p.features, seed);
  std::vector<double> batch(rows * p.outputs), one(p.outputs), expected(p.outputs);
  model->Predict({values.data(), rows, p.features}, batch.data());
  for (size_t i = 0; i < rows; ++i) {
    const double* row = values.data() + i * p.features;
    std::vector<double> scores = PlainScores(p, row, LinkScores(p.link, p.outputs));
    if (p.average) {
      for (double& score : scores) score /= static_cast<double>(p.leaves.size() / scores.size());
    }
    ApplyLink(p.link, scores.data(), p.outputs, p.sigmoid_scale, expected.data());
    model->PredictRow(row, one.data());
    for (size_t k = 0; k < p.outputs; ++k) {
      ASSERT_EQ(one[k], expected[k]) << "row " << i;
      ASSERT_EQ(batch[i * p.outputs + k], expected[k]) << "row " << i;
    }
  }
}

TEST(Trees, EqualsAPlainWalk) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    ExpectPlain(RandomTrees({.trees = 1 + seed * 3}, seed), 300, seed);
    ExpectPlain(RandomTrees({.category_share = 0.4}, seed), 300, seed);
    ExpectPlain(RandomTrees({.max_leaves = 1}, seed), 100, seed);
    ExpectPlain(RandomTrees({.max_leaves = 64, .thresholds = 5000}, seed), 200, seed);
    ExpectPlain(RandomTrees({.max_leaves = 200}, seed), 131, seed);
    ExpectPlain(RandomTrees({.max_leaves = 200, .category_share = 0.2}, seed), 131, seed);
  }
}

TEST(Trees, AnyNumberOfRows) {
  for (size_t rows = 0; rows < 140; ++rows) ExpectPlain(RandomTrees({.trees = 5, .category_share = 0.3}, rows), rows, rows);
}

TEST(Trees, ManyInputs) { ExpectPlain(RandomTrees({.trees = 60, .features = 400}, 1), 100, 1); }

TEST(Trees, Links) {
  TreesParameters p = RandomTrees({.trees = 30}, 5);
  p.outputs = 2;
  p.link = Link::kSigmoid;
  p.sigmoid_scale = 0.7;
  ExpectPlain(p, 100, 1);
  p.average = true;
  ExpectPlain(p, 100, 2);
  p.outputs = 3;
  p.link = Link::kSoftmax;
  ExpectPlain(p, 100, 3);
  p.outputs = 1;
  p.link = Link::kExp;
  ExpectPlain(p, 100, 4);
}

TEST(Trees, SavesAndLoads) {
  TreesParameters p = RandomTrees({.category_share = 0.2}, 9);
  p.average = true;
  const auto model = MakeTrees(p);
  ArrayFileWriter writer;
  const Json json = model->Save("m.", &writer);
  const auto loaded = ModelKinds().Get("trees").load(json, "m.", *ArrayFile::Parse(writer.Bytes(), "m"), p.features, 1);
  const std::vector<double> values = RandomRows(50, p.features, 3);
  std::vector<double> a(50), b(50);
  model->Predict({values.data(), 50, p.features}, a.data());
  loaded->Predict({values.data(), 50, p.features}, b.data());
  EXPECT_EQ(a, b);
}

TEST(Trees, RefusesWrongParameters) {
  const auto refusal = [](const std::function<void(TreesParameters*)>& spoil) {
    TreesParameters p = RandomTrees({.trees = 3, .max_leaves = 1}, 0);
    p.leaves = {3, 1, 1};
    p.left = {1, ~0};
    p.right = {~1, ~2};
    p.feature = {0, 1};
    p.threshold = {0.5, 1.5};
    p.flags = {0, kSplitCategories};
    p.threshold[1] = 2;
    p.leaf_values = {1, 2, 3, 4, 5};
    spoil(&p);
    try {
      MakeTrees(p);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDamaged);
      return error.message();
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refusal([](TreesParameters*) {}), "accepted");
  EXPECT_THAT(refusal([](TreesParameters* p) { p->left[0] = 0; }), HasSubstr("not in its tree"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->left[1] = ~3; }), HasSubstr("not in its tree"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->left[0] = ~INT32_MIN; }), HasSubstr("not in its tree"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->left[0] = INT32_MIN; }), HasSubstr("not in its tree"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->left[1] = ~1; }), HasSubstr("two parents"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->feature[0] = 6; }), HasSubstr("feature"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->threshold[0] = kNan; }), HasSubstr("threshold"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->threshold[0] = -kInfinity; }), HasSubstr("threshold"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->threshold[1] = kInfinity; }), HasSubstr("set of categories"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->threshold[1] = 10; }), HasSubstr("set of categories"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->threshold[1] = 0.5; }), HasSubstr("set of categories"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->flags[0] = 3 << 2; }), HasSubstr("flags"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->flags[0] = 16; }), HasSubstr("flags"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->leaf_values[0] = kInfinity; }), HasSubstr("leaf"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->leaves = {5, 1, 1}; }), HasSubstr("number of leaves"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->leaves = {0, 2, 3}; }), HasSubstr("number of leaves"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->category_offsets[1] = 1000; }), HasSubstr("offsets"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->link = Link::kSigmoid; }), HasSubstr("sigmoid"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->outputs = 2; }), HasSubstr("number of trees"));
  EXPECT_THAT(refusal([](TreesParameters* p) { p->flags.pop_back(); }), HasSubstr("length"));
}

// A leaf of three numbers is what three ensembles with the same splits hold in theirs.
TEST(Trees, LeavesOfSeveralNumbers) {
  RandomShape shape;
  shape.category_share = 0.3;
  const TreesParameters one = RandomTrees(shape, 12);
  const std::vector<double> rows = RandomRows(100, shape.features, 13);
  TreesParameters wide = one;
  wide.outputs = wide.leaf_width = 3;
  wide.average = true;
  wide.leaf_values.clear();
  std::vector<std::shared_ptr<const Model>> parts;
  for (size_t k = 0; k < 3; ++k) {
    TreesParameters part = one;
    part.average = true;
    for (double& value : part.leaf_values) value = value * static_cast<double>(k + 1) + static_cast<double>(k);
    parts.push_back(MakeTrees(part));
  }
  for (const double value : one.leaf_values)
    for (const double k : {0.0, 1.0, 2.0}) wide.leaf_values.push_back(value * (k + 1) + k);
  const auto model = MakeTrees(wide);
  std::vector<double> got(300), expected(100);
  model->Predict({rows.data(), 100, shape.features}, got.data());
  for (size_t k = 0; k < 3; ++k) {
    parts[k]->Predict({rows.data(), 100, shape.features}, expected.data());
    for (size_t i = 0; i < 100; ++i) EXPECT_NEAR(got[3 * i + k], expected[i], 1e-12);
  }
  // Equal ones are stored once, and give the same.
  TreesParameters equal = wide;
  for (size_t i = 0; i < equal.leaf_values.size(); ++i) equal.leaf_values[i] = static_cast<double>(i / 3 % 5 * (i % 3 + 1));
  TreesParameters shared = equal;
  ShareLeafValues(&shared);
  EXPECT_EQ(shared.leaf_values.size(), 5U * 3);
  EXPECT_EQ(shared.leaf_rows.size(), one.leaf_values.size());
  std::vector<double> of_shared(300);
  MakeTrees(equal)->Predict({rows.data(), 100, shape.features}, got.data());
  ModelFromBytes(ModelBytes(*MakeTrees(shared)), "shared")->Predict({rows.data(), 100, shape.features}, of_shared.data());
  EXPECT_EQ(got, of_shared);
  shared.leaf_rows[1] = 5;
  EXPECT_THROW(MakeTrees(shared), Error);
  TreesParameters narrow = one;
  narrow.leaf_rows.assign(one.leaf_values.size(), 0);
  EXPECT_THROW(MakeTrees(narrow), Error);

  wide.leaf_values.pop_back();
  EXPECT_THROW(MakeTrees(wide), Error);
  wide.leaf_width = 2;
  EXPECT_THROW(MakeTrees(wide), Error);
}

}  // namespace
}  // namespace everlearn
