// no_change: predicts that the next outcome is the last known one. The baseline of every stream whose outcomes hang together in time; a
// model that does not beat it has learned nothing from the features. Žliobaitė et al., Evaluation methods and decision theory for
// classification of streaming data with temporal dependence, Machine Learning 98 (2015).
//
// Probabilities are the shares of the labels that followed the last one so far, with the last label held the most likely. As many are
// added as there are labels: to the last one, the share of all outcomes that were equal to the one before, the rest to the others alike; so
// a label that comes for the first time is expected to stay as long as those before it. Before any outcome: equal probabilities, or 0. Of
// more than 1,000 labels the pairs would be too many: the last one has the share of outcomes that were equal to the one before, the others
// share the rest by how often they came.
#include <algorithm>

#include "base/bytes.h"
#include "learner/learner.h"
#include "model/constant.h"

namespace everlearn {
namespace {

constexpr size_t kMostInPairs = 1000;  // labels

class NoChange final : public OnlineModel {
 public:
  explicit NoChange(const StreamShape& shape)
      : features_(shape.features()), classes_(shape.classes), counts_(InPairs() ? classes_ * classes_ : classes_ + 1, 0) {}

  void Predict(const double*, double* out) const override {
    if (classes_ == 0) {
      *out = known_ ? last_ : 0.0;
      return;
    }
    if (!known_) {
      std::fill_n(out, classes_, 1.0 / static_cast<double>(classes_));
      return;
    }
    const auto last = static_cast<size_t>(last_);
    const uint64_t* counts = counts_.data() + (InPairs() ? last * classes_ : 0);
    const auto labels = static_cast<double>(classes_);
    const double stays = InPairs() && classes_ > 1 ? (equal_ + 1) / (pairs_ + 2) : 1 / labels;
    double largest_other = 0, others = 0, known = 0, total = 0;
    for (size_t k = 0; k < classes_; ++k) {
      out[k] = static_cast<double>(counts[k]) + (k == last ? labels * stays : labels * (1 - stays) / (labels - 1));
      known += static_cast<double>(counts[k]);
      if (k == last) continue;
      largest_other = std::max(largest_other, out[k]);
      others += out[k];
    }
    if (!InPairs()) {
      const auto equal = static_cast<double>(counts_.back()), unequal = known - 1 - equal;
      out[last] = others * (equal + 1) / (unequal + 1);
    }
    out[last] = std::max(out[last], largest_other * (1 + 1e-6));
    for (size_t k = 0; k < classes_; ++k) total += out[k];
    for (size_t k = 0; k < classes_; ++k) out[k] /= total;
  }

  void Learn(const double*, double target, double) override {
    if (!InPairs()) {
      ++counts_[static_cast<size_t>(target)];
      counts_.back() += known_ && target == last_ ? 1 : 0;
    } else if (known_ && classes_ > 0) {
      ++counts_[static_cast<size_t>(last_) * classes_ + static_cast<size_t>(target)];
      ++pairs_;
      if (target == last_) ++equal_;
    }
    last_ = target;
    known_ = true;
  }

  std::string State() const override {
    ByteWriter out;
    out.Put(static_cast<uint8_t>(known_));
    out.Put(last_);
    out.PutAll(counts_);
    return out.Take();
  }

  void Restore(const std::string& state) {
    ByteReader in(state);
    known_ = in.Get<uint8_t>() != 0;
    last_ = in.Get<double>();
    const auto counts = in.GetAll<uint64_t>();
    bool good = counts.size() == counts_.size() && in.done() && (classes_ == 0 || (last_ >= 0 && last_ < static_cast<double>(classes_)));
    if (good && !InPairs()) {
      constexpr uint64_t kMostRows = uint64_t{1} << 40;
      uint64_t rows = 0;
      for (size_t k = 0; k < classes_; ++k) rows += std::min(counts[k], kMostRows);
      good = counts.back() < std::max<uint64_t>(rows, 1) && (rows > 0) == known_;
    }
    if (!good) throw Error(ErrorKind::kDamaged, "a state of no_change does not fit its classes");
    counts_ = counts;
    for (size_t pair = 0; InPairs() && pair < counts.size(); ++pair) {
      pairs_ += static_cast<double>(counts[pair]);
      if (pair / classes_ == pair % classes_) equal_ += static_cast<double>(counts[pair]);
    }
  }

  std::shared_ptr<const Model> Snapshot() const override {
    std::vector<double> values(std::max<size_t>(classes_, 1));
    Predict(nullptr, values.data());
    return MakeConstantModel(features_, std::move(values));
  }

 private:
  bool InPairs() const { return classes_ <= kMostInPairs; }

  size_t features_, classes_;
  bool known_ = false;
  double last_ = 0;
  double pairs_ = 0, equal_ = 0;  // of neighbours in `counts_`, where these are pairs
  std::vector<uint64_t> counts_;  // label × label that came next; else how often each came, then how often it was the one before
};

const bool registered = Learners().Add(
    "no_change",
    LearnerInfo{.summary = "Predicts the last known outcome; the baseline of streams whose outcomes hang together in time.",
                .paper =
                    "Žliobaitė, Bifet, Read, Pfahringer & Holmes, Evaluation methods and decision theory for classification of streaming "
                    "data with temporal dependence (2015)",
                .binary = true,
                .multiclass = true,
                .regression = true,
                .baseline = true,
                .repeats_outcomes = true,
                // 10 ns a row.
                .cost_units = [](double rows, double, double, const ParameterValues&) { return 0.001 + 1e-6 * rows; },
                .start = [](const StreamShape& shape, const ParameterValues&, uint64_t) { return std::make_unique<NoChange>(shape); },
                .resume =
                    [](const StreamShape& shape, const ParameterValues&, const std::string& state) {
                      auto model = std::make_unique<NoChange>(shape);
                      model->Restore(state);
                      return model;
                    }});

}  // namespace
}  // namespace everlearn
