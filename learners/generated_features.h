// Chooses features to be made from others for another learner: of many sums, differences, products, ratios and distances from the means of
// categories, those that explain most of what single features leave unexplained.
//
// What single features explain is a sum of one curve a feature, fitted in rounds (Lou, Caruana & Gehrke, Intelligible models for
// classification and regression, KDD 2012). A candidate's curve is fitted to the rest on one half of the rows and counted on the other, and
// must gain there by clearly more than chance. No target enters a feature itself. Belongs to one fit and one thread.
#pragma once

#include <memory>
#include <vector>

#include "learner/learner.h"
#include "learners/extended_rows.h"
#include "model/generated_features.h"

namespace everlearn {

struct GeneratedFeaturesOptions {
  size_t most = 8;
  uint64_t seed = 0;
  std::span<const int8_t> monotone = {};  // one a feature, or empty: constrained ones make no others
};

class GeneratedFeatures {
 public:
  // `validation` are the rows, not trained on, that get the features as well.
  GeneratedFeatures(const TrainingRows& training, std::span<const uint32_t> validation, const GeneratedFeaturesOptions& options);

  // None was worth it.
  bool empty() const { return chosen_.empty(); }
  const std::vector<GeneratedFeature>& chosen() const { return chosen_; }
  // The same rows with the chosen features behind their own, in a data set that this object holds. Only where there are some.
  TrainingRows training() const { return {extended_.data.get(), extended_.training}; }
  std::span<const uint32_t> validation() const { return extended_.validation; }
  // A model of those features as one of the original features.
  std::shared_ptr<const Model> Wrap(std::shared_ptr<const Model> inner) const;

 private:
  void Choose(const GeneratedFeaturesOptions& options);
  std::vector<GeneratedFeature> Candidates(const std::vector<uint32_t>& numbers, const std::vector<uint32_t>& categories) const;
  void AddDistancesFromMeans(const std::vector<uint32_t>& numbers, const std::vector<uint32_t>& categories,
                             std::vector<GeneratedFeature>* candidates) const;

  TrainingRows source_;
  std::vector<GeneratedFeature> chosen_;
  ExtendedRows extended_;
};

// Looked at by one choice, for the costs of learners.
double GeneratedFeaturesUnits(double rows, double features);

}  // namespace everlearn
