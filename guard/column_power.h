// How much of the target a column tells by itself, and how much all others tell together: measured on rows that were not learned from.
//
// "Unexplained" is a loss divided by the loss of a constant: 0 where all is told, 1 where nothing is. The loss is the log-loss of classes,
// the squared error of values. Pure functions, deterministic; any thread.
#pragma once

#include <cstdint>
#include <span>
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

// Of a column alone: means (shares of classes) of its levels or of bins of equal weight, of a regression straight lines within the bins.
double UnexplainedByColumn(const PowerColumn& column, const PowerTarget& target);

// Of these columns together, by boosted oblivious trees (Friedman, Greedy Function Approximation, 2001; Kohavi, Bottom-Up Induction of
// Oblivious Read-Once Decision Graphs, 1994): quick rather than good.
double UnexplainedByAll(const std::vector<const PowerColumn*>& columns, const PowerTarget& target);

}  // namespace everlearn
