// alma: the approximate maximal margin classifier, a perceptron of bounded length with steps that shrink as 1/√k, k its mistakes. A mistake
// turns it at once towards the newest rows, so that it is good where neighbouring rows of a stream are alike (prices, sensors), and useless
// where outcomes are late. Cheap.
//
// Gentile, A new approximate maximal margin classification algorithm, JMLR 2 (2001), for p = 2, with α = 0.9, B = 1/α, C = √2 as in the
// paper; on standardised features, not divided by their length. Several classes are one against the rest each. The margins become
// probabilities by a Platt scaling (a temperature for several classes) that learns with every outcome, before the weights do.
#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "kernels/online_weights.h"
#include "learner/learner.h"
#include "learners/stream_features.h"
#include "learners/stream_slots.h"
#include "statistics/platt_scaling.h"
#include "statistics/temperature_scaling.h"

namespace everlearn {
namespace {

struct Settings {
  int bits;
  double alpha, least_step;
};

class Alma final : public OnlineModel {
 public:
  Alma(const StreamShape& shape, const Settings& settings)
      : settings_(settings),
        classes_(shape.classes),
        margins_(classes_ > 2 ? classes_ : 1),
        bits_(BitsOfEach(settings.bits, margins_)),
        features_(shape, bits_, false),
        slots_(features_.hashes(), bits_),
        state_(margins_),
        weights_(slots_.size() * margins_),
        scores_(margins_),
        probabilities_(classes_),
        unit_scores_(margins_) {}

  void Predict(const double* row, double* out) const override {
    features_.Read(row);
    Score(scores_.data());
    Calibrate(out);
  }

  void Learn(const double* row, double target, double weight) override {
    if (!(weight > 0) || !std::isfinite(target)) return;
    features_.Learn(row);
    features_.Read(row);
    Score(scores_.data());
    const auto happened = static_cast<size_t>(target);
    if (classes_ < 2) return;
    LearnCalibration(happened);
    double length = 1;  // squared, with the bias
    for (const double value : features_.numbers()) length += value * value;
    for (const HashedValue& hashed : features_.hashed()) {
      length += hashed.value * hashed.value;
      slots_.FindOrAdd(hashed.hash);
    }
    weights_.resize(slots_.size() * margins_);
    for (size_t m = 0; m < margins_; ++m) LearnMargin(m, (margins_ == 1 ? happened == 1 : happened == m) ? 1.0 : -1.0, length);
  }

  std::string State() const override {
    ByteWriter out;
    out.PutVarint(margins_);
    out.PutVarint(static_cast<uint64_t>(bits_));
    features_.Save(&out);
    slots_.Save(&out);
    out.PutAll(state_);
    out.PutAll(weights_);
    out.Put(rows_);
    out.Put(mean_size_);
    temperature_.Save(&out);
    platt_.Save(&out);
    return out.Take();
  }

  // Throws kDamaged where the state is not one of this shape and these settings.
  void Restore(const std::string& state) {
    ByteReader in(state);
    if (in.GetVarint() != margins_ || in.GetVarint() != static_cast<uint64_t>(bits_))
      throw Error(ErrorKind::kDamaged, "a state of alma does not fit its classes or parameters");
    features_.Load(&in);
    slots_.Load(&in);
    state_ = in.GetAll<Margin>();
    weights_ = in.GetAll<double>();
    rows_ = in.Get<uint64_t>();
    mean_size_ = in.Get<double>();
    temperature_.Load(&in);
    platt_.Load(&in);
    if (state_.size() != margins_ || weights_.size() != slots_.size() * margins_ || !(mean_size_ >= 0) || !in.done())
      throw Error(ErrorKind::kDamaged, "a state of alma does not fit its features");
  }

  std::shared_ptr<const Model> Snapshot() const override {
    HashedLinearParameters model;
    model.features = features_.Features();
    model.outputs = classes_;
    model.link = classes_ == 2 ? Link::kSigmoid : Link::kSoftmax;
    const double factor = (margins_ == 1 ? platt_.slope() : temperature_.Get()) / Size();
    const auto append = [&](size_t slot, std::vector<double>* to) {
      for (size_t m = 0; m < margins_; ++m) to->push_back(factor * state_[m].scale * weights_[slot * margins_ + m]);
    };
    append(slots_.bias(), &model.bias);
    if (margins_ == 1) model.bias[0] += platt_.offset();
    for (const auto& [place, slot] : slots_.Places()) {
      model.indices.push_back(place);
      append(slot, &model.weights);
    }
    return MakeHashedLinearModel(std::move(model));
  }

 private:
  static constexpr double kRowsOfSize = 1000;  // the mean margin follows the newest
  static constexpr double kLeastScale = 1e-3;

  // Of one margin: its weights are scale × those stored.
  struct Margin {
    double mistakes = 1;  // k
    double scale = 1;
    double square = 0;  // of the weights' length
  };

  double Size() const { return mean_size_ > 0 ? mean_size_ : 1.0; }

  // Of the row that was read.
  void Score(double* scores) const {
    const auto numbers = features_.numbers();
    const auto add = [&](size_t slot, double value) {
      for (size_t m = 0; m < margins_; ++m) scores[m] += value * weights_[slot * margins_ + m];
    };
    std::fill_n(scores, margins_, 0.0);
    add(slots_.bias(), 1);
    if (margins_ == 1) {
      scores[0] += DotProduct(numbers.data(), weights_.data(), numbers.size());
    } else {
      for (size_t i = 0; i < numbers.size(); ++i) add(i, numbers[i]);
    }
    for (const HashedValue& hashed : features_.hashed())
      if (const size_t slot = slots_.Find(hashed.hash); slot != StreamSlots::kNone) add(slot, hashed.value);
    for (size_t m = 0; m < margins_; ++m) scores[m] *= state_[m].scale;
  }

  // The scores, in their usual size, as probabilities.
  void Calibrate(double* out) const {
    if (classes_ < 2) {
      out[0] = 1;
      return;
    }
    if (margins_ == 1) {
      out[1] = platt_.OfLogOdds(scores_[0] / Size());
      out[0] = 1 - out[1];
      return;
    }
    for (size_t m = 0; m < margins_; ++m) out[m] = temperature_.Get() * (scores_[m] / Size());
    ApplyLink(Link::kSoftmax, out, classes_, 1.0, out);
  }

  void LearnCalibration(size_t happened) {
    Calibrate(probabilities_.data());
    double size = 0;
    for (size_t m = 0; m < margins_; ++m) {
      size += std::abs(scores_[m]) / static_cast<double>(margins_);
      unit_scores_[m] = scores_[m] / Size();
    }
    if (margins_ == 1) {
      platt_.AddLogOdds(unit_scores_[0], happened == 1);
    } else {
      temperature_.Add(unit_scores_.data(), probabilities_.data(), classes_, happened);
    }
    ++rows_;
    mean_size_ += (size - mean_size_) / std::min(static_cast<double>(rows_), kRowsOfSize);
  }

  // `side`: +1 or -1, where the row is.
  void LearnMargin(size_t m, double side, double length) {
    Margin& margin = state_[m];
    const double shrink = std::max(1 / std::sqrt(margin.mistakes), settings_.least_step);
    if (side * scores_[m] > (1 - settings_.alpha) / settings_.alpha * shrink) return;
    const double step = side * std::sqrt(2.0) * shrink;
    margin.mistakes += 1;
    const auto add = [&](size_t slot, double value) { weights_[slot * margins_ + m] += step / margin.scale * value; };
    const auto numbers = features_.numbers();
    for (size_t i = 0; i < numbers.size(); ++i) add(i, numbers[i]);
    add(slots_.bias(), 1);
    for (const HashedValue& hashed : features_.hashed()) add(slots_.Find(hashed.hash), hashed.value);
    margin.square += step * (2 * scores_[m] + step * length);
    if (margin.square > 1) {
      margin.scale /= std::sqrt(margin.square);
      margin.square = 1;
    }
    if (margin.scale < kLeastScale) Rescale(m);
  }

  void Rescale(size_t m) {
    Margin& margin = state_[m];
    margin.square = 0;
    for (size_t at = m; at < weights_.size(); at += margins_) {
      weights_[at] *= margin.scale;
      margin.square += weights_[at] * weights_[at];
    }
    margin.scale = 1;
  }

  Settings settings_;
  size_t classes_;
  size_t margins_;
  int bits_;
  StreamFeatures features_;
  StreamSlots slots_;
  std::vector<Margin> state_;
  std::vector<double> weights_;  // slots × margins
  uint64_t rows_ = 0;
  double mean_size_ = 0;  // of the margins
  PlattScaling platt_;
  TemperatureScaling temperature_;
  mutable std::vector<double> scores_;  // of the row that was read
  std::vector<double> probabilities_, unit_scores_;
};

LearnerInfo MakeAlma() {
  LearnerInfo info;
  info.summary = "A maximal margin perceptron that learns row by row; for streams whose neighbouring rows are alike.";
  info.paper = "Gentile, A new approximate maximal margin classification algorithm, JMLR 2 (2001)";
  info.parameters = {
      {"alpha", ParameterType::kNumber, 0.9, 0.01, 1, ParameterScale::kLinear, {}, "1 - alpha: part of the margin that is aimed at."},
      {"least_step", ParameterType::kNumber, 0, 0, 1, ParameterScale::kLinear, {}, "Steps do not shrink below this part of the first."},
      {"bits", ParameterType::kInteger, 18, 8, 24, ParameterScale::kLinear, {}, "There are at most 2^bits weights in all."},
  };
  info.binary = info.multiclass = true;
  info.cost_units = [](double rows, double features, double outputs, const ParameterValues&) {
    const double margins = outputs > 2 ? outputs : 1;  // measured: 200 ns a row, 7 ns a feature and 1 ns for each of its weights
    return 0.05 + rows * (2e-5 + (7e-7 + 1e-7 * margins) * (features + 2));
  };
  const auto settings = [](const ParameterValues& parameters) {
    return Settings{static_cast<int>(parameters.Integer("bits")), parameters.Number("alpha"), parameters.Number("least_step")};
  };
  info.start = [settings](const StreamShape& shape, const ParameterValues& parameters, uint64_t) {
    return std::make_unique<Alma>(shape, settings(parameters));
  };
  info.resume = [settings](const StreamShape& shape, const ParameterValues& parameters, const std::string& state) {
    auto model = std::make_unique<Alma>(shape, settings(parameters));
    model->Restore(state);
    return model;
  };
  return info;
}

const bool registered = Learners().Add("alma", MakeAlma());

}  // namespace
}  // namespace everlearn
