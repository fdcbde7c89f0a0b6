// online_linear: linear, logistic or softmax regression over hashed features that learns row by row and never stops adapting. Good as the
// first model of a stream, for categories with very many values, and wherever a row must cost a microsecond or less.
//
// Two ways to learn, each with a step size of its own for every weight:
//   coin_betting (default): Orabona & Tommasi, Training Deep Networks without Learning Rates Through Coin Betting (2017), algorithm 2
//     without its sigmoid. No learning rate, and the scale of features, target and row weights does not matter. What a weight has won
//     and lost fades by `forgetting` at each of its updates, so that it turns round within some thousand rows when the concept changes.
//   ftrl: McMahan et al., Ad Click Prediction: a View from the Trenches (2013), algorithm 1.
// Numbers are standardised by their running mean and deviation and held inside ±3, where an outlier does no harm; the target of a
// regression is standardised too. Several classes share one softmax: on streams it was better than one against the rest.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/bytes.h"
#include "kernels/online_weights.h"
#include "learner/learner.h"
#include "learners/stream_features.h"
#include "learners/stream_slots.h"
#include "learners/stream_target.h"

namespace everlearn {
namespace {

struct Settings {
  int bits;
  WeightRule rule;
};

Settings ReadSettings(const ParameterValues& parameters) {
  return {static_cast<int>(parameters.Integer("bits")),
          {.coin_betting = parameters.Choice("algorithm") == "coin_betting",
           .keep = 1 - parameters.Number("forgetting"),
           .learning_rate = parameters.Number("learning_rate"),
           .l1 = parameters.Number("l1"),
           .l2 = parameters.Number("l2")}};
}

class OnlineLinear final : public OnlineModel {
 public:
  OnlineLinear(const StreamShape& shape, const Settings& settings)
      : settings_(settings),
        target_(shape.classes),
        scores_(target_.scores()),
        bits_(BitsOfEach(settings.bits, scores_)),
        features_(shape, bits_, false),
        slots_(features_.hashes(), bits_),
        gradients_(slots_.size() * scores_),
        possible_(slots_.size() * scores_),
        slopes_(scores_) {
    Resize();
  }

  void Predict(const double* row, double* out) const override {
    features_.Read(row);
    Score(out);
    target_.Predict(out);
  }

  void Learn(const double* row, double target, double weight) override {
    if (!(weight > 0) || !std::isfinite(target)) return;
    features_.Learn(row);
    features_.Read(row);
    Score(slopes_.data());
    target_.Slopes(target, slopes_.data());
    const auto numbers = features_.numbers();
    for (size_t i = 0; i < numbers.size(); ++i) SetGradients(i, weight * numbers[i]);
    SetGradients(slots_.bias(), weight);
    UpdateWeights(settings_.rule, Arrays(0), gradients_.size(), gradients_.data(), possible_.data());
    for (const HashedValue& hashed : features_.hashed()) {
      const size_t slot = slots_.FindOrAdd(hashed.hash);
      Resize();
      const double value = weight * hashed.value;
      for (size_t k = 0; k < scores_; ++k) UpdateWeight(settings_.rule, Arrays(slot), k, slopes_[k] * value, std::abs(value));
    }
  }

  std::string State() const override {
    ByteWriter out;
    out.PutVarint(scores_);
    out.PutVarint(static_cast<uint64_t>(bits_));
    features_.Save(&out);
    target_.Save(&out);
    slots_.Save(&out);
    for (const auto& field : fields_) out.PutAll(field);
    return out.Take();
  }

  // Throws kDamaged where the state is not one of this shape and these settings.
  void Restore(const std::string& state) {
    ByteReader in(state);
    if (in.GetVarint() != scores_ || in.GetVarint() != static_cast<uint64_t>(bits_))
      throw Error(ErrorKind::kDamaged, "a state of online_linear does not fit its classes or parameters");
    features_.Load(&in);
    target_.Load(&in);
    slots_.Load(&in);
    for (auto& field : fields_) {
      field = in.GetAll<double>();
      if (field.size() != slots_.size() * scores_)
        throw Error(ErrorKind::kDamaged, "a state of online_linear has a wrong number of weights");
    }
    if (!in.done()) throw Error(ErrorKind::kDamaged, "a state of online_linear is too long");
  }

  std::shared_ptr<const Model> Snapshot() const override {
    HashedLinearParameters model;
    model.features = features_.Features();
    const auto append = [this](size_t slot, std::vector<double>* to) {
      const auto first = fields_[0].begin() + static_cast<ptrdiff_t>(slot * scores_);
      to->insert(to->end(), first, first + static_cast<ptrdiff_t>(scores_));
    };
    append(slots_.bias(), &model.bias);
    for (const auto& [place, slot] : slots_.Places()) {
      model.indices.push_back(place);
      append(slot, &model.weights);
    }
    target_.Complete(&model);
    return MakeHashedLinearModel(std::move(model));
  }

 private:
  WeightArrays Arrays(size_t slot) {
    const size_t at = slot * scores_;
    return {fields_[0].data() + at, fields_[1].data() + at, fields_[2].data() + at, fields_[3].data() + at, fields_[4].data() + at};
  }

  void Resize() {
    if (fields_[0].size() == slots_.size() * scores_) return;
    for (auto& field : fields_) field.resize(slots_.size() * scores_);
  }

  void SetGradients(size_t slot, double value) {
    for (size_t k = 0; k < scores_; ++k) {
      gradients_[slot * scores_ + k] = slopes_[k] * value;
      possible_[slot * scores_ + k] = std::abs(value);
    }
  }

  // Of the row that was read.
  void Score(double* scores) const {
    const auto numbers = features_.numbers();
    const double* weights = fields_[0].data();
    const auto add = [&](size_t slot, double value) {
      for (size_t k = 0; k < scores_; ++k) scores[k] += value * weights[slot * scores_ + k];
    };
    std::fill_n(scores, scores_, 0.0);
    add(slots_.bias(), 1);
    if (scores_ == 1) {
      scores[0] += DotProduct(numbers.data(), weights, numbers.size());
    } else {
      for (size_t i = 0; i < numbers.size(); ++i) add(i, numbers[i]);
    }
    for (const HashedValue& hashed : features_.hashed())
      if (const size_t slot = slots_.Find(hashed.hash); slot != StreamSlots::kNone) add(slot, hashed.value);
  }

  Settings settings_;
  StreamTarget target_;
  size_t scores_;
  int bits_;
  StreamFeatures features_;
  StreamSlots slots_;
  std::array<std::vector<double>, kWeightFields> fields_;  // of WeightArrays: slots × scores
  std::vector<double> gradients_, possible_;               // of numbers and bias
  std::vector<double> slopes_;                             // of the loss of the row that is being learned, one a score
};

LearnerInfo MakeOnlineLinear() {
  LearnerInfo info;
  info.summary = "Linear, logistic or softmax regression over hashed features that learns row by row; fast, and adapts to change.";
  info.paper =
      "Orabona & Tommasi, Training Deep Networks without Learning Rates Through Coin Betting (2017); McMahan et al., Ad Click Prediction: "
      "a "
      "View from the Trenches (2013)";
  info.parameters = {
      {"algorithm", ParameterType::kChoice, 0, 0, 0, ParameterScale::kLinear, {"coin_betting", "ftrl"}, "How the weights learn."},
      {"bits", ParameterType::kInteger, 18, 8, 24, ParameterScale::kLinear, {}, "There are at most 2^bits weights in all."},
      {"forgetting",
       ParameterType::kNumber,
       0.0003,
       0,
       0.1,
       ParameterScale::kLinear,
       {},
       "Coin betting: part of a weight's past that fades at each of its updates."},
      {"learning_rate", ParameterType::kNumber, 0.5, 1e-3, 10, ParameterScale::kLog, {}, "FTRL: size of the first steps."},
      {"l1",
       ParameterType::kNumber,
       0,
       0,
       100,
       ParameterScale::kLinear,
       {},
       "FTRL: penalty on absolute weights; above 0, seldom used weights stay 0."},
      {"l2", ParameterType::kNumber, 0, 0, 100, ParameterScale::kLinear, {}, "FTRL: penalty on squared weights."},
  };
  info.binary = info.multiclass = info.regression = true;
  info.weights = true;
  info.cost_units = [](double rows, double features, double outputs, const ParameterValues&) {
    const double scores = outputs > 2 ? outputs : 1;  // measured: 200 ns a row, 8 ns a feature and 5 ns for each of its weights
    return 0.05 + rows * (2e-5 + (8e-7 + 5e-7 * scores) * (features + 2));
  };
  info.start = [](const StreamShape& shape, const ParameterValues& parameters, uint64_t) {
    return std::make_unique<OnlineLinear>(shape, ReadSettings(parameters));
  };
  info.resume = [](const StreamShape& shape, const ParameterValues& parameters, const std::string& state) {
    auto model = std::make_unique<OnlineLinear>(shape, ReadSettings(parameters));
    model->Restore(state);
    return model;
  };
  return info;
}

const bool registered = Learners().Add("online_linear", MakeOnlineLinear());

}  // namespace
}  // namespace everlearn
