// hoeffding_tree: a decision tree that learns each row once and never forgets, with naive Bayes in its leaves (of a value: linear models).
// Good for steady streams of many rows, and cheap; where the concept changes, its forests and the adaptive tree follow and this one does
// not.
//
// Domingos & Hulten, Mining high-speed data streams (2000); of a value, Ikonomovska, Gama & Džeroski, Learning model trees from evolving
// data streams (2011). Other than there, what is tied is split only where the best split is better than none by a test of the ratio of
// likelihoods, whose level is no parameter; so a concept that no column shows by itself, as an exclusive or, waits long for its first
// split.
#include "learners/tree_committee.h"

namespace everlearn {
namespace {

LearnerInfo MakeHoeffdingTree() {
  LearnerInfo info;
  info.summary = "A decision tree that learns row by row; for steady streams of many rows.";
  info.paper = "Domingos & Hulten, Mining high-speed data streams (2000)";
  info.parameters = GrowthParameters({.grace = 200, .delta = 1e-7, .tie = 0.2});
  info.binary = info.multiclass = info.regression = true;
  info.cost_units = [](double rows, double features, double outputs, const ParameterValues&) {
    return CommitteeCost(rows, 1, features, outputs);
  };
  StartCommittees(
      [](const ParameterValues& parameters, const StreamShape&) {
        CommitteeOptions options;
        options.growth = ReadGrowth(parameters);
        return options;
      },
      &info);
  return info;
}

const bool registered = Learners().Add("hoeffding_tree", MakeHoeffdingTree());

}  // namespace
}  // namespace everlearn
