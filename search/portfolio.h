// The portfolio: configurations in the order in which a search should try them on data like this.
//
// Pure functions; safe from any thread.
#pragma once

#include <vector>

#include "search/strategy.h"

namespace everlearn {

// A configuration of the hand-written portfolio, which stands where there is no experience with a learner.
struct PortfolioEntry {
  std::string learner;
  JsonObject parameters;                                              // those that are not at their defaults
  enum class Only { kAll, kValues, kManyClasses } only = Only::kAll;  // kValues: of regressions alone; kManyClasses: of more than two
};
const std::vector<PortfolioEntry>& DefaultPortfolio();

// The runs on data the most like this, in their order, with their best trials: what a strategy is given, so that its start stays fast
// however much was learnt. Empty without experience.
Experience MostAlike(const StrategyContext& context);

// Greedy (Feurer et al., Auto-Sklearn 2.0, 2022; Salinas & Erickson, TabRepo, 2024): the next is the configuration that lowers the mean
// over earlier runs of the best excess loss so far the most, for its predicted seconds; runs count by how much alike their data are. Behind
// those that lower it come the others by their mean excess loss. This order and the hand-written one are taken from in turn, the more often
// from this one the more runs on like data there are. Configurations of learners that are not allowed or not known are left out.
std::vector<Candidate> RankedPortfolio(const StrategyContext& context);

// How much worse than the best loss of a run, in [0, 1]: the binary logarithm of the ratio of both (with a small share of the constant
// model's loss added to each, so that differences near zero do not count), at most 1. A best loss below zero is the negative of a measure
// that is at most 1, and counts by its distance from that; where it is below −1, the share of the way to the constant model's loss counts.
double ExcessLoss(double loss, double best, double constant);

}  // namespace everlearn
