// The contract of learners: parameters as data, capabilities as fields, one registration in the learner's own file.
//
// A Learner object is immutable and shared; Fit may run on several threads at once. An OnlineModel belongs to one thread.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/registry.h"
#include "learner/dataset.h"
#include "model/model.h"

namespace everlearn {

enum class ParameterType { kNumber, kInteger, kBoolean, kChoice };
enum class ParameterScale { kLinear, kLog };

struct SearchRange {
  double low = 0, high = 0;
};

struct Parameter {
  std::string name;
  ParameterType type = ParameterType::kNumber;
  double value = 0;          // default; a boolean is 0 or 1, a choice the index into `choices`
  double low = 0, high = 0;  // inclusive range of numbers and integers
  ParameterScale scale = ParameterScale::kLinear;
  std::vector<std::string> choices = {};
  std::string doc = {};
  // What a search tries, where that is not the whole range; low == high: always this value (of a number, integer or boolean).
  std::optional<SearchRange> search = {};
};

// Values of all parameters of one learner, checked against their declaration.
class ParameterValues {
 public:
  explicit ParameterValues(std::vector<Parameter> declared);  // the defaults
  // Throws kUsage naming learner.parameter, the value and the range, or the nearest parameter.
  void Set(const std::string& learner, const std::string& name, const std::string& text);
  double Number(std::string_view name) const;  // asserts that it is declared
  int64_t Integer(std::string_view name) const;
  bool Boolean(std::string_view name) const;
  const std::string& Choice(std::string_view name) const;
  Json ToJson() const;
  static ParameterValues FromJson(const std::string& learner, const std::vector<Parameter>& declared, const Json& json);

 private:
  size_t Index(std::string_view name) const;
  std::vector<Parameter> declared_;
  std::vector<double> values_;
};

struct FitOptions {
  uint64_t seed = 0;
  int threads = 1;
  // Asked between rounds; true ends the fit early with what there is (or throws kInterrupted where there is nothing).
  std::function<bool()> stop = {};
  // Rows of the same data set, none of them trained on: an iterative learner ends where its loss on them no longer falls, and gives the
  // model of the best round. Empty: all rounds are made, or the first `rounds` of them.
  std::span<const uint32_t> validation = {};
  int64_t rounds = 0;              // that another fit found best; 0: all
  int64_t* rounds_made = nullptr;  // an iterative learner says here of how many rounds the model that it gives is
  // One a feature: +1 where the prediction (of the second class; of the value) must not fall as the feature grows, -1 where it must not
  // rise, 0 free. Empty: all free. Only for learners with `monotone`, and never for more than two classes.
  std::span<const int8_t> monotone = {};
};

// How many rounds an iterative learner makes at most, whose parameters ask for `all`.
inline int64_t RoundsToMake(const FitOptions& options, int64_t all) { return options.rounds > 0 ? std::min(options.rounds, all) : all; }

// A model that learns row by row. Targets are class index or value; features as in Model. Not thread-safe.
class OnlineModel {
 public:
  virtual ~OnlineModel() = default;
  virtual void Predict(const double* row, double* out) const = 0;
  virtual void Learn(const double* row, double target, double weight) = 0;
  // All that is needed to go on bit for bit.
  virtual std::string State() const = 0;
  // An immutable copy for the model file.
  virtual std::shared_ptr<const Model> Snapshot() const = 0;
};

// What an online learner knows before the first row.
struct StreamShape {
  std::vector<bool> is_category;
  size_t classes = 0;  // 0: regression
  size_t features() const { return is_category.size(); }
  size_t outputs() const { return classes == 0 ? 1 : classes; }
};

struct LearnerInfo {
  std::string summary;  // one sentence: what it is and when it is good
  std::string paper;    // reference, or where a method has none, its textbook
  std::vector<Parameter> parameters = {};
  bool binary = false, multiclass = false, regression = false;
  bool weights = false;
  bool monotone = false;                     // obeys FitOptions::monotone
  bool baseline = false;                     // a reference to be beaten: excused from beating the mean
  bool repeats_outcomes = false;             // predicts that an earlier outcome comes again: a lag, not a pattern of the features
  bool quick = false;                        // `fit` without a budget tries it once at its defaults
  std::vector<std::string> exceptions = {};  // conformance checks that it is excused from, "check: reason"
  // Cost of one fit in units (about 10 ms of one core) as a formula of rows, features, outputs and parameters; never measured at run time.
  std::function<double(double rows, double features, double outputs, const ParameterValues&)> cost_units = {};

  // Batch learning; empty where a learner is only online (then Fit learns the rows in their order).
  std::function<std::shared_ptr<const Model>(const TrainingRows&, const ParameterValues&, const FitOptions&)> fit = {};
  // Online learning; empty where there is none. `resume` goes on from State(); throws kDamaged.
  std::function<std::unique_ptr<OnlineModel>(const StreamShape&, const ParameterValues&, uint64_t seed)> start = {};
  std::function<std::unique_ptr<OnlineModel>(const StreamShape&, const ParameterValues&, const std::string& state)> resume = {};

  bool online() const { return start != nullptr; }
  bool supports(size_t classes) const { return classes == 0 ? regression : classes == 2 ? binary : multiclass || (classes < 2 && binary); }
};

Registry<LearnerInfo>& Learners();

// Fits a registered learner: its own `fit`, or a pass over the rows in order for one that is only online. Throws kUsage for a kind of task
// that it cannot do.
std::shared_ptr<const Model> FitLearner(const std::string& name, const TrainingRows& training, const ParameterValues& parameters,
                                        const FitOptions& options);

// The JSON of `everlearn learners`.
Json DescribeLearner(const std::string& name);

}  // namespace everlearn
