// running_mean: predicts the weighted mean of the targets so far, 0 before the first; knows nothing of the features. The baseline of
// regression on streams.
#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "learner/learner.h"
#include "model/constant.h"

namespace everlearn {
namespace {

class RunningMean final : public OnlineModel {
 public:
  explicit RunningMean(const StreamShape& shape) : features_(shape.features()) {}

  void Predict(const double*, double* out) const override { *out = mean_; }

  // As an average of two numbers, so that targets of any size do not overflow.
  void Learn(const double*, double target, double weight) override {
    if (!(weight > 0)) return;
    weight_ += weight;
    const double share = weight / weight_;
    mean_ = (1 - share) * mean_ + share * target;
  }

  std::string State() const override {
    ByteWriter out;
    out.Put(weight_);
    out.Put(mean_);
    return out.Take();
  }

  void Restore(const std::string& state) {
    ByteReader in(state);
    weight_ = in.Get<double>();
    mean_ = in.Get<double>();
    if (!(weight_ >= 0) || !std::isfinite(mean_) || !in.done()) throw Error(ErrorKind::kDamaged, "a state of running_mean is wrong");
  }

  std::shared_ptr<const Model> Snapshot() const override { return MakeConstantModel(features_, {mean_}); }

 private:
  size_t features_;
  double weight_ = 0, mean_ = 0;
};

const bool registered = Learners().Add(
    "running_mean",
    LearnerInfo{.summary = "Predicts the mean of the targets so far; the baseline of regression on streams.",
                .paper = "Welford, Note on a method for calculating corrected sums of squares and products (1962)",
                .regression = true,
                .weights = true,
                .baseline = true,
                // 5 ns a row.
                .cost_units = [](double rows, double, double, const ParameterValues&) { return 0.001 + 5e-7 * rows; },
                .start = [](const StreamShape& shape, const ParameterValues&, uint64_t) { return std::make_unique<RunningMean>(shape); },
                .resume =
                    [](const StreamShape& shape, const ParameterValues&, const std::string& state) {
                      auto model = std::make_unique<RunningMean>(shape);
                      model->Restore(state);
                      return model;
                    }});

}  // namespace
}  // namespace everlearn
