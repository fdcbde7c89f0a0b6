// seasonal: predicts what came one season ago. The baseline of streams with a day, a week or a working cycle in them; knows nothing of the
// features. Hyndman & Athanasopoulos, Forecasting: Principles and Practice (2021), section 5.2: the seasonal naive method.
//
// Seasons are found in the outcomes themselves (kernels/seasons.h); while there is none, a season is one row, which is the naive method.
// Of two seasons the longer is followed unless the shorter has come closer more often of late. A row is one outcome that was learnt: where
// outcomes are late, the prediction is that for the row after the newest known one.
//
// Of classes, the label of one season ago has the probability with which this was right in the newest 200 rows or so, the others share the
// rest by how often they came; the label is held the most likely. Before any outcome: equal probabilities, or 0.
#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "kernels/seasons.h"
#include "learner/learner.h"
#include "model/constant.h"

namespace everlearn {
namespace {

constexpr double kRowsOfLate = 200;

class Seasonal final : public OnlineModel {
 public:
  explicit Seasonal(const StreamShape& shape)
      : features_(shape.features()), classes_(shape.classes), seasons_(classes_), counts_(classes_, 1) {}

  void Predict(const double*, double* out) const override {
    if (seasons_.outcomes() == 0) {
      std::fill_n(out, std::max<size_t>(classes_, 1), classes_ == 0 ? 0.0 : 1.0 / static_cast<double>(classes_));
      return;
    }
    const double ago = Ago(Followed());
    if (classes_ == 0) out[0] = ago;
    else Spread(static_cast<size_t>(ago), out);
  }

  void Learn(const double*, double target, double) override {
    if (!std::isfinite(target)) return;
    if (seasons_.outcomes() > 0) Judge(target);
    if (classes_ > 0) ++counts_[static_cast<size_t>(target)];
    seasons_.Add(seasons_.outcomes(), target);
  }

  std::string State() const override {
    ByteWriter out;
    seasons_.Save(&out);
    out.PutAll(counts_);
    for (const double value : {right_, judged_, longer_}) out.Put(value);
    return out.Take();
  }

  void Restore(const std::string& state) {
    ByteReader in(state);
    seasons_.Load(&in);
    const auto counts = in.GetAll<uint64_t>();
    for (double* value : {&right_, &judged_, &longer_}) *value = in.Get<double>();
    const uint64_t rows = seasons_.outcomes(), kept = std::min(rows, Seasons::kRing);
    bool good = counts.size() == classes_ && in.done() && rows < kMostRows && (rows == 0 || seasons_.newest() == rows - 1) &&
                seasons_.season(0) <= rows && seasons_.season(1) <= rows;
    for (uint64_t row = rows - kept; good && row < rows; ++row) good = !std::isnan(seasons_.Known(row));
    good = good && std::all_of(counts.begin(), counts.end(), [](uint64_t count) { return count >= 1 && count <= kMostRows; });
    good = good && right_ >= 0 && right_ <= 1 && judged_ >= 0 && judged_ <= kRowsOfLate && std::abs(longer_) <= 1;
    if (!good) throw Error(ErrorKind::kDamaged, "a state of seasonal does not fit its classes");
    counts_ = counts;
  }

  std::shared_ptr<const Model> Snapshot() const override {
    std::vector<double> values(std::max<size_t>(classes_, 1));
    Predict(nullptr, values.data());
    return MakeConstantModel(features_, std::move(values));
  }

 private:
  static constexpr uint64_t kMostRows = uint64_t{1} << 53;

  // What came so many rows before the next one.
  double Ago(uint64_t season) const { return seasons_.Known(seasons_.outcomes() - std::max<uint64_t>(season, 1)); }

  uint64_t Followed() const {
    const uint64_t longer = seasons_.season(1);
    return longer > 0 && longer_ >= 0 ? longer : seasons_.season(0);
  }

  void Judge(double target) {
    judged_ = std::min(judged_ + 1, kRowsOfLate);
    right_ += ((Ago(Followed()) == target ? 1.0 : 0.0) - right_) / judged_;
    if (seasons_.season(1) == 0) {
      longer_ = 0;
      return;
    }
    const auto error = [&](size_t i) {
      const double ago = Ago(seasons_.season(i));
      return classes_ == 0 ? std::abs(ago - target) : ago == target ? 0.0 : 1.0;
    };
    const double shorter = error(0), longer = error(1);
    longer_ += ((longer < shorter ? 1.0 : longer > shorter ? -1.0 : 0.0) - longer_) / kRowsOfLate;
  }

  void Spread(size_t label, double* out) const {
    if (classes_ == 1) {
      out[0] = 1;
      return;
    }
    const double right = (right_ * judged_ + 1.0 / static_cast<double>(classes_)) / (judged_ + 1);
    double others = 0, largest = 0, total = 0;
    for (size_t k = 0; k < classes_; ++k) others += k == label ? 0.0 : static_cast<double>(counts_[k]);
    for (size_t k = 0; k < classes_; ++k) {
      out[k] = k == label ? right : (1 - right) * static_cast<double>(counts_[k]) / others;
      if (k != label) largest = std::max(largest, out[k]);
    }
    out[label] = std::max(right, largest * (1 + 1e-6));
    for (size_t k = 0; k < classes_; ++k) total += out[k];
    for (size_t k = 0; k < classes_; ++k) out[k] /= total;
  }

  size_t features_, classes_;
  Seasons seasons_;
  std::vector<uint64_t> counts_;  // of labels, and one
  double right_ = 0, judged_ = 0;
  double longer_ = 0;  // how much more often the longer season came closer of late than the shorter, in [-1, 1]
};

const bool registered = Learners().Add(
    "seasonal",
    LearnerInfo{
        .summary = "Predicts what came one season ago, whose length it finds; the baseline of streams with a day or a week in them.",
        .paper = "Hyndman & Athanasopoulos, Forecasting: Principles and Practice (2021), the seasonal naive method; Box, Jenkins & "
                 "Reinsel, Time Series Analysis, ch. 2",
        .binary = true,
        .multiclass = true,
        .regression = true,
        .baseline = true,
        .repeats_outcomes = true,
        // 1 µs a row: a search for seasons each 4,096 rows.
        .cost_units = [](double rows, double, double, const ParameterValues&) { return 0.001 + 1e-4 * rows; },
        .start = [](const StreamShape& shape, const ParameterValues&, uint64_t) { return std::make_unique<Seasonal>(shape); },
        .resume =
            [](const StreamShape& shape, const ParameterValues&, const std::string& state) {
              auto model = std::make_unique<Seasonal>(shape);
              model->Restore(state);
              return model;
            }});

}  // namespace
}  // namespace everlearn
