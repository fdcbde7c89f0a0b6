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
#include <cmath>
#include <limits>
#include <numeric>

#include "base/bytes.h"
#include "learner/learner.h"
#include "model/hashed_linear.h"

namespace everlearn {
namespace {

constexpr double kNumberLimit = 3;       // of standardised numbers
constexpr double kOutlier = 20;          // deviations: what lies farther counts as this far in the running moments
constexpr double kLargestValue = 1e100;  // its square times any number of rows is still finite
constexpr double kFirstWealth = 2;       // of each coin, in units of the largest gradient seen
constexpr uint64_t kWarmRows = 30;       // before these, nothing is an outlier

// Running mean and standard deviation (Welford), robust to single values.
struct RunningMoments {
  uint64_t count = 0;
  double mean = 0, squares = 0;

  double deviation() const {
    const double d = count > 0 ? std::sqrt(squares / static_cast<double>(count)) : 0.0;
    return d > 1e-100 ? d : 1.0;
  }
  void Add(double value) {
    value = std::clamp(value, -kLargestValue, kLargestValue);
    if (count >= kWarmRows && squares > 0) {
      const double reach = kOutlier * deviation();
      value = std::clamp(value, mean - reach, mean + reach);
    }
    ++count;
    const double from_mean = value - mean;
    mean += from_mean / static_cast<double>(count);
    squares += from_mean * (value - mean);
  }
};

// One weight and what its algorithm remembers.
struct Coordinate {
  double weight = 0;
  double sum = 0;        // coin betting: of the negative gradients; FTRL: z
  double magnitude = 0;  // coin betting: of the gradients' absolute values; FTRL: of their squares
  double reward = 0;     // coin betting: what the bets have won
  double largest = 0;    // coin betting: gradient that was seen or possible
};

struct Settings {
  bool coin_betting;
  int bits;
  double keep;  // 1 - forgetting
  double learning_rate, l1, l2;
};

Settings ReadSettings(const ParameterValues& parameters) {
  return {parameters.Choice("algorithm") == "coin_betting",
          static_cast<int>(parameters.Integer("bits")),
          1 - parameters.Number("forgetting"),
          parameters.Number("learning_rate"),
          parameters.Number("l1"),
          parameters.Number("l2")};
}

class OnlineLinear final : public OnlineModel {
 public:
  OnlineLinear(const StreamShape& shape, const Settings& settings)
      : shape_(shape),
        settings_(settings),
        scores_(shape.classes > 2 ? shape.classes : 1),
        moments_(shape.features()),
        bias_(scores_),
        slot_of_(size_t{1} << settings.bits, 0),
        coordinates_(scores_),
        values_(shape.features()),
        slopes_(scores_) {
    features_.is_category.assign(shape.is_category.begin(), shape.is_category.end());
    features_.mean.assign(shape.features(), 0.0);
    features_.scale.assign(shape.features(), 1.0);
    features_.bits = settings.bits;
    features_.limit = kNumberLimit;
  }

  void Predict(const double* row, double* out) const override {
    for (size_t k = 0; k < scores_; ++k) out[k] = bias_[k].weight;
    ForEachHashed(features_, row, [&](uint32_t index, double value) {
      const Coordinate* weights = coordinates_.data() + slot_of_[index] * scores_;
      for (size_t k = 0; k < scores_; ++k) out[k] += value * weights[k].weight;
    });
    if (shape_.classes == 0) {
      if (target_.count > 0) out[0] = std::clamp(target_.mean + target_.deviation() * out[0], low_, high_);
      return;
    }
    ApplyLink(link(), out, shape_.outputs(), 1.0, out);
  }

  void Learn(const double* row, double target, double weight) override {
    if (!(weight > 0) || !std::isfinite(target)) return;
    for (size_t j = 0; j < moments_.size(); ++j) {
      if (shape_.is_category[j] || std::isnan(row[j])) continue;
      moments_[j].Add(row[j]);
      features_.mean[j] = moments_[j].mean;
      features_.scale[j] = moments_[j].deviation();
    }
    size_t count = 0;
    for (size_t k = 0; k < scores_; ++k) slopes_[k] = bias_[k].weight;
    ForEachHashed(features_, row, [&](uint32_t index, double value) {
      const uint32_t slot = SlotOf(index);
      values_[count++] = {slot, value};
      const Coordinate* weights = coordinates_.data() + slot * scores_;
      for (size_t k = 0; k < scores_; ++k) slopes_[k] += value * weights[k].weight;
    });
    SlopesOfLoss(target);
    for (size_t k = 0; k < scores_; ++k) Update(&bias_[k], slopes_[k], 1.0, weight);
    for (size_t i = 0; i < count; ++i) {
      if (values_[i].value == 0) continue;
      Coordinate* weights = coordinates_.data() + values_[i].slot * scores_;
      for (size_t k = 0; k < scores_; ++k) Update(&weights[k], slopes_[k], values_[i].value, weight);
    }
  }

  std::string State() const override {
    ByteWriter out;
    out.PutVarint(scores_);
    out.PutVarint(static_cast<uint64_t>(settings_.bits));
    out.PutAll(moments_);
    out.Put(target_);
    out.Put(low_);
    out.Put(high_);
    out.PutAll(bias_);
    out.PutAll(indices_);
    out.PutAll(std::span<const Coordinate>(coordinates_).subspan(scores_));
    return out.Take();
  }

  // Throws kDamaged where the state is not one of this shape and these settings.
  void Restore(const std::string& state) {
    ByteReader in(state);
    const bool same_shape = in.GetVarint() == scores_ && in.GetVarint() == static_cast<uint64_t>(settings_.bits);
    const auto moments = in.GetAll<RunningMoments>();
    target_ = in.Get<RunningMoments>();
    low_ = in.Get<double>();
    high_ = in.Get<double>();
    bias_ = in.GetAll<Coordinate>();
    indices_ = in.GetAll<uint32_t>();
    const auto coordinates = in.GetAll<Coordinate>();
    if (!same_shape || moments.size() != moments_.size() || bias_.size() != scores_ || coordinates.size() != indices_.size() * scores_ ||
        !in.done()) {
      throw Error(ErrorKind::kDamaged, "a state of online_linear does not fit its features, classes or parameters");
    }
    moments_ = moments;
    for (size_t j = 0; j < moments_.size(); ++j) {
      features_.mean[j] = moments_[j].mean;
      features_.scale[j] = moments_[j].deviation();
    }
    coordinates_.resize(scores_);
    coordinates_.insert(coordinates_.end(), coordinates.begin(), coordinates.end());
    for (size_t i = 0; i < indices_.size(); ++i) {
      if (indices_[i] > features_.mask() || slot_of_[indices_[i]] != 0)
        throw Error(ErrorKind::kDamaged, "a state of online_linear names a wrong weight");
      slot_of_[indices_[i]] = static_cast<uint32_t>(i + 1);
    }
  }

  std::shared_ptr<const Model> Snapshot() const override {
    HashedLinearParameters model;
    model.features = features_;
    model.outputs = shape_.outputs();
    model.link = link();
    const double scale = shape_.classes == 0 ? target_.deviation() : 1.0;
    for (const Coordinate& b : bias_) model.bias.push_back(scale * b.weight + (shape_.classes == 0 ? target_.mean : 0.0));
    model.indices = indices_;
    std::sort(model.indices.begin(), model.indices.end());
    for (const uint32_t index : model.indices)
      for (size_t k = 0; k < scores_; ++k) model.weights.push_back(scale * coordinates_[slot_of_[index] * scores_ + k].weight);
    return MakeHashedLinearModel(std::move(model));
  }

 private:
  struct Value {
    uint32_t slot;
    double value;
  };

  Link link() const { return shape_.classes == 0 ? Link::kIdentity : scores_ == 1 ? Link::kSigmoid : Link::kSoftmax; }

  uint32_t SlotOf(uint32_t index) {
    uint32_t& slot = slot_of_[index];
    if (slot == 0) {
      indices_.push_back(index);
      slot = static_cast<uint32_t>(indices_.size());
      coordinates_.resize(coordinates_.size() + scores_);
    }
    return slot;
  }

  // Turns the scores in slopes_ into the derivatives of the loss by them.
  void SlopesOfLoss(double target) {
    if (shape_.classes == 0) {
      low_ = std::min(low_, target);
      high_ = std::max(high_, target);
      target_.Add(target);
      const double standardised = (target - target_.mean) / target_.deviation();
      slopes_[0] -= std::clamp(standardised, -kOutlier, kOutlier);
    } else if (scores_ == 1) {
      slopes_[0] = 1 / (1 + std::exp(-slopes_[0])) - target;
    } else {
      ApplyLink(Link::kSoftmax, slopes_.data(), scores_, 1.0, slopes_.data());
      slopes_[static_cast<size_t>(target)] -= 1;
    }
  }

  void Update(Coordinate* c, double slope, double value, double row_weight) const {
    const double gradient = row_weight * slope * value;
    if (!settings_.coin_betting) {
      const double squares = c->magnitude + gradient * gradient;
      c->sum += gradient - (std::sqrt(squares) - std::sqrt(c->magnitude)) / settings_.learning_rate * c->weight;
      c->magnitude = squares;
      const double shrunk = std::abs(c->sum) - settings_.l1;
      c->weight = shrunk > 0 ? -std::copysign(shrunk, c->sum) / ((1 + std::sqrt(squares)) / settings_.learning_rate + settings_.l2) : 0.0;
      return;
    }
    c->largest = std::max({c->largest, std::abs(gradient), row_weight * std::abs(value)});
    c->sum = c->sum * settings_.keep - gradient;
    c->magnitude = c->magnitude * settings_.keep + std::abs(gradient);
    c->reward = std::max(c->reward * settings_.keep - gradient * c->weight, 0.0);
    c->weight = c->sum / (c->largest * (c->magnitude + c->largest)) * (kFirstWealth * c->largest + c->reward);
  }

  StreamShape shape_;
  Settings settings_;
  size_t scores_;
  HashedFeatures features_;
  std::vector<RunningMoments> moments_;
  RunningMoments target_;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -std::numeric_limits<double>::infinity();
  std::vector<Coordinate> bias_;         // one a score
  std::vector<uint32_t> slot_of_;        // of each hashed index; 0: no weight yet
  std::vector<uint32_t> indices_;        // of slots 1, 2, …
  std::vector<Coordinate> coordinates_;  // slots × scores; slot 0 stays 0
  std::vector<Value> values_;            // of the row that is being learned
  std::vector<double> slopes_;           // of its loss, one a score
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
      {"bits", ParameterType::kInteger, 18, 8, 24, ParameterScale::kLinear, {}, "There are at most 2^bits weights a class."},
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
    const double scores = outputs > 2 ? outputs : 1;  // measured: 25 ns a feature, and 7 ns more for each of its weights
    return 0.05 + (2.5e-6 + 0.7e-6 * scores) * rows * (features + 2);
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
