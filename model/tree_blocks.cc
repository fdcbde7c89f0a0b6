// The batch kernel of tree ensembles.
#include "model/tree_blocks.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

namespace everlearn {
namespace {

constexpr size_t kColumnThresholds = 255;
constexpr size_t kRows = TreeBlocks::kRows;
constexpr size_t kLanes = 32;  // rows of one vector
using Bytes __attribute__((vector_size(kLanes), aligned(1), may_alias)) = uint8_t;

// Finds the exit leaves of 64 rows: `planes` runs of tests, the p-th is tests[ends[p] … ends[p + 1]).
[[gnu::always_inline]] inline void FindLeavesBody(const uint8_t* codes, const TreeBlocks::Test* tests, const uint32_t* ends, size_t planes,
                                                  uint8_t* leaves) {
  Bytes found[2] = {}, index[2] = {};
  for (size_t plane = 0; plane < planes; ++plane) {
    Bytes alive[2] = {~Bytes{}, ~Bytes{}};
    for (uint32_t i = ends[plane]; i < ends[plane + 1]; ++i) {
      const TreeBlocks::Test& test = tests[i];
      const Bytes rank = test.rank - Bytes{}, keep = test.keep - Bytes{};
      const Bytes* code = reinterpret_cast<const Bytes*>(codes + test.column * kRows);
      alive[0] &= reinterpret_cast<Bytes>(code[0] <= rank) | keep;
      alive[1] &= reinterpret_cast<Bytes>(code[1] <= rank) | keep;
    }
    for (int half = 0; half < 2; ++half) {
      const Bytes open = reinterpret_cast<Bytes>(found[half] == 0);  // no leaf of an earlier plane is alive
      found[half] |= alive[half] & open;
      index[half] += reinterpret_cast<Bytes>(found[half] == 0) & 8;
    }
  }
  for (int half = 0; half < 2; ++half) {
    const Bytes lowest = found[half] & -found[half];
    index[half] += (reinterpret_cast<Bytes>((lowest & 0xAA) != 0) & 1) + (reinterpret_cast<Bytes>((lowest & 0xCC) != 0) & 2) +
                   (reinterpret_cast<Bytes>((lowest & 0xF0) != 0) & 4);
    reinterpret_cast<Bytes*>(leaves)[half] = index[half];
  }
}

void FindLeavesPortable(const uint8_t* codes, const TreeBlocks::Test* tests, const uint32_t* ends, size_t planes, uint8_t* leaves) {
  FindLeavesBody(codes, tests, ends, planes, leaves);
}

[[gnu::target("avx2")]] void FindLeavesAvx2(const uint8_t* codes, const TreeBlocks::Test* tests, const uint32_t* ends, size_t planes,
                                            uint8_t* leaves) {
  FindLeavesBody(codes, tests, ends, planes, leaves);
}

const auto FindLeaves = __builtin_cpu_supports("avx2") ? FindLeavesAvx2 : FindLeavesPortable;

// How many of the 2^steps - 1 ascending thresholds are below each of eight values.
void CountBelow(const double* thresholds, int steps, const double* values, uint8_t* counts) {
  uint32_t at[8] = {};
  for (uint32_t step = uint32_t{1} << steps >> 1; step > 0; step >>= 1) {
    for (int k = 0; k < 8; ++k) at[k] += thresholds[at[k] + step - 1] < values[k] ? step : 0;
  }
  for (int k = 0; k < 8; ++k) counts[k] = static_cast<uint8_t>(at[k]);
}

}  // namespace

TreeBlocks::TreeBlocks(const TreesParameters& parameters, const TreeInputs& inputs) : parameters_(parameters), inputs_(inputs) {
  MakeColumns();
  size_t split = 0, leaf = 0;
  for (size_t tree = 0; tree < parameters.leaves.size(); ++tree) {
    trees_.emplace_back();
    if (CanCover(parameters.leaves[tree])) AddTestsOf(tree, split, leaf);
    split += parameters.leaves[tree] - 1;
    leaf += parameters.leaves[tree];
  }
}

void TreeBlocks::MakeColumns() {
  std::vector<std::vector<double>> of_input(inputs_.inputs.size());
  size_t split = 0;
  for (const uint32_t leaves : parameters_.leaves) {
    for (const size_t end = split + leaves - 1; split < end; ++split) {
      if (CanCover(leaves)) of_input[inputs_.of_split[split]].push_back(InputThreshold(parameters_.threshold[split]));
    }
  }
  for (uint32_t input = 0; input < of_input.size(); ++input) {
    if (inputs_.inputs[input].rule == InputRule::kCategory) {
      first_column_.push_back(static_cast<uint32_t>(category_inputs_.size()));
      if (!of_input[input].empty()) category_inputs_.push_back(input);
      continue;
    }
    first_column_.push_back(static_cast<uint32_t>(columns_.size()));
    std::vector<double>& all = of_input[input];
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    for (size_t begin = 0; begin < all.size(); begin += kColumnThresholds) {
      const size_t count = std::min(kColumnThresholds, all.size() - begin);
      const int steps = static_cast<int>(std::bit_width(count));
      columns_.push_back({input, static_cast<uint32_t>(thresholds_.size()), steps});
      thresholds_.insert(thresholds_.end(), all.begin() + static_cast<ptrdiff_t>(begin),
                         all.begin() + static_cast<ptrdiff_t>(begin + count));
      thresholds_.resize(columns_.back().thresholds + (size_t{1} << steps) - 1, std::numeric_limits<double>::infinity());
    }
  }
}

TreeBlocks::Place TreeBlocks::PlaceOf(size_t split) const {
  const double threshold = InputThreshold(parameters_.threshold[split]);
  const uint32_t input = inputs_.of_split[split];
  // The last of the input's columns that begins at or below the threshold.
  const auto column = std::partition_point(columns_.begin() + first_column_[input], columns_.end(),
                                           [&](const Column& c) { return c.input == input && thresholds_[c.thresholds] <= threshold; }) -
                      1;
  const auto begin = thresholds_.begin() + column->thresholds;
  const auto found = std::lower_bound(begin, begin + (ptrdiff_t{1} << column->steps) - 1, threshold);
  return {static_cast<uint32_t>(column - columns_.begin()), static_cast<uint8_t>(found - begin)};
}

void TreeBlocks::AddTestsOf(size_t tree, size_t first_split, size_t first_leaf) {
  const size_t leaves = parameters_.leaves[tree], splits = leaves - 1;
  const int32_t* left = parameters_.left.data() + first_split;
  const int32_t* right = parameters_.right.data() + first_split;
  Tree& out = trees_[tree];
  out.planes = static_cast<uint8_t>((leaves + 7) / 8);
  out.plane_tests = static_cast<uint32_t>(plane_tests_.size());
  out.leaves = static_cast<uint32_t>(leaf_values_.size());
  out.category_tests = static_cast<uint32_t>(category_tests_.size());
  leaf_values_.resize(leaf_values_.size() + leaves);

  // Children are numbered after their parents: sizes from the last split to the first, places from the first to the last.
  std::vector<size_t> size(splits), begin(splits);
  const auto leaves_under = [&](int32_t child) { return child < 0 ? 1 : size[static_cast<size_t>(child)]; };
  for (size_t s = splits; s-- > 0;) size[s] = leaves_under(left[s]) + leaves_under(right[s]);
  const auto put = [&](int32_t child, size_t place) {
    if (child >= 0) begin[static_cast<size_t>(child)] = place;
    if (child < 0) leaf_values_[out.leaves + place] = parameters_.leaf_values[first_leaf + static_cast<size_t>(~child)];
  };
  put(splits == 0 ? ~0 : 0, 0);

  std::vector<Test> tests;
  for (size_t s = 0; s < splits; ++s) {
    const size_t middle = begin[s] + leaves_under(left[s]);
    put(left[s], begin[s]);
    put(right[s], middle);
    const uint32_t input = inputs_.of_split[first_split + s];
    Place place{};
    if (inputs_.inputs[input].rule == InputRule::kCategory) {
      const size_t answer = category_tests_.size() - out.category_tests;
      answer_columns_ = std::max(answer_columns_, answer + 1);
      place.column = static_cast<uint32_t>(columns_.size() + answer);
      category_tests_.push_back({first_column_[input], static_cast<uint32_t>(parameters_.threshold[first_split + s]), place.column});
    } else {
      place = PlaceOf(first_split + s);
    }
    for (size_t plane = begin[s] / 8; plane * 8 < middle; ++plane) {
      uint8_t keep = 0xFF;
      for (size_t leaf = std::max(begin[s], plane * 8); leaf < std::min(middle, plane * 8 + 8); ++leaf) {
        keep = static_cast<uint8_t>(keep & ~(1u << (leaf % 8)));
      }
      tests.push_back({place.column, place.rank, static_cast<uint8_t>(plane), keep});
    }
  }
  std::stable_sort(tests.begin(), tests.end(), [](const Test& a, const Test& b) { return a.plane < b.plane; });
  for (size_t plane = 0; plane <= out.planes; ++plane) {
    const auto first = std::partition_point(tests.begin(), tests.end(), [&](const Test& test) { return test.plane < plane; });
    plane_tests_.push_back(static_cast<uint32_t>(tests_.size() + static_cast<size_t>(first - tests.begin())));
  }
  tests_.insert(tests_.end(), tests.begin(), tests.end());
  out.category_tests_end = static_cast<uint32_t>(category_tests_.size());
}

TreeBlocks::Scratch TreeBlocks::MakeScratch() const {
  Scratch scratch;
  scratch.codes.resize((columns_.size() + answer_columns_) * kRows);
  scratch.categories.resize(category_inputs_.size() * kRows);
  return scratch;
}

void TreeBlocks::Encode(const RowsView& rows, Scratch* scratch) const {
  double values[kRows] = {};
  for (size_t c = 0; c < columns_.size(); ++c) {
    const TreeInput& input = inputs_.inputs[columns_[c].input];
    for (size_t r = 0; r < rows.rows; ++r) values[r] = InputValue(input.rule, rows.row(r)[input.feature]);
    uint8_t* codes = scratch->codes.data() + c * kRows;
    for (size_t r = 0; r < rows.rows; r += 8)
      CountBelow(thresholds_.data() + columns_[c].thresholds, columns_[c].steps, values + r, codes + r);
  }
  for (size_t c = 0; c < category_inputs_.size(); ++c) {
    const TreeInput& input = inputs_.inputs[category_inputs_[c]];
    uint32_t* categories = scratch->categories.data() + c * kRows;
    for (size_t r = 0; r < rows.rows; ++r) categories[r] = static_cast<uint32_t>(InputValue(input.rule, rows.row(r)[input.feature]));
  }
}

void TreeBlocks::AddTree(size_t tree, Scratch* scratch, double* scores) const {
  const Tree& t = trees_[tree];
  for (uint32_t i = t.category_tests; i < t.category_tests_end; ++i) {
    const CategoryTest& test = category_tests_[i];
    const uint32_t* categories = scratch->categories.data() + test.category_column * kRows;
    uint8_t* answers = scratch->codes.data() + test.column * kRows;
    for (size_t r = 0; r < kRows; ++r) answers[r] = !InCategorySet(parameters_, test.set, categories[r]);
  }
  uint8_t leaves[kRows];
  FindLeaves(scratch->codes.data(), tests_.data(), plane_tests_.data() + t.plane_tests, t.planes, leaves);
  const double* values = leaf_values_.data() + t.leaves;
  for (size_t r = 0; r < kRows; ++r) scores[r] += values[leaves[r]];
}

}  // namespace everlearn
