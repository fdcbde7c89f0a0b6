// running_majority: predicts the shares of the classes so far, and with them the majority; knows nothing of the features. The baseline of
// streams whose outcomes do not hang together in time.
//
// One row is added to each class (Laplace's rule of succession), so that none is impossible. A row of weight 2 counts as two rows.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/bytes.h"
#include "learner/learner.h"
#include "model/constant.h"

namespace everlearn {
namespace {

class RunningMajority final : public OnlineModel {
 public:
  explicit RunningMajority(const StreamShape& shape) : features_(shape.features()), counts_(shape.classes, 1.0) {}

  void Predict(const double*, double* out) const override {
    const double total = std::accumulate(counts_.begin(), counts_.end(), 0.0);
    for (size_t k = 0; k < counts_.size(); ++k) out[k] = counts_[k] / total;
  }

  void Learn(const double*, double target, double weight) override { counts_[static_cast<size_t>(target)] += weight; }

  std::string State() const override {
    ByteWriter out;
    out.PutAll(counts_);
    return out.Take();
  }

  void Restore(const std::string& state) {
    ByteReader in(state);
    const auto counts = in.GetAll<double>();
    const bool valid = std::all_of(counts.begin(), counts.end(), [](double c) { return c >= 1 && std::isfinite(c); });
    if (counts.size() != counts_.size() || !valid || !in.done()) {
      throw Error(ErrorKind::kDamaged, "a state of running_majority does not fit its classes");
    }
    counts_ = counts;
  }

  std::shared_ptr<const Model> Snapshot() const override {
    std::vector<double> shares(counts_.size());
    Predict(nullptr, shares.data());
    return MakeConstantModel(features_, std::move(shares));
  }

 private:
  size_t features_;
  std::vector<double> counts_;
};

const bool registered = Learners().Add(
    "running_majority",
    LearnerInfo{
        .summary = "Predicts the shares of the classes so far; the baseline of streams whose outcomes do not hang together in time.",
        .paper = "Laplace, Essai philosophique sur les probabilités (1814): the rule of succession",
        .binary = true,
        .multiclass = true,
        .weights = true,
        .baseline = true,
        // 10 ns a row.
        .cost_units = [](double rows, double, double, const ParameterValues&) { return 0.001 + 1e-6 * rows; },
        .start = [](const StreamShape& shape, const ParameterValues&, uint64_t) { return std::make_unique<RunningMajority>(shape); },
        .resume =
            [](const StreamShape& shape, const ParameterValues&, const std::string& state) {
              auto model = std::make_unique<RunningMajority>(shape);
              model->Restore(state);
              return model;
            }});

}  // namespace
}  // namespace everlearn
