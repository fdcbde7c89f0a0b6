// For tests of the loop, which must not see the real learners: some that are registered here, whose predictions and costs are as asked.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "learner/learner.h"
#include "model/constant.h"

namespace everlearn {

// Follows the target with `rate`, and adds `slope` times the first feature: what it says depends on the row and on all outcomes so far in
// their order. Of classes, two.
class FollowerModel final : public OnlineModel {
 public:
  FollowerModel(const StreamShape& shape, const ParameterValues& values)
      : shape_(shape), rate_(values.Number("rate")), slope_(values.Number("slope")), at_(shape.classes == 0 ? 0.0 : 0.5) {}

  void Predict(const double* row, double* out) const override {
    const double value = at_ + slope_ * (shape_.features() > 0 && std::isfinite(row[0]) ? row[0] : 0.0);
    out[0] = value;
    if (shape_.classes == 0) return;
    out[1] = std::clamp(value, 0.01, 0.99);
    out[0] = 1 - out[1];
  }
  void Learn(const double*, double target, double) override { at_ += rate_ * (target - at_); }
  std::string State() const override {
    ByteWriter out;
    out.Put(at_);
    return out.Take();
  }
  void Restore(const std::string& state) { at_ = ByteReader(state).Get<double>(); }
  std::shared_ptr<const Model> Snapshot() const override {
    std::vector<double> values(shape_.outputs());
    const std::vector<double> row(shape_.features(), 0.0);
    Predict(row.data(), values.data());
    return MakeConstantModel(shape_.features(), std::move(values));
  }

 private:
  StreamShape shape_;
  double rate_, slope_, at_;
};

// Learners "follower" (online; the same as "steady" is a baseline, as "repeater" says that outcomes come again, and stands for the learner
// that loop/loss_estimate.h asks for) and "batch" (equal shares, or 0), each with `units` that a row costs.
inline const bool test_learners_registered = [] {
  const Parameter units{"units", ParameterType::kNumber, 0.01, 0, 100, ParameterScale::kLinear, {}, "Cost of a row."};
  LearnerInfo follower{.summary = "Follows.", .paper = "none", .binary = true, .regression = true};
  follower.parameters = {units,
                         {"rate", ParameterType::kNumber, 0.1, 0, 1, ParameterScale::kLinear, {}, "Of following."},
                         {"slope", ParameterType::kNumber, 0, -10, 10, ParameterScale::kLinear, {}, "Of the first feature."}};
  follower.cost_units = [](double rows, double, double, const ParameterValues& values) { return values.Number("units") * rows; };
  follower.start = [](const StreamShape& shape, const ParameterValues& values, uint64_t) {
    return std::make_unique<FollowerModel>(shape, values);
  };
  follower.resume = [](const StreamShape& shape, const ParameterValues& values, const std::string& state) {
    auto model = std::make_unique<FollowerModel>(shape, values);
    model->Restore(state);
    return model;
  };
  LearnerInfo steady = follower;
  steady.baseline = true;
  LearnerInfo repeater = follower;
  repeater.repeats_outcomes = true;
  LearnerInfo batch{.summary = "Is constant.", .paper = "none", .parameters = {units}, .binary = true, .regression = true};
  batch.cost_units = follower.cost_units;
  batch.fit = [](const TrainingRows& training, const ParameterValues&, const FitOptions&) {
    const size_t classes = training.data->classes();
    return MakeConstantModel(training.data->features(),
                             classes == 0 ? std::vector<double>{0} : std::vector<double>(classes, 1.0 / static_cast<double>(classes)));
  };
  return Learners().Add("follower", follower) && Learners().Add("steady", steady) && Learners().Add("repeater", repeater) &&
         Learners().Add("batch", batch) && Learners().Add("online_linear", follower);
}();

}  // namespace everlearn
