// hoeffding_tree: a decision tree that learns each row once and never forgets, with naive Bayes in its leaves (of a value: linear models).
// Good for steady streams of many rows, and cheap; where the concept changes, its forests and the adaptive tree follow and this one does
// not.
//
// Domingos & Hulten, Mining high-speed data streams (2000); of a value, Ikonomovska, Gama & Džeroski, Learning model trees from evolving
// data streams (2011).
#include "learners/tree_committee.h"

namespace everlearn {
namespace {

LearnerInfo MakeHoeffdingTree() {
  LearnerInfo info;
  info.summary = "A decision tree that learns row by row; for steady streams of many rows.";
  info.paper = "Domingos & Hulten, Mining high-speed data streams (2000)";
  info.parameters = {
      {"grace", ParameterType::kNumber, 200, 10, 1e5, ParameterScale::kLog, {}, "Rows of a leaf between two looks for a split."},
      {"delta", ParameterType::kNumber, 1e-7, 1e-12, 0.5, ParameterScale::kLog, {}, "Probability that a split is not the best."},
      {"tie",
       ParameterType::kNumber,
       0.05,
       0,
       1,
       ParameterScale::kLinear,
       {},
       "Below this bound the best split is taken, though another is as good."},
  };
  info.binary = info.multiclass = info.regression = true;
  info.cost_units = [](double rows, double features, double outputs, const ParameterValues&) {
    return 0.05 + rows * (3e-5 + 2e-6 * features * outputs);
  };
  StartCommittees(
      [](const ParameterValues& parameters, const StreamShape&) {
        CommitteeOptions options;
        options.growth.grace = parameters.Number("grace");
        options.growth.delta = parameters.Number("delta");
        options.growth.tie = parameters.Number("tie");
        return options;
      },
      &info);
  return info;
}

const bool registered = Learners().Add("hoeffding_tree", MakeHoeffdingTree());

}  // namespace
}  // namespace everlearn
