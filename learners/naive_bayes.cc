// naive_bayes: classes from features that are taken as independent. Fits in one pass; good with few rows and many weak features; its
// probabilities are too sure of themselves, its order is often good.
//
// Maron, Automatic indexing, 1961; Mitchell, Machine learning, 1997, chapter 6. Means and variances of a class are drawn towards those of
// all rows by `prior_rows`, shares of categories by Laplace's rule of succession with `smoothing`.
#include <algorithm>
#include <cmath>

#include "kernels/moments.h"
#include "learner/learner.h"
#include "model/naive_bayes.h"

namespace everlearn {

namespace {

std::vector<Parameter> Declare() {
  constexpr auto kLog = ParameterScale::kLog;
  return {{.name = "prior_rows",
           .value = 1,
           .low = 1e-9,
           .high = 1000,
           .scale = kLog,
           .doc = "Rows of all classes that a class's mean and variance begin with.",
           .search = SearchRange{0.1, 100}},
          {.name = "smoothing",
           .value = 1,
           .low = 1e-9,
           .high = 1000,
           .scale = kLog,
           .doc = "Rows that each category begins with in each class.",
           .search = SearchRange{0.1, 100}}};
}

class NaiveBayesFit {
 public:
  NaiveBayesFit(const TrainingRows& training, const ParameterValues& values)
      : data_(*training.data), rows_(training.rows), prior_rows_(values.Number("prior_rows")), smoothing_(values.Number("smoothing")) {}

  std::shared_ptr<const Model> Run() {
    CountClasses();
    model_.begin = {0};
    for (size_t j = 0; j < data_.features(); ++j) {
      model_.is_category.push_back(data_.is_category(j));
      data_.is_category(j) ? AddCategory(j) : AddNumber(j);
      model_.begin.push_back(model_.log_share.size() / classes());
    }
    return MakeNaiveBayes(std::move(model_));
  }

 private:
  size_t classes() const { return data_.outputs(); }
  size_t ClassOf(uint32_t row) const { return static_cast<size_t>(data_.target()[row]); }

  // Weights of mean 1, so that a prior counts rows.
  double WeightOf(uint32_t row) const { return data_.weight(row) * factor_; }

  void CountClasses() {
    double sum = 0;
    for (const uint32_t row : rows_) sum += data_.weight(row);
    factor_ = sum > 0 ? static_cast<double>(rows_.size()) / sum : 1;
    std::vector<double> count(classes(), 0.5);
    for (const uint32_t row : rows_) count[ClassOf(row)] += WeightOf(row);
    const double total = static_cast<double>(rows_.size()) + 0.5 * static_cast<double>(classes());
    for (const double c : count) model_.log_prior.push_back(std::log(c / total));
  }

  void AddNumber(size_t feature) {
    const auto value = [&](size_t i) { return data_.row(rows_[i])[feature]; };
    const Moments all = MomentsOf(rows_.size(), value, [&](size_t i) { return WeightOf(rows_[i]); });
    std::vector<double> there(classes(), 0.0), missing(classes(), 0.0), sum(classes(), 0.0), squares(classes(), 0.0);
    const auto standardised = [&](uint32_t row) {
      return std::clamp((data_.row(row)[feature] - all.mean) / all.deviation, -kNormalLimit, kNormalLimit);
    };
    for (const uint32_t row : rows_) {
      const size_t k = ClassOf(row);
      const bool is_missing = std::isnan(data_.row(row)[feature]);
      (is_missing ? missing : there)[k] += WeightOf(row);
      if (!is_missing) sum[k] += WeightOf(row) * standardised(row);
    }
    for (size_t k = 0; k < classes(); ++k) sum[k] /= there[k] + prior_rows_;  // now the mean
    for (const uint32_t row : rows_) {
      if (std::isnan(data_.row(row)[feature])) continue;
      const double difference = standardised(row) - sum[ClassOf(row)];
      squares[ClassOf(row)] += WeightOf(row) * difference * difference;
    }
    for (size_t k = 0; k < classes(); ++k) {
      const double variance = (squares[k] + prior_rows_) / (there[k] + prior_rows_);
      model_.mean.push_back(all.mean + all.deviation * sum[k]);
      model_.deviation.push_back(all.deviation * std::sqrt(variance));
    }
    AddShares({there, missing});
  }

  void AddCategory(size_t feature) {
    const size_t codes = data_.dictionary_size(feature);
    std::vector<std::vector<double>> counts(codes + 1, std::vector<double>(classes(), 0.0));
    for (const uint32_t row : rows_) {
      const double x = data_.row(row)[feature];
      if (!(x < static_cast<double>(codes)) && x >= 0) continue;
      counts[x >= 0 ? static_cast<size_t>(x) : codes][ClassOf(row)] += WeightOf(row);
    }
    model_.mean.insert(model_.mean.end(), classes(), 0.0);
    model_.deviation.insert(model_.deviation.end(), classes(), 1.0);
    AddShares(counts);
  }

  // Logarithms of the smoothed shares of each value in each class; values that no row has are left out of the sum, and add nothing.
  void AddShares(const std::vector<std::vector<double>>& counts) {
    std::vector<double> total(classes(), 0.0);
    std::vector<bool> occurs;
    for (const std::vector<double>& count : counts) {
      occurs.push_back(std::any_of(count.begin(), count.end(), [](double c) { return c > 0; }));
      for (size_t k = 0; k < classes(); ++k) total[k] += count[k] + (occurs.back() ? smoothing_ : 0);
    }
    for (size_t v = 0; v < counts.size(); ++v) {
      for (size_t k = 0; k < classes(); ++k) {
        model_.log_share.push_back(occurs[v] ? std::log((counts[v][k] + smoothing_) / total[k]) : 0.0);
      }
    }
  }

  const Dataset& data_;
  std::span<const uint32_t> rows_;
  double prior_rows_, smoothing_, factor_ = 1;
  NaiveBayesParameters model_;
};

const bool registered = Learners().Add(
    "naive_bayes",
    LearnerInfo{.summary = "Classes from features taken as independent: one pass, good with few rows and many weak features.",
                .paper = "Maron, M. (1961). Automatic indexing: an experimental inquiry. Journal of the ACM 8.",
                .parameters = Declare(),
                .binary = true,
                .multiclass = true,
                .weights = true,
                // Five passes over the values, 5 ns each.
                .cost_units = [](double rows, double features, double, const ParameterValues&) { return 2.5e-6 * rows * (features + 1); },
                .fit = [](const TrainingRows& training, const ParameterValues& values,
                          const FitOptions&) { return NaiveBayesFit(training, values).Run(); }});

}  // namespace

}  // namespace everlearn
