// leveraging_bagging: trees that each see a random weight of every row; when the error of any grows, the worst starts anew. Good for
// streams that change, with few columns.
//
// Bifet, Holmes & Pfahringer, Leveraging bagging for evolving data streams (2010). Trees say probabilities, not votes.
#include "learners/tree_committee.h"

namespace everlearn {
namespace {

LearnerInfo MakeLeveragingBagging() {
  LearnerInfo info;
  info.summary = "Trees on random weights of the rows, of which the worst starts anew when an error grows; for streams that change.";
  info.paper = "Bifet, Holmes & Pfahringer, Leveraging bagging for evolving data streams (2010)";
  info.parameters = {
      {"trees", ParameterType::kInteger, 10, 1, 1000, ParameterScale::kLog, {}, "Trees; each costs the same time."},
      {"change_delta", ParameterType::kNumber, 0.002, 1e-10, 0.5, ParameterScale::kLog, {}, "Of the detector on each tree's error."},
  };
  for (const Parameter& parameter : GrowthParameters({.grace = 200, .delta = 1e-7, .tie = 0.2})) info.parameters.push_back(parameter);
  info.binary = info.multiclass = true;
  info.cost_units = [](double rows, double features, double outputs, const ParameterValues& parameters) {
    return CommitteeCost(rows, static_cast<double>(parameters.Integer("trees")), features, outputs);
  };
  StartCommittees(
      [](const ParameterValues& parameters, const StreamShape&) {
        CommitteeOptions options;
        options.trees = static_cast<size_t>(parameters.Integer("trees"));
        options.rate = 6;
        options.on_change = CommitteeOptions::OnChange::kResetWorst;
        options.change_delta = parameters.Number("change_delta");
        options.growth = ReadGrowth(parameters);
        return options;
      },
      &info);
  return info;
}

const bool registered = Learners().Add("leveraging_bagging", MakeLeveragingBagging());

}  // namespace
}  // namespace everlearn
