// adaptive_random_forest: trees that each see a random weight of every row and, in every leaf, a random few of the columns; a tree whose
// error grows is replaced by one that was begun at the first sign of it. Good for streams of nearly any kind whose concept changes.
//
// Gomes et al., Adaptive random forests for evolving data stream classification (2017); of a value, Gomes et al., Adaptive random forests
// for data stream regression (2018). Trees say probabilities, not votes, and so fewer of them are as good as the paper's hundred.
#include "learners/tree_committee.h"

namespace everlearn {
namespace {

// The square root of all and one, as in the paper; of many columns, of which most may say nothing, a fifth. A value needs most of them:
// what a leaf of values leaves out it cannot make good by votes.
size_t DefaultColumns(const StreamShape& shape) {
  const auto columns = static_cast<double>(shape.features());
  return static_cast<size_t>(std::lround(std::max(std::sqrt(columns) + 1, columns * (shape.classes > 0 ? 0.2 : 0.7))));
}

LearnerInfo MakeAdaptiveRandomForest() {
  LearnerInfo info;
  info.summary = "A forest that learns row by row and replaces trees whose error grows; for streams that change.";
  info.paper = "Gomes et al., Adaptive random forests for evolving data stream classification (2017)";
  info.parameters = {
      {"trees", ParameterType::kInteger, 40, 1, 1000, ParameterScale::kLog, {}, "Trees; each costs the same time."},
      {"columns",
       ParameterType::kInteger,
       0,
       0,
       100000,
       ParameterScale::kLinear,
       {},
       "Columns that a leaf watches; 0: the square root of all and one, or a fifth; of values seven in ten."},
      {"warning_delta",
       ParameterType::kNumber,
       0.01,
       1e-10,
       0.5,
       ParameterScale::kLog,
       {},
       "Of the detector that begins a tree in the background."},
      {"change_delta", ParameterType::kNumber, 0.001, 1e-10, 0.5, ParameterScale::kLog, {}, "Of the detector that replaces a tree."},
  };
  for (const Parameter& parameter : GrowthParameters({.grace = 50, .delta = 0.01, .tie = 0.1})) info.parameters.push_back(parameter);
  info.binary = info.multiclass = info.regression = true;
  info.exceptions = {"ColumnOrderDoesNotMatter: the columns of a leaf are drawn by their position"};
  info.cost_units = [](double rows, double features, double outputs, const ParameterValues& parameters) {
    return CommitteeCost(rows, static_cast<double>(parameters.Integer("trees")), std::sqrt(features) + 0.2 * features, outputs);
  };
  StartCommittees(
      [](const ParameterValues& parameters, const StreamShape& shape) {
        CommitteeOptions options;
        options.trees = static_cast<size_t>(parameters.Integer("trees"));
        options.rate = 6;
        options.on_change = CommitteeOptions::OnChange::kReplaceTree;
        options.warning_delta = parameters.Number("warning_delta");
        options.change_delta = parameters.Number("change_delta");
        options.growth = ReadGrowth(parameters);
        const auto columns = static_cast<size_t>(parameters.Integer("columns"));
        options.growth.subspace = columns > 0 ? columns : DefaultColumns(shape);
        return options;
      },
      &info);
  return info;
}

const bool registered = Learners().Add("adaptive_random_forest", MakeAdaptiveRandomForest());

}  // namespace
}  // namespace everlearn
