// streaming_random_patches: trees that each see a random weight of every row and a random part of the columns; a tree whose error grows is
// replaced by one on other columns that was begun at the first sign of it. Good for streams with many columns, or few rows a class.
//
// Gomes, Read & Bifet, Streaming random patches for evolving data stream classification (2019); of a value, Gomes et al., On ensemble
// techniques for data stream regression (2020). Trees say probabilities, not votes.
#include "learners/tree_committee.h"

namespace everlearn {
namespace {

LearnerInfo MakeStreamingRandomPatches() {
  LearnerInfo info;
  info.summary =
      "Trees on random parts of the columns that learn row by row and are replaced when their error grows; for streams that change.";
  info.paper = "Gomes, Read & Bifet, Streaming random patches for evolving data stream classification (2019)";
  info.parameters = {
      {"trees", ParameterType::kInteger, 20, 1, 1000, ParameterScale::kLog, {}, "Trees; each costs the same time."},
      {"patch", ParameterType::kNumber, 0.6, 0.01, 1, ParameterScale::kLinear, {}, "Share of the columns that a tree sees."},
      {"warning_delta",
       ParameterType::kNumber,
       0.0001,
       1e-10,
       0.5,
       ParameterScale::kLog,
       {},
       "Of the detector that begins a tree in the background."},
      {"change_delta", ParameterType::kNumber, 0.00001, 1e-10, 0.5, ParameterScale::kLog, {}, "Of the detector that replaces a tree."},
  };
  for (const Parameter& parameter : GrowthParameters({.grace = 50, .delta = 0.01, .tie = 0.1})) info.parameters.push_back(parameter);
  info.binary = info.multiclass = info.regression = true;
  info.exceptions = {"ColumnOrderDoesNotMatter: the columns of a tree are drawn by their position"};
  info.cost_units = [](double rows, double features, double outputs, const ParameterValues& parameters) {
    return CommitteeCost(rows, static_cast<double>(parameters.Integer("trees")), parameters.Number("patch") * features, outputs);
  };
  StartCommittees(
      [](const ParameterValues& parameters, const StreamShape&) {
        CommitteeOptions options;
        options.trees = static_cast<size_t>(parameters.Integer("trees"));
        options.rate = 6;
        options.on_change = CommitteeOptions::OnChange::kReplaceTree;
        options.patch = parameters.Number("patch");
        options.warning_delta = parameters.Number("warning_delta");
        options.change_delta = parameters.Number("change_delta");
        options.growth = ReadGrowth(parameters);
        return options;
      },
      &info);
  return info;
}

const bool registered = Learners().Add("streaming_random_patches", MakeStreamingRandomPatches());

}  // namespace
}  // namespace everlearn
