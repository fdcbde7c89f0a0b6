// Small data sets for the tests of tree learners: numbers, a number with missing values, a category, and noise-free targets of them.
#pragma once

#include <memory>
#include <numeric>
#include <vector>

#include "learner/learner.h"

namespace everlearn {

// Row i: 37i mod 101, 53i mod 97 (missing where 11 divides i), the category i mod 7. The sum 0.35·first + 0.2·second + 25·(category is odd)
// + 29i mod 13 is the target; classes are cut from it.
inline std::unique_ptr<Dataset> MakeTreeTestData(size_t rows, size_t classes, std::vector<double> weights = {}) {
  std::vector<double> values, target;
  for (size_t i = 0; i < rows; ++i) {
    const auto a = static_cast<double>(i * 37 % 101);
    const auto b = static_cast<double>(i * 53 % 97);
    const auto category = static_cast<double>(i % 7);
    values.insert(values.end(), {a, i % 11 == 0 ? kMissing : b, category});
    const double score = 0.35 * a + 0.2 * b + (i % 7 % 2 == 1 ? 25 : 0) + static_cast<double>(i * 29 % 13);
    if (classes == 0) target.push_back(score);
    if (classes == 2) target.push_back(score > 45 ? 1 : 0);
    if (classes == 1 || classes > 2) target.push_back(static_cast<double>(std::min(classes - 1, static_cast<size_t>(score / 25))));
  }
  return std::make_unique<Dataset>(std::vector<bool>{false, false, true}, std::vector<size_t>{0, 0, 7}, values, target, std::move(weights),
                                   classes);
}

inline std::vector<uint32_t> AllRows(const Dataset& data) {
  std::vector<uint32_t> rows(data.rows());
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

inline std::shared_ptr<const Model> FitWith(const std::string& learner, const Dataset& data, const std::vector<uint32_t>& rows,
                                            const std::map<std::string, std::string>& settings = {}, const FitOptions& options = {}) {
  ParameterValues values(Learners().Get(learner).parameters);
  for (const auto& [name, value] : settings) values.Set(learner, name, value);
  return FitLearner(learner, {&data, rows}, values, options);
}

inline std::vector<double> PredictAll(const Model& model, const Dataset& data) {
  std::vector<double> out(data.rows() * model.outputs());
  model.Predict(data.view(), out.data());
  return out;
}

// Mean squared error of values, or of probabilities against indicators of the class.
inline double MeanSquaredError(const std::vector<double>& predictions, const Dataset& data) {
  double sum = 0;
  const size_t outputs = data.outputs();
  for (size_t i = 0; i < data.rows(); ++i) {
    for (size_t k = 0; k < outputs; ++k) {
      const double truth = data.classes() == 0 ? data.target()[i] : (data.target()[i] == static_cast<double>(k) ? 1 : 0);
      const double error = predictions[i * outputs + k] - truth;
      sum += error * error;
    }
  }
  return sum / static_cast<double>(data.rows());
}

}  // namespace everlearn
