// Naive Bayes: the features are independent given the class, numbers normal with a mean and deviation of each class.
//
// Maron, Automatic indexing: an experimental inquiry, J. ACM 8 (1961). A category, and whether a number is missing, add the logarithm of
// their probability; a category that training did not see adds nothing. Standardised numbers are held inside ±kNormalLimit. Immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/model.h"

namespace everlearn {

constexpr double kNormalLimit = 1e6;

struct NaiveBayesParameters {
  std::vector<uint8_t> is_category;     // one a feature
  std::vector<double> log_prior;        // one a class
  std::vector<double> mean, deviation;  // features × classes, of numbers
  // Feature after feature: a number 2 × classes (it is there, it is missing), a category with n codes (n + 1) × classes (each, missing).
  std::vector<double> log_share;
  std::vector<uint64_t> begin;  // features + 1: places in log_share, in columns of one number a class
};

// Throws kDamaged where sizes or numbers are wrong.
std::shared_ptr<const Model> MakeNaiveBayes(NaiveBayesParameters parameters);

}  // namespace everlearn
