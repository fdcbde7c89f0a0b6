// The hand-written portfolio: kinds of model that are unlike each other first, then styles of each. Where the built-in experience knows a
// learner, its own order goes before this one.
#include "search/portfolio.h"

namespace everlearn {

using Only = PortfolioEntry::Only;

const std::vector<PortfolioEntry>& DefaultPortfolio() {
  static const std::vector<PortfolioEntry> entries{
      {"gradient_boosting", {{"trees", 2000}, {"learning_rate", 0.1}}},
      // The curvature of a class that is rare or well known is next to nothing: leaves of little curvature take absurd values.
      {"gradient_boosting",
       {{"trees", 2000}, {"learning_rate", 0.1}, {"leaves", 128}, {"feature_fraction", 0.6}, {"min_sum_hessian", 1}},
       Only::kManyClasses},
      {"linear", {}},
      {"symmetric_boosting", {}},
      {"neural_network", {}},
      {"gradient_boosting", {{"trees", 2000}, {"learning_rate", 0.05}, {"extra_trees", true}, {"leaves", 64}, {"feature_fraction", 0.8}}},
      {"nearest_neighbours", {}},
      {"gradient_boosting", {{"trees", 2000}, {"learning_rate", 0.05}, {"generated", 8}}},
      {"gradient_boosting", {{"trees", 2000}, {"learning_rate", 0.05}, {"linear_leaves", true}}},
      {"gradient_boosting", {{"trees", 2000}, {"learning_rate", 0.05}, {"loss", "tweedie"}}, Only::kValues},
      {"neural_network", {{"dropout", 0.3}, {"weight_decay", 0.1}}},
      {"gradient_boosting", {{"trees", 2000}, {"learning_rate", 0.05}, {"leaves", 8}, {"l2", 10}, {"feature_fraction", 0.6}}},
      {"extra_trees", {}},
      {"symmetric_boosting", {{"rounds", 1000}, {"learning_rate", 0.05}}},
      {"gradient_boosting",
       {{"trees", 2000}, {"learning_rate", 0.03}, {"leaves", 128}, {"feature_fraction", 0.7}, {"bagging_fraction", 0.8}}},
      {"random_forest", {}},
      {"neural_network", {{"learning_rate", 0.02}}},
      {"gradient_boosting",
       {{"trees", 2000},
        {"learning_rate", 0.05},
        {"cat_smooth", 60},
        {"cat_l2", 30},
        {"min_data_per_group", 20},
        {"max_cat_to_onehot", 8}}},
      {"linear", {{"splines", 8}}},
      {"gradient_boosting", {{"trees", 2000}, {"learning_rate", 0.05}, {"target_encoding", "crosses"}}},
      {"gradient_boosting", {{"trees", 2000}, {"learning_rate", 0.05}, {"leaves", 31}, {"min_data_in_leaf", 5}, {"feature_fraction", 0.5}}},
      {"gradient_boosting", {{"trees", 2000}, {"learning_rate", 0.05}, {"loss", "poisson"}}, Only::kValues},
      {"linear", {{"l2", 300}}},
      {"random_forest", {{"feature_fraction", 0.3}, {"min_data_in_leaf", 1}, {"trees", 300}}},
      {"gradient_boosting", {{"trees", 2000}, {"learning_rate", 0.03}, {"leaves", 16}, {"extra_trees", true}, {"min_data_in_leaf", 10}}},
      {"naive_bayes", {}},
      {"decision_tree", {}}};
  return entries;
}

}  // namespace everlearn
