// What the p-values of many tests say together.
//
// p-values lie in [0, 1]. Pure functions; any thread.
#pragma once

#include <vector>

namespace everlearn {

// Adjusted p-values in the order given: rejecting those up to α keeps the probability of any false rejection at α, however the tests depend
// on each other. Holm, A simple sequentially rejective multiple test procedure, 1979.
std::vector<double> HolmAdjusted(const std::vector<double>& p);

// One p-value for "all hypotheses are true" that many weak effects make small too. Liu & Xie, Cauchy combination test, 2020; its small
// values hold approximately under any dependence. A p above 0.99 counts as 0.99, so that one exact 1, as discrete data gives, does not
// outweigh all others (Fang et al., Heavy-tailed distribution for combining dependent p-values, 2023). 1 of none.
double CauchyCombination(const std::vector<double>& p);

}  // namespace everlearn
