// online_naive_bayes: classes from features that are taken as independent, counted row by row with forgetting. Good with few rows, many
// weak features, and as the quickest learner of a new concept; its order of the classes is better than its probabilities, which are
// tempered.
//
// Maron, Automatic indexing: an experimental inquiry, J. ACM 8 (1961); numbers are normal in each class. Means and variances of a class are
// drawn towards those of all rows by `prior_rows`, shares of categories and of missing values by Laplace's rule with `smoothing`. A row's
// part fades as (1 - forgetting)^age: weights grow instead of fading, and all are divided before they get too large. Beside the memory that
// fades stands one that keeps all rows; the one whose recent log-loss is the lesser speaks.
#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "kernels/running_moments.h"
#include "learner/learner.h"
#include "model/link.h"
#include "model/naive_bayes.h"
#include "statistics/temperature_scaling.h"

namespace everlearn {
namespace {

constexpr double kLargestGrowth = 1e12;    // of the weights, before all are divided by it
constexpr double kLargestWeight = 1e6;     // of a row, relative to the mean
constexpr double kLeastVariance = 1e-200;  // below it there is none
constexpr size_t kMostCells = 1'900'000;   // of counts of categories, 15 MB a memory; a new category beyond them says nothing
constexpr double kLossFades = 0.002;       // of the losses that the memories are compared by

struct Settings {
  double forgetting, prior_rows, smoothing;
};

void CheckState(bool holds) {
  if (!holds) throw Error(ErrorKind::kDamaged, "a state of online_naive_bayes does not fit its features or classes");
}

// How many rows took each value of a feature: of a number "it is there" and "it is missing", of a category "missing", then the codes.
struct ValueCounts {
  std::vector<double> cells;  // values × (classes + 1), the last column of all classes
  std::vector<double> total;  // classes
  double occurring = 0;       // values that some row had
};

struct Normal {
  double mean, variance;
};

// The counts of the rows, with one rate of forgetting.
class Memory {
 public:
  Memory(const StreamShape& shape, const Settings& settings)
      : settings_(settings),
        is_category_(shape.is_category),
        features_(shape.features()),
        classes_(shape.classes),
        columns_(classes_ + 1),
        class_rows_(columns_),
        count_(features_ * columns_),
        mean_(features_ * columns_),
        squares_(features_ * columns_),
        values_(features_),
        scores_(classes_),
        products_(classes_),
        probabilities_(classes_) {
    for (size_t j = 0; j < features_; ++j) {
      values_[j].cells.resize((is_category_[j] ? 1 : 2) * columns_);
      values_[j].total.resize(classes_);
    }
  }

  void Predict(const double* row, double* out) const {
    Score(row);
    for (size_t k = 0; k < classes_; ++k) out[k] = temperature_.Get() * scores_[k];
    ApplyLink(Link::kSoftmax, out, classes_, 1.0, out);
  }

  // Returns the log-loss before the row is learnt.
  double Learn(const double* row, size_t happened, double weight) {
    Predict(row, probabilities_.data());
    const double loss = -std::log(std::max(probabilities_[happened], kLeastProbability));
    const double best = *std::max_element(scores_.begin(), scores_.end());
    for (double& score : scores_) score = std::max(score - best, -kLeastScore);
    if (class_rows_[classes_] > 0) temperature_.Add(scores_.data(), probabilities_.data(), classes_, happened);
    growth_ /= 1 - settings_.forgetting;
    if (growth_ > kLargestGrowth) Rescale();
    weight_ += std::min(weight, 1e200);
    learnt_ += 1;
    const double grown = growth_ * std::min(weight / (weight_ / learnt_), kLargestWeight);
    class_rows_[happened] += grown;
    class_rows_[classes_] += grown;
    for (size_t j = 0; j < features_; ++j) {
      if (is_category_[j]) {
        CountValue(j, row[j] >= 0 ? std::min(row[j], 1e15) + 1 : 0, happened, grown);
      } else {
        CountValue(j, std::isnan(row[j]) ? 1 : 0, happened, grown);
        if (!std::isnan(row[j])) CountNumber(j, row[j], happened, grown);
      }
    }
    return loss;
  }

  void Save(ByteWriter* to) const {
    ByteWriter& out = *to;
    out.PutAll(class_rows_);
    out.PutAll(count_);
    out.PutAll(mean_);
    out.PutAll(squares_);
    for (const ValueCounts& values : values_) {
      out.PutAll(values.cells);
      out.PutAll(values.total);
      out.Put(values.occurring);
    }
    out.Put(growth_);
    out.Put(weight_);
    out.Put(learnt_);
    temperature_.Save(&out);
  }

  // Throws kDamaged where the state is not one of this shape.
  void Load(ByteReader* from) {
    ByteReader& in = *from;
    const auto all_counts = [](const std::vector<double>& counts) {
      return std::all_of(counts.begin(), counts.end(), [](double c) { return c >= 0 && c < 1e100; });
    };
    class_rows_ = in.GetAll<double>();
    count_ = in.GetAll<double>();
    mean_ = in.GetAll<double>();
    squares_ = in.GetAll<double>();
    CheckState(class_rows_.size() == columns_ && all_counts(class_rows_) && all_counts(count_));
    for (const auto* field : {&count_, &mean_, &squares_}) CheckState(field->size() == features_ * columns_);
    for (const double mean : mean_) CheckState(std::isfinite(mean));
    for (const double squares : squares_) CheckState(squares >= 0 && std::isfinite(squares));
    for (size_t j = 0; j < features_; ++j) {
      ValueCounts& values = values_[j];
      const size_t least = values.cells.size();
      cells_ -= least;
      values.cells = in.GetAll<double>();
      values.total = in.GetAll<double>();
      values.occurring = in.Get<double>();
      const size_t size = values.cells.size();
      CheckState(size >= least && size % columns_ == 0 && (is_category_[j] || size == least) && values.total.size() == classes_);
      CheckState(all_counts(values.cells) && all_counts(values.total) && values.occurring >= 0);
      cells_ += size;
    }
    growth_ = in.Get<double>();
    weight_ = in.Get<double>();
    learnt_ = in.Get<double>();
    temperature_.Load(&in);
    CheckState(growth_ >= 1 && growth_ <= kLargestGrowth && weight_ >= 0 && learnt_ >= 0);
  }

  std::shared_ptr<const Model> Snapshot() const {
    NaiveBayesParameters model;
    const double temperature = temperature_.Get();
    model.begin = {0};
    for (size_t k = 0; k < classes_; ++k) model.log_prior.push_back(temperature * std::log(Prior(k)));
    for (size_t j = 0; j < features_; ++j) {
      model.is_category.push_back(is_category_[j]);
      const size_t values = values_[j].cells.size() / columns_;
      for (size_t v = 0; v < values; ++v) {
        const size_t value = is_category_[j] ? (v + 1) % values : v;  // the model has missing categories last
        for (size_t k = 0; k < classes_; ++k) model.log_share.push_back(temperature * std::log(Share(j, value, k)));
      }
      for (size_t k = 0; k < classes_; ++k) {
        const Normal normal = is_category_[j] ? Normal{0, 1} : NormalOf(j, k, NormalOfAll(j));
        const double deviation = std::sqrt(normal.variance);
        model.mean.push_back(normal.mean);
        model.deviation.push_back(deviation / std::sqrt(temperature));  // tempers the exponent; the share the rest
        if (!is_category_[j])
          model.log_share[model.begin.back() * classes_ + k] += std::log(model.deviation.back()) - temperature * std::log(deviation);
      }
      model.begin.push_back(model.log_share.size() / classes_);
    }
    return MakeNaiveBayes(std::move(model));
  }

 private:
  static constexpr double kLeastScore = 50;  // below the best; farther ones teach the temperature nothing more
  static constexpr double kLeastProbability = 1e-4;
  static constexpr double kLeastProduct = 1e-80;  // times the largest variance's inverse it is still a number

  double Rows(double grown) const { return grown / growth_; }

  double Prior(size_t k) const {
    return (Rows(class_rows_[k]) + 0.5) / (Rows(class_rows_[classes_]) + 0.5 * static_cast<double>(classes_));
  }

  // 1 where no row had the value.
  double Share(size_t feature, size_t value, size_t k) const {
    const ValueCounts& values = values_[feature];
    if (!(values.cells[value * columns_ + classes_] > 0)) return 1;
    return (Rows(values.cells[value * columns_ + k]) + settings_.smoothing) /
           (Rows(values.total[k]) + settings_.smoothing * values.occurring);
  }

  Normal NormalOfAll(size_t feature) const {
    const size_t all = feature * columns_ + classes_;
    const double variance = count_[all] > 0 ? squares_[all] / count_[all] : 0;
    return {mean_[all], variance > kLeastVariance ? variance : 1};
  }

  Normal NormalOf(size_t feature, size_t k, const Normal& all) const {
    const size_t at = feature * columns_ + k;
    if (!(count_[feature * columns_ + classes_] > 0)) return {0, 1};
    const double prior = settings_.prior_rows, rows = Rows(count_[at]), part = 1 / (rows + prior);
    const double mean = (rows * mean_[at] + prior * all.mean) * part, moved = mean_[at] - mean;
    const double variance = (Rows(squares_[at]) + rows * moved * moved + prior * all.variance) * part;
    return {mean, std::max(variance, kLeastVariance)};
  }

  // Logarithms of the joint densities, not tempered: half of the logarithm of a product of squares, which is taken where the product gets
  // large or small, and at the end. One logarithm a feature would be most of the work.
  void Score(const double* row) const {
    std::fill(scores_.begin(), scores_.end(), 0.0);
    for (size_t k = 0; k < classes_; ++k) products_[k] = Prior(k) * Prior(k);
    for (size_t j = 0; j < features_; ++j) {
      const double x = row[j];
      const bool missing = is_category_[j] ? !(x >= 0) : std::isnan(x);
      const size_t known = values_[j].cells.size() / columns_ - 1;
      if (is_category_[j]) {
        if (missing || x < static_cast<double>(known)) MultiplyShares(j, missing ? 0 : static_cast<size_t>(x) + 1);
        continue;
      }
      if (values_[j].occurring > 1) MultiplyShares(j, missing ? 1 : 0);
      if (!missing) MultiplyDensities(j, x);
    }
    for (size_t k = 0; k < classes_; ++k) scores_[k] += 0.5 * std::log(products_[k]);
  }

  void Multiply(size_t k, double factor) const {
    double& product = products_[k];
    product *= factor;
    if (product > kLeastProduct && product < 1 / kLeastProduct) return;
    scores_[k] += 0.5 * std::log(product);
    product = 1;
  }

  void MultiplyShares(size_t feature, size_t value) const {
    for (size_t k = 0; k < classes_; ++k) {
      const double share = Share(feature, value, k);
      Multiply(k, share * share);
    }
  }

  void MultiplyDensities(size_t feature, double x) const {
    const Normal all = NormalOfAll(feature);
    const double most = kNormalLimit * kNormalLimit / temperature_.Get();  // as in the snapshot, which holds what is tempered
    for (size_t k = 0; k < classes_; ++k) {
      const Normal normal = NormalOf(feature, k, all);
      const double from_mean = x - normal.mean, part = 1 / normal.variance, squared = from_mean * from_mean * part;
      scores_[k] -= 0.5 * (squared < most ? squared : most);
      Multiply(k, part);
    }
  }

  void CountValue(size_t feature, double value, size_t happened, double grown) {
    ValueCounts& values = values_[feature];
    const size_t places = kMostCells / columns_;
    if (!(value < static_cast<double>(places))) return;
    const size_t at = static_cast<size_t>(value) * columns_;
    if (at >= values.cells.size()) {
      const size_t more = at + columns_ - values.cells.size();
      if (cells_ + more > kMostCells) return;
      cells_ += more;
      values.cells.resize(at + columns_);
    }
    if (values.cells[at + classes_] == 0) values.occurring += 1;
    values.cells[at + happened] += grown;
    values.cells[at + classes_] += grown;
    values.total[happened] += grown;
  }

  void CountNumber(size_t feature, double x, size_t happened, double grown) {
    const size_t all = feature * columns_ + classes_;
    double held = std::clamp(x, -kLargestStreamValue, kLargestStreamValue);
    if (Rows(count_[all]) >= kRowsBeforeOutliers && squares_[all] > 0) {
      const double reach = kOutlierDeviations * std::sqrt(squares_[all] / count_[all]);
      held = std::clamp(held, mean_[all] - reach, mean_[all] + reach);
    }
    for (const size_t at : {feature * columns_ + happened, all}) {
      count_[at] += grown;
      const double from_mean = held - mean_[at];
      mean_[at] += from_mean * (grown / count_[at]);
      squares_[at] += grown * from_mean * (held - mean_[at]);
    }
  }

  void Rescale() {
    const double factor = 1 / growth_;
    for (auto* field : {&class_rows_, &count_, &squares_})
      for (double& value : *field) value *= factor;
    for (ValueCounts& values : values_) {
      for (double& cell : values.cells) cell *= factor;
      for (double& total : values.total) total *= factor;
      values.occurring = 0;
      for (size_t at = classes_; at < values.cells.size(); at += columns_) values.occurring += values.cells[at] > 0 ? 1 : 0;
    }
    growth_ = 1;
  }

  Settings settings_;
  std::vector<bool> is_category_;
  size_t features_, classes_, columns_;
  double growth_ = 1;                           // weight of the newest row; all counts are in it
  double weight_ = 0, learnt_ = 0;              // sum of all rows' weights, whose mean counts as one row, and their number
  std::vector<double> class_rows_;              // columns
  std::vector<double> count_, mean_, squares_;  // features × columns, of numbers
  std::vector<ValueCounts> values_;             // one a feature
  size_t cells_ = 0;                            // of values_, beyond the first ones
  TemperatureScaling temperature_;
  mutable std::vector<double> scores_, products_;
  std::vector<double> probabilities_;
};

class OnlineNaiveBayes final : public OnlineModel {
 public:
  OnlineNaiveBayes(const StreamShape& shape, Settings settings) {
    memories_.emplace_back(shape, settings);
    if (settings.forgetting > 0) {
      settings.forgetting = 0;
      memories_.emplace_back(shape, settings);
    }
    losses_.resize(memories_.size());
  }

  void Predict(const double* row, double* out) const override { Best().Predict(row, out); }

  void Learn(const double* row, double target, double weight) override {
    if (!(weight > 0) || !std::isfinite(target)) return;
    for (size_t m = 0; m < memories_.size(); ++m) {
      const double loss = memories_[m].Learn(row, static_cast<size_t>(target), weight);
      losses_[m] += kLossFades * (loss - losses_[m]);
    }
  }

  std::string State() const override {
    ByteWriter out;
    for (const Memory& memory : memories_) memory.Save(&out);
    out.PutAll(losses_);
    return out.Take();
  }

  // Throws kDamaged where the state is not one of this shape.
  void Restore(const std::string& state) {
    ByteReader in(state);
    for (Memory& memory : memories_) memory.Load(&in);
    losses_ = in.GetAll<double>();
    CheckState(losses_.size() == memories_.size() && in.done());
    for (const double loss : losses_) CheckState(std::isfinite(loss));
  }

  std::shared_ptr<const Model> Snapshot() const override { return Best().Snapshot(); }

 private:
  const Memory& Best() const { return memories_[std::min_element(losses_.begin(), losses_.end()) - losses_.begin()]; }

  std::vector<Memory> memories_;  // the one that fades, and where that is another, the one that does not
  std::vector<double> losses_;    // recent, one a memory
};

LearnerInfo MakeOnlineNaiveBayes() {
  constexpr auto kLog = ParameterScale::kLog;
  LearnerInfo info;
  info.summary = "Classes from features taken as independent, counted with forgetting; the quickest learner of a new concept.";
  info.paper = "Maron, Automatic indexing: an experimental inquiry, J. ACM 8 (1961)";
  info.parameters = {
      {"forgetting",
       ParameterType::kNumber,
       0.001,
       0,
       0.1,
       ParameterScale::kLinear,
       {},
       "Part of the past that fades with each row, in the one of two memories."},
      {"prior_rows", ParameterType::kNumber, 1, 1e-6, 1000, kLog, {}, "Rows of all classes in the mean and variance of a class."},
      {"smoothing", ParameterType::kNumber, 1, 1e-6, 1000, kLog, {}, "Rows that each category begins with in each class."},
  };
  info.binary = info.multiclass = true;
  info.weights = true;
  info.cost_units = [](double rows, double features, double outputs, const ParameterValues&) {
    return 0.05 + rows * (1e-5 + 3e-6 * features * (outputs + 1));
  };
  const auto settings = [](const ParameterValues& parameters) {
    return Settings{parameters.Number("forgetting"), parameters.Number("prior_rows"), parameters.Number("smoothing")};
  };
  info.start = [settings](const StreamShape& shape, const ParameterValues& parameters, uint64_t) {
    return std::make_unique<OnlineNaiveBayes>(shape, settings(parameters));
  };
  info.resume = [settings](const StreamShape& shape, const ParameterValues& parameters, const std::string& state) {
    auto model = std::make_unique<OnlineNaiveBayes>(shape, settings(parameters));
    model->Restore(state);
    return model;
  };
  return info;
}

const bool registered = Learners().Add("online_naive_bayes", MakeOnlineNaiveBayes());

}  // namespace
}  // namespace everlearn
