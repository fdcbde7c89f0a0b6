// online_crosses: linear, logistic or softmax regression over the features and the products of each two of them, hashed, that learns row by
// row. Good where features act together: words of a text, categories, questionnaires; and as a quick stand-in for trees on a stream.
//
// The crosses are those of Vowpal Wabbit's --quadratic (Langford, Li & Strehl 2007), in a table of 2^bits weights that collisions share
// (Weinberger et al., Feature Hashing for Large Scale Multitask Learning, 2009). They learn by coin betting (kernels/online_weights.h). A
// row's values are divided by the root of their mean squared length, as Vowpal Wabbit does in its way: a thousand crosses would else each
// bet its own wealth on the same outcome. Zeros of mostly empty columns cost nothing; a row with very many values takes a fixed part of its
// features for crosses, so that its cost is bounded.
#include <algorithm>
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
  size_t crosses;
  WeightRule rule;
};

class OnlineCrosses final : public OnlineModel {
 public:
  OnlineCrosses(const StreamShape& shape, const Settings& settings)
      : settings_(settings),
        target_(shape.classes),
        scores_(target_.scores()),
        bits_(BitsOfEach(settings.bits, scores_)),
        features_(shape, bits_, true),
        bias_(kWeightFields * scores_),
        table_((kWeightFields * scores_) << bits_),
        slopes_(scores_) {}

  void Predict(const double* row, double* out) const override {
    ReadRow(row);
    Score(out);
    target_.Predict(out);
  }

  void Learn(const double* row, double target, double weight) override {
    if (!(weight > 0) || !std::isfinite(target)) return;
    features_.Learn(row);
    ReadRow(row);
    double square = 1;  // with the bias
    for (const Value& value : values_) square += value.value * value.value;
    ++rows_;
    mean_square_ += (square - mean_square_) / std::min(static_cast<double>(rows_), kRowsOfLength);
    length_ = std::sqrt(mean_square_);
    Score(slopes_.data());
    target_.Slopes(target, slopes_.data());
    Update(bias_.data(), weight);
    for (const Value& value : values_) {
      const bool was_used = IsUsed(value.place);
      Update(Block(value.place), weight * value.value);
      if (!was_used && IsUsed(value.place)) used_.push_back(value.place);
    }
  }

  std::string State() const override {
    ByteWriter out;
    out.PutVarint(scores_);
    out.PutVarint(static_cast<uint64_t>(bits_));
    features_.Save(&out);
    target_.Save(&out);
    out.Put(rows_);
    out.Put(mean_square_);
    out.PutAll(bias_);
    const std::vector<uint32_t>& places = UsedPlaces();
    out.PutAll(places);
    for (const uint32_t place : places) {
      for (size_t i = 0; i < kWeightFields * scores_; ++i) out.Put(Block(place)[i]);
    }
    return out.Take();
  }

  // Throws kDamaged where the state is not one of this shape and these settings.
  void Restore(const std::string& state) {
    ByteReader in(state);
    if (in.GetVarint() != scores_ || in.GetVarint() != static_cast<uint64_t>(bits_))
      throw Error(ErrorKind::kDamaged, "a state of online_crosses does not fit its classes or parameters");
    features_.Load(&in);
    target_.Load(&in);
    rows_ = in.Get<uint64_t>();
    mean_square_ = in.Get<double>();
    length_ = std::sqrt(mean_square_);
    bias_ = in.GetAll<double>();
    if (bias_.size() != kWeightFields * scores_ || !(mean_square_ >= 1))
      throw Error(ErrorKind::kDamaged, "a state of online_crosses has a wrong bias or length");
    for (const uint32_t place : in.GetAll<uint32_t>()) {
      if (place >> bits_ != 0) throw Error(ErrorKind::kDamaged, "a state of online_crosses names a wrong weight");
      for (size_t i = 0; i < kWeightFields * scores_; ++i) Block(place)[i] = in.Get<double>();
    }
    used_.clear();
    for (uint32_t place = 0; place >> bits_ == 0; ++place)
      if (IsUsed(place)) used_.push_back(place);
    if (!in.done()) throw Error(ErrorKind::kDamaged, "a state of online_crosses is too long");
  }

  std::shared_ptr<const Model> Snapshot() const override {
    HashedLinearParameters model;
    model.features = features_.Features();
    model.most_crosses = settings_.crosses;
    for (size_t k = 0; k < scores_; ++k) model.bias.push_back(bias_[k] / length_);
    model.indices = UsedPlaces();
    model.weights.reserve(model.indices.size() * scores_);
    for (const uint32_t place : model.indices)
      for (size_t k = 0; k < scores_; ++k) model.weights.push_back(Block(place)[k] / length_);
    target_.Complete(&model);
    return MakeHashedLinearModel(std::move(model));
  }

 private:
  static constexpr double kRowsOfLength = 10'000;  // the mean square follows the newest

  struct Value {
    uint32_t place;
    double value;
  };

  // The fields of kernels/online_weights.h of a place, each of one number a score, the weights first.
  double* Block(uint32_t place) { return table_.data() + place * kWeightFields * scores_; }
  const double* Block(uint32_t place) const { return table_.data() + place * kWeightFields * scores_; }

  // Whether it was ever updated; it then has a largest gradient.
  bool IsUsed(uint32_t place) const { return Block(place)[(kWeightFields - 1) * scores_] > 0; }

  // In ascending order. The table itself is so large that a look at all of it would make snapshots dear.
  const std::vector<uint32_t>& UsedPlaces() const {
    const auto first_new = std::is_sorted_until(used_.begin(), used_.end());
    std::sort(first_new, used_.end());
    std::inplace_merge(used_.begin(), first_new, used_.end());
    return used_;
  }

  // Features and crosses of a row.
  void ReadRow(const double* row) const {
    features_.Read(row);
    values_.clear();
    crossed_.clear();
    const auto numbers = features_.numbers();
    for (size_t i = 0; i < numbers.size(); ++i)
      if (numbers[i] != 0) crossed_.push_back({features_.hashes()[i], numbers[i], true});
    crossed_.insert(crossed_.end(), features_.hashed().begin(), features_.hashed().end());
    const uint32_t mask = (uint32_t{1} << bits_) - 1;
    for (const HashedValue& value : crossed_) values_.push_back({PlaceOf(value.hash, mask), value.value});
    KeepCrossed(settings_.crosses, &crossed_);
    ForEachCross(crossed_, bits_, [this](uint32_t place, double value) { values_.push_back({place, value}); });
  }

  void Score(double* scores) const {
    for (size_t k = 0; k < scores_; ++k) scores[k] = bias_[k];
    for (const Value& value : values_)
      for (size_t k = 0; k < scores_; ++k) scores[k] += value.value * Block(value.place)[k];
    for (size_t k = 0; k < scores_; ++k) scores[k] /= length_;
  }

  // `value`: of the feature, times the weight of the row.
  void Update(double* block, double value) const {
    const WeightArrays arrays{block, block + scores_, block + 2 * scores_, block + 3 * scores_, block + 4 * scores_};
    for (size_t k = 0; k < scores_; ++k) UpdateWeight<true>(settings_.rule, arrays, k, slopes_[k] * value, std::abs(value));
  }

  Settings settings_;
  StreamTarget target_;
  size_t scores_;
  int bits_;  // of the table: all scores together have at most 2^settings.bits weights
  StreamFeatures features_;
  uint64_t rows_ = 0;
  double mean_square_ = 1;  // of a row's length
  double length_ = 1;       // its root, by which values are divided
  std::vector<double> bias_, table_;
  mutable std::vector<uint32_t> used_;        // places
  std::vector<double> slopes_;                // of the loss of the row that is being learned, one a score
  mutable std::vector<Value> values_;         // of the row that was read, without the bias
  mutable std::vector<HashedValue> crossed_;  // its features that are crossed
};

LearnerInfo MakeOnlineCrosses() {
  LearnerInfo info;
  info.summary = "Linear, logistic or softmax regression over hashed features and their products that learns row by row.";
  info.paper =
      "Weinberger et al., Feature Hashing for Large Scale Multitask Learning (2009); Orabona & Tommasi, Training Deep Networks without "
      "Learning Rates Through Coin Betting (2017)";
  info.parameters = {
      {"bits", ParameterType::kInteger, 18, 8, 24, ParameterScale::kLinear, {}, "There are at most 2^bits weights, 40 bytes each."},
      {"crosses", ParameterType::kInteger, 4096, 1, 1e6, ParameterScale::kLog, {}, "Most products of a row."},
      {"forgetting",
       ParameterType::kNumber,
       0.0003,
       0,
       0.1,
       ParameterScale::kLinear,
       {},
       "Part of a weight's past that fades at each of its updates."},
  };
  info.binary = info.multiclass = info.regression = true;
  info.weights = true;
  info.cost_units = [](double rows, double features, double outputs, const ParameterValues& parameters) {
    const double scores = outputs > 2 ? outputs : 1;
    const double values = features + 1 + std::min(features * (features + 1) / 2, static_cast<double>(parameters.Integer("crosses")));
    return 0.05 + (1.1e-6 + 4e-7 * scores) * rows * values;  // measured: 11 ns a feature or cross and 4 ns for each of its weights
  };
  const auto settings = [](const ParameterValues& parameters) {
    return Settings{static_cast<int>(parameters.Integer("bits")),
                    static_cast<size_t>(parameters.Integer("crosses")),
                    {.keep = 1 - parameters.Number("forgetting")}};
  };
  info.start = [settings](const StreamShape& shape, const ParameterValues& parameters, uint64_t) {
    return std::make_unique<OnlineCrosses>(shape, settings(parameters));
  };
  info.resume = [settings](const StreamShape& shape, const ParameterValues& parameters, const std::string& state) {
    auto model = std::make_unique<OnlineCrosses>(shape, settings(parameters));
    model->Restore(state);
    return model;
  };
  return info;
}

const bool registered = Learners().Add("online_crosses", MakeOnlineCrosses());

}  // namespace
}  // namespace everlearn
