// Trees against a search that tries every test of every column from the definition of the score.
#include "kernels/symmetric_tree.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace everlearn {
namespace {

struct Case {
  std::vector<std::vector<uint8_t>> codes;
  std::vector<CodeColumn> columns;
  std::vector<uint32_t> rows;
  std::vector<float> statistics;
  size_t outputs = 1;
};

// `weighted`: weights other than 1, and a tenth of the rows left out.
Case MakeCase(size_t count, size_t outputs, bool weighted, uint64_t seed) {
  Random random(seed);
  Case result;
  result.outputs = outputs;
  for (const uint32_t bins : {256u, 17u, 2u, 5u}) {
    result.codes.emplace_back();
    for (size_t i = 0; i < count; ++i) result.codes.back().push_back(static_cast<uint8_t>(random.Below(bins)));
    result.columns.push_back({nullptr, bins, bins == 5, 255});
  }
  for (size_t j = 0; j < result.columns.size(); ++j) result.columns[j].codes = result.codes[j].data();
  const size_t width = SymmetricTreeGrower::Width(outputs);
  for (uint32_t i = 0; i < count; ++i) {
    if (weighted && random.Below(10) == 0) continue;
    result.rows.push_back(i);
    const double weight = weighted ? 0.5 + random.Uniform() : 1;
    result.statistics.push_back(static_cast<float>(weight));
    for (size_t k = 0; k < outputs; ++k) {
      const double gradient =
          random.Normal() + result.codes[0][i] / 200.0 * (result.codes[1][i] > 8 ? 1 : -1) + (result.codes[3][i] == k + 1 ? 2 : 0);
      result.statistics.push_back(static_cast<float>(weight * gradient));
    }
    for (size_t k = 1 + outputs; k < width; ++k) result.statistics.push_back(0);
  }
  return result;
}

// The score of the tree with these splits: cosine of the gradients with the leaves' steps, times the gradients' length.
double ScoreOf(const Case& data, const std::vector<SymmetricSplit>& splits, double l2) {
  const size_t width = SymmetricTreeGrower::Width(data.outputs), leaves = size_t{1} << splits.size();
  std::vector<double> sums(leaves * (1 + data.outputs), 0.0);
  for (size_t i = 0; i < data.rows.size(); ++i) {
    size_t leaf = 0;
    for (size_t k = 0; k < splits.size(); ++k) {
      const CodeColumn& column = data.columns[splits[k].column];
      const uint8_t code = column.codes[data.rows[i]];
      leaf |= static_cast<size_t>(column.one_versus_rest ? code == splits[k].code : code > splits[k].code) << k;
    }
    for (size_t k = 0; k <= data.outputs; ++k) sums[leaf * (1 + data.outputs) + k] += static_cast<double>(data.statistics[i * width + k]);
  }
  double gain = 0, norm = 0;
  for (size_t l = 0; l < leaves; ++l) {
    const double* sum = sums.data() + l * (1 + data.outputs);
    for (size_t k = 1; k <= data.outputs; ++k) {
      const double step = sum[k] / (sum[0] + l2);
      gain += step * sum[k];
      norm += step * step * sum[0];
    }
  }
  return gain / std::sqrt(norm);
}

void ExpectGreedy(const Case& data, int depth) {
  SymmetricTreeOptions options;
  options.depth = depth;
  Random random(5);
  SymmetricTreeGrower grower(data.outputs);
  const auto grown = grower.Grow(data.columns, data.rows, data.statistics, options, &random);
  ASSERT_EQ(grown.size(), static_cast<size_t>(depth));
  std::vector<SymmetricSplit> splits;
  for (const SymmetricSplit& split : grown) {
    double best = 0;
    for (uint32_t j = 0; j < data.columns.size(); ++j) {
      for (uint32_t c = 0; c < data.columns[j].bins; ++c) {
        splits.push_back({j, static_cast<uint8_t>(c)});
        best = std::max(best, ScoreOf(data, splits, options.l2));
        splits.pop_back();
      }
    }
    splits.push_back(split);
    EXPECT_NEAR(ScoreOf(data, splits, options.l2), best, 1e-4 * best) << "level " << splits.size() - 1;
  }
}

TEST(SymmetricTree, EachLevelTakesTheBestTestOfAll) {
  for (const size_t outputs : {1, 2, 5, 12}) {
    ExpectGreedy(MakeCase(700, outputs, false, outputs), 4);
    ExpectGreedy(MakeCase(700, outputs, true, 10 + outputs), 4);
  }
  ExpectGreedy(MakeCase(3000, 1, false, 20), 8);
}

TEST(SymmetricTree, LeavesAreTheBitsOfTheAnswers) {
  const Case data = MakeCase(100, 1, false, 3);
  const std::vector<SymmetricSplit> splits{{1, 7}, {3, 2}, {0, 100}};
  std::vector<uint8_t> leaves(100);
  FindLeaves(data.columns, splits, 100, leaves.data());
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(leaves[i], (data.codes[1][i] > 7) + 2 * (data.codes[3][i] == 2) + 4 * (data.codes[0][i] > 100));
  }
}

TEST(SymmetricTree, EndsWhereNoTestHelps) {
  Case data = MakeCase(50, 1, false, 4);
  data.columns.erase(data.columns.begin(), data.columns.begin() + 2);
  data.columns.pop_back();  // one column of two codes is left
  SymmetricTreeGrower grower(1);
  Random random(5);
  EXPECT_EQ(grower.Grow(data.columns, data.rows, data.statistics, {}, &random).size(), 1u);
  EXPECT_EQ(grower.Grow({}, data.rows, data.statistics, {}, &random).size(), 0u);
  EXPECT_EQ(grower.Grow(data.columns, {}, {}, {}, &random).size(), 0u);
}

TEST(SymmetricTree, LastCandidateIsObeyed) {
  Case data = MakeCase(500, 1, false, 6);
  data.columns.resize(1);
  data.columns[0].last_candidate = 3;
  SymmetricTreeGrower grower(1);
  Random random(5);
  for (const SymmetricSplit& split : grower.Grow(data.columns, data.rows, data.statistics, {}, &random)) EXPECT_LE(split.code, 3);
}

TEST(SymmetricTree, NoiseChangesTheChoice) {
  const Case data = MakeCase(500, 1, false, 7);
  SymmetricTreeGrower grower(1);
  SymmetricTreeOptions options;
  options.noise = 1e6;
  std::vector<bool> chosen(data.columns.size());
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    chosen[grower.Grow(data.columns, data.rows, data.statistics, options, &random)[0].column] = true;
  }
  EXPECT_EQ(chosen, std::vector<bool>(data.columns.size(), true));
}

}  // namespace
}  // namespace everlearn
