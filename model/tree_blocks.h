// Scores of 64 rows at once for trees of at most 64 leaves (QuickScorer, Lucchese et al. 2015; RapidScorer, Ye et al. 2018).
//
// Each row has one bit a leaf, kept in planes of eight leaves. A test that sends a row right clears the leaves under its left child; the
// first leaf that is left is the row's. Tests compare bytes: a number's rank among the thresholds of its input (255 thresholds a
// column). With AVX2 where the machine has it, with equal results. Immutable; a scratch belongs to one thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/tree_inputs.h"

namespace everlearn {

class TreeBlocks {
 public:
  static constexpr size_t kRows = 64;
  static constexpr size_t kMaxLeaves = 64;

  struct Scratch {
    std::vector<uint8_t> codes;        // columns × kRows
    std::vector<uint32_t> categories;  // category columns × kRows
  };

  // Both must outlive this object.
  TreeBlocks(const TreesParameters& parameters, const TreeInputs& inputs);

  // Whether a tree of so many leaves is covered; those whose leaves hold several numbers are not.
  bool CanCover(uint32_t leaves) const { return leaves <= kMaxLeaves && parameters_.leaf_width == 1; }
  bool Covers(size_t tree) const { return trees_[tree].planes > 0; }
  Scratch MakeScratch() const;
  // Ranks and codes of at most kRows rows.
  void Encode(const RowsView& rows, Scratch* scratch) const;
  // Adds the leaf values of a covered tree to the scores of the encoded rows.
  void AddTree(size_t tree, Scratch* scratch, double* scores) const;

  // Clears the leaves of `plane` that are not in `keep` where code[column] > rank.
  struct Test {
    uint32_t column;
    uint8_t rank, plane, keep;
  };

 private:
  // Thresholds of one input, ascending, filled up with +infinity to 2^steps - 1.
  struct Column {
    uint32_t input;
    uint32_t thresholds;  // first one in thresholds_
    int steps;
  };
  // A split on categories: its answer (0 left, 1 right) becomes the code of a column of its own, shared by all trees.
  struct CategoryTest {
    uint32_t category_column, set, column;
  };
  struct Tree {
    uint8_t planes = 0;        // 0: not covered
    uint32_t plane_tests = 0;  // first one in plane_tests_
    uint32_t leaves = 0;       // first one in leaf_values_
    uint32_t category_tests = 0, category_tests_end = 0;
  };
  struct Place {
    uint32_t column;
    uint8_t rank;
  };
  void MakeColumns();
  Place PlaceOf(size_t split) const;
  void AddTestsOf(size_t tree, size_t first_split, size_t first_leaf);

  const TreesParameters& parameters_;
  const TreeInputs& inputs_;
  std::vector<Column> columns_;
  std::vector<double> thresholds_;
  std::vector<uint32_t> first_column_;  // of each input, among columns_ (numbers) or category_inputs_ (categories)
  std::vector<uint32_t> category_inputs_;
  size_t answer_columns_ = 0;  // behind columns_: answers of the splits on categories of one tree
  std::vector<Tree> trees_;
  std::vector<uint32_t> plane_tests_;  // for each tree planes + 1 places in tests_
  std::vector<Test> tests_;            // by tree, then plane
  std::vector<CategoryTest> category_tests_;
  std::vector<double> leaf_values_;  // from the leftmost leaf to the rightmost
};

}  // namespace everlearn
