// adaptive_random_forest: trees that each see a random weight of every row and, in every leaf, a random few of the columns; a tree whose
// error grows is replaced by one that was begun at the first sign of it. Good for streams of nearly any kind whose concept changes.
//
// Gomes et al., Adaptive random forests for evolving data stream classification (2017); of a value, Gomes et al., Adaptive random forests
// for data stream regression (2018). Trees say probabilities, not votes, and so fewer of them are as good as the paper's hundred.
#include "learners/tree_committee.h"

namespace everlearn {
namespace {

LearnerInfo MakeAdaptiveRandomForest() {
  LearnerInfo info;
  info.summary = "A forest that learns row by row and replaces trees whose error grows; for streams that change.";
  info.paper = "Gomes et al., Adaptive random forests for evolving data stream classification (2017)";
  info.parameters = {
      {"trees", ParameterType::kInteger, 25, 1, 1000, ParameterScale::kLog, {}, "Trees; each costs the same time."},
      {"columns",
       ParameterType::kInteger,
       0,
       0,
       100000,
       ParameterScale::kLinear,
       {},
       "Columns that a leaf watches; 0: the square root of all, and one."},
      {"grace", ParameterType::kNumber, 50, 10, 1e5, ParameterScale::kLog, {}, "Weight of a leaf's rows between two looks for a split."},
      {"delta", ParameterType::kNumber, 0.01, 1e-12, 0.5, ParameterScale::kLog, {}, "Probability that a split is not the best."},
      {"tie",
       ParameterType::kNumber,
       0.05,
       0,
       1,
       ParameterScale::kLinear,
       {},
       "Below this bound the best split is taken, though another is as good."},
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
  info.binary = info.multiclass = info.regression = true;
  info.exceptions = {"ColumnOrderDoesNotMatter: the columns of a leaf are drawn by their position"};
  info.cost_units = [](double rows, double features, double outputs, const ParameterValues& parameters) {
    return 0.05 + static_cast<double>(parameters.Integer("trees")) * rows * (5e-5 + 2e-6 * std::sqrt(features) * outputs);
  };
  StartCommittees(
      [](const ParameterValues& parameters, const StreamShape& shape) {
        CommitteeOptions options;
        options.trees = static_cast<size_t>(parameters.Integer("trees"));
        options.rate = 6;
        options.on_change = CommitteeOptions::OnChange::kReplaceTree;
        options.warning_delta = parameters.Number("warning_delta");
        options.change_delta = parameters.Number("change_delta");
        options.growth.grace = parameters.Number("grace");
        options.growth.delta = parameters.Number("delta");
        options.growth.tie = parameters.Number("tie");
        const auto columns = static_cast<size_t>(parameters.Integer("columns"));
        const double root = std::sqrt(static_cast<double>(shape.features()));
        options.growth.subspace = columns > 0 ? columns : static_cast<size_t>(std::lround(root)) + 1;
        return options;
      },
      &info);
  return info;
}

const bool registered = Learners().Add("adaptive_random_forest", MakeAdaptiveRandomForest());

}  // namespace
}  // namespace everlearn
