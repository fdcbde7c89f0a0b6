// What a data set is like, in a few numbers, so that results on one say something about another.
//
// Pure functions; the same data give the same description on any machine.
#pragma once

#include "base/json.h"
#include "learner/dataset.h"

namespace everlearn {

struct DataDescription {
  double rows = 0, features = 0;
  double category_share = 0;      // of the features
  double largest_dictionary = 0;  // values of the category with the most
  double missing_share = 0;       // of all values
  double few_values_share = 0;    // of the numbers: at most ten distinct values
  double strongest_feature = 0;   // share of the target's variance that the ranges or values of one feature explain alone
  double classes = 0;             // 0: regression
  double rarest_class_share = 0;
  double target_skew = 0;  // skewness of the target of a regression

  Json ToJson() const;
  // Throws kDamaged where a field is absent or not finite.
  static DataDescription FromJson(const Json& json);
};

// From at most 5,000 rows, evenly spaced, where there are more.
DataDescription DescribeData(const Dataset& data);

// How much alike two data sets are, in (0, 1]: a Gaussian kernel over the differences of the fields, sizes and counts on a logarithmic
// scale; tables of another kind of task count for little.
double Similarity(const DataDescription& a, const DataDescription& b);

}  // namespace everlearn
