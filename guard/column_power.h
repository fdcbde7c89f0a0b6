// How much of the target a column tells by itself, and how much all others tell together: measured on rows that were not learned from.
//
// "Unexplained" is a loss divided by the loss of a constant: 0 where all is told, 1 where nothing is. The loss is the log-loss of classes,
// the squared error of values. Pure functions, deterministic; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace everlearn {

// The target of some rows, the first half of which (rounded down) is learned from, the rest measured.
struct PowerTarget {
  std::vector<double> values;  // class index or value
  size_t classes = 0;          // 0: regression
  size_t train() const { return values.size() / 2; }
};

// One value a row, NaN missing; categories as codes from 0 on.
struct PowerColumn {
  std::vector<double> values;
  bool is_category = false;
};

// Where every row of a column falls: into bins of about equal weight, and its level where they are few. For several targets of the same
// rows.
struct PowerCells {
  std::vector<uint32_t> bins, levels;  // empty where there are none
  size_t bin_count = 0, level_count = 0;
  std::vector<double> x;  // the values, centred; 0 where missing
};
PowerCells CellsOf(const PowerColumn& column);

// Of a column alone: means (shares of classes) of its levels or of bins of equal weight, of a regression straight lines within the bins.
double UnexplainedByColumn(const PowerColumn& column, const PowerTarget& target);
double UnexplainedByCells(const PowerCells& cells, const PowerTarget& target);

// Of these columns together, by boosted oblivious trees (Friedman, Greedy Function Approximation, 2001; Kohavi, Bottom-Up Induction of
// Oblivious Read-Once Decision Graphs, 1994): quick rather than good. Every tree may use the first columns, and some of the others: the
// best first.
double UnexplainedByAll(const std::vector<const PowerColumn*>& columns, const PowerTarget& target);

}  // namespace everlearn
