// The hand-written portfolio: kinds of model that are unlike each other first, then styles of each. Where the built-in experience knows a
// learner, its own order goes before this one.
#include "search/portfolio.h"

namespace everlearn {

const std::vector<PortfolioEntry>& DefaultPortfolio() {
  static const std::vector<PortfolioEntry> entries{
      {"gradient_boosting", {{"trees", 2000}, {"learning_rate", 0.1}}},
      {"linear", {}},
      {"random_forest", {}},
      {"symmetric_boosting", {}},
      {"neural_network", {}},
      {"gradient_boosting", {{"trees", 2000}, {"learning_rate", 0.05}, {"extra_trees", true}, {"leaves", 64}, {"feature_fraction", 0.8}}},
      {"gradient_boosting",
       {{"trees", 2000}, {"learning_rate", 0.05}, {"target_encoding", "crosses"}, {"leaves", 16}, {"feature_fraction", 0.6}}},
      {"extra_trees", {}},
      {"linear", {{"splines", 8}, {"crosses", 20}}},
      {"gradient_boosting", {{"trees", 2000}, {"learning_rate", 0.05}, {"leaves", 8}, {"l2", 10}, {"feature_fraction", 0.6}}},
      {"nearest_neighbours", {}},
      {"neural_network", {{"layers", 3}, {"embedding_width", 16}, {"learning_rate", 0.001}, {"dropout", 0.2}}},
      {"gradient_boosting",
       {{"trees", 2000}, {"learning_rate", 0.03}, {"leaves", 128}, {"feature_fraction", 0.7}, {"bagging_fraction", 0.8}}},
      {"symmetric_boosting", {{"depth", 8}, {"l2", 10}}},
      {"gradient_boosting",
       {{"trees", 2000},
        {"learning_rate", 0.05},
        {"cat_smooth", 60},
        {"cat_l2", 30},
        {"min_data_per_group", 20},
        {"max_cat_to_onehot", 8}}},
      {"gradient_boosting", {{"trees", 2000}, {"learning_rate", 0.05}, {"leaves", 31}, {"min_data_in_leaf", 5}, {"feature_fraction", 0.5}}},
      {"extra_trees", {{"feature_fraction", 1}, {"min_data_in_leaf", 3}}},
      {"linear", {{"l2", 30}}},
      {"random_forest", {{"feature_fraction", 0.3}, {"min_data_in_leaf", 1}, {"trees", 300}}},
      {"gradient_boosting", {{"trees", 2000}, {"learning_rate", 0.03}, {"leaves", 16}, {"extra_trees", true}, {"min_data_in_leaf", 10}}},
      {"neural_network", {{"activation", "silu"}, {"embedding_width", 0}, {"weight_decay", 0.1}}},
      {"symmetric_boosting", {{"depth", 4}, {"l2", 1}}},
      {"nearest_neighbours", {{"neighbours", 5}, {"relevance", 1}}},
      {"naive_bayes", {}},
      {"decision_tree", {}},
      {"stochastic_gradient", {}}};
  return entries;
}

}  // namespace everlearn
