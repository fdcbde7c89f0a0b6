// window_neighbours: the nearest of the newest rows vote, by the inverse of their distance. Good where like rows lie near each other in
// time and the concept moves; a row costs as much as the window is long and wide.
//
// Losing, Hammer & Wersing, KNN Classifier with Self Adjusting Memory for Heterogeneous Concept Drift (ICDM 2016): the memory's length is
// the one of window, window/2, … that erred least lately; here the number of voters too. All of them come from one pass over the window.
// Numbers are scaled by the window's deviations and by how much a feature says of the target by itself, which both follow the window
// four times in its length.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/bytes.h"
#include "base/row_distances.h"
#include "kernels/held_target.h"
#include "learner/learner.h"
#include "learners/window_scales.h"
#include "model/constant.h"

namespace everlearn {
namespace {

constexpr size_t kLengths = 5;                      // window, window/2, … of which one is used
constexpr size_t kVoters = 3;                       // so many numbers of voters are tried: all, a third, one
constexpr size_t kCandidates = kLengths * kVoters;  // length by length
constexpr size_t kMostVoters = 100;
constexpr double kRowsOfLoss = 500;              // the mean loss of a candidate follows the newest
constexpr size_t kMostBytes = size_t{32} << 20;  // of the window
constexpr double kLargestWeight = 1e100;         // sums of so large ones are finite

struct Settings {
  size_t window, voters;
  double relevance, prior_rows;
};

struct Neighbour {
  float distance;  // squared
  uint32_t row;
};

class WindowNeighbours final : public OnlineModel {
 public:
  WindowNeighbours(const StreamShape& shape, const Settings& settings)
      : settings_(settings), features_(shape.features()), classes_(shape.classes), counts_(classes_), votes_(classes_) {
    form_.classes = classes_ > 0;
    form_.outputs = shape.outputs();
    form_.by_distance = true;
    form_.prior_rows = classes_ > 0 ? settings.prior_rows : 0;
    size_t bytes = 2 * sizeof(double);
    for (const bool is_category : shape.is_category) {
      form_.is_category.push_back(is_category);
      bytes += sizeof(double) + (is_category ? sizeof(uint16_t) : 2 * sizeof(float));
    }
    form_.with_missing.assign(features_, 0);
    form_.mean.assign(features_, 0.0);
    form_.scale.assign(features_, 1.0);
    window_ = std::clamp<size_t>(kMostBytes / (bytes + bytes / 4), 16, settings.window);
    capacity_ = window_ + std::max<size_t>(window_ / 4, 1);
    raw_.resize(capacity_ * features_);
    target_.resize(capacity_);
    weight_.resize(capacity_);
    distances_.resize(capacity_);
    asked_.resize(features_);
    for (auto& list : nearest_) list.reserve(settings_.voters + 1);
    Embed();
  }

  void Predict(const double* row, double* out) const override {
    if (rows() == 0) {
      std::fill_n(out, form_.outputs, classes_ > 0 ? 1.0 / static_cast<double>(classes_) : 0.0);
      return;
    }
    Find(row);
    const size_t candidate = Best();
    Vote(candidate, out);
  }

  void Learn(const double* row, double target, double weight) override {
    if (!(weight > 0) || !std::isfinite(target)) return;
    if (classes_ == 0) {
      target = targets_.Learn(target);
      if (targets_.was_absurd()) DropOlderHalf();
    }
    if (rows() > 0) {
      Find(row);
      LearnLosses(target);
    }
    if (rows() == window_ && classes_ > 0) --counts_[static_cast<size_t>(target_[begin_])];
    if (rows() == window_) ++begin_;
    std::copy_n(row, features_, raw_.data() + end_ * features_);
    target_[end_] = target;
    weight_[end_] = std::min(weight, kLargestWeight);
    if (classes_ > 0) ++counts_[static_cast<size_t>(target)];
    EmbedRow(end_++);
    asked_known_ = false;
    const bool doubled = rows() < window_ && (rows() & (rows() - 1)) == 0;  // 1, 2, 4, … rows
    if (doubled || end_ == capacity_) Refresh();
  }

  std::string State() const override {
    ByteWriter out;
    out.PutVarint(begin_);
    out.PutVarint(end_);
    out.PutAll(std::span<const double>(raw_.data() + begin_ * features_, rows() * features_));
    out.PutAll(std::span<const double>(target_.data() + begin_, rows()));
    out.PutAll(std::span<const double>(weight_.data() + begin_, rows()));
    out.PutAll(form_.with_missing);
    out.PutAll(form_.mean);
    out.PutAll(form_.scale);
    out.Put(losses_);
    out.Put(judged_);
    targets_.Save(&out);
    return out.Take();
  }

  // Throws kDamaged where the state is not one of this shape and these settings.
  void Restore(const std::string& state) {
    const auto check = [](bool holds) {
      if (!holds) throw Error(ErrorKind::kDamaged, "a state of window_neighbours does not fit its features, classes or parameters");
    };
    ByteReader in(state);
    begin_ = in.GetVarint();
    end_ = in.GetVarint();
    check(begin_ <= end_ && end_ < capacity_ && rows() <= window_);
    const auto raw = in.GetAll<double>(), target = in.GetAll<double>(), weight = in.GetAll<double>();
    check(raw.size() == rows() * features_ && target.size() == rows() && weight.size() == rows());
    for (size_t i = 0; i < rows(); ++i) {
      check(std::isfinite(target[i]) && weight[i] > 0 && weight[i] <= kLargestWeight);
      if (classes_ == 0) continue;
      check(target[i] >= 0 && target[i] < static_cast<double>(classes_));
      ++counts_[static_cast<size_t>(target[i])];
    }
    std::copy(raw.begin(), raw.end(), raw_.begin() + static_cast<ptrdiff_t>(begin_ * features_));
    std::copy(target.begin(), target.end(), target_.begin() + static_cast<ptrdiff_t>(begin_));
    std::copy(weight.begin(), weight.end(), weight_.begin() + static_cast<ptrdiff_t>(begin_));
    form_.with_missing = in.GetAll<uint8_t>();
    form_.mean = in.GetAll<double>();
    form_.scale = in.GetAll<double>();
    check(form_.with_missing.size() == features_ && form_.mean.size() == features_ && form_.scale.size() == features_);
    for (size_t j = 0; j < features_; ++j) check(std::isfinite(form_.mean[j]) && form_.scale[j] > 0 && std::isfinite(form_.scale[j]));
    losses_ = in.Get<std::array<double, kCandidates>>();
    judged_ = in.Get<double>();
    targets_.Load(&in);
    for (const double loss : losses_) check(std::isfinite(loss));
    check(judged_ >= 0 && in.done());
    Embed();
  }

  std::shared_ptr<const Model> Snapshot() const override {
    if (rows() == 0)
      return MakeConstantModel(features_, std::vector<double>(form_.outputs, classes_ > 0 ? 1.0 / static_cast<double>(classes_) : 0.0));
    NeighboursParameters model = form_;
    const size_t best = Best(), count = std::min(Length(best / kVoters), rows());
    model.neighbours = static_cast<uint32_t>(Voters(best % kVoters));
    const auto newest_first = [&](const auto& values, size_t column, auto* to) {
      for (size_t i = 0; i < count; ++i) to->push_back(values[column * capacity_ + end_ - 1 - i]);
    };
    for (size_t c = 0; c < columns_; ++c) newest_first(coordinates_, c, &model.coordinates);
    for (size_t c = 0; c < apart_.size(); ++c) newest_first(codes_, c, &model.codes);
    newest_first(target_, 0, &model.target);
    newest_first(weight_, 0, &model.weight);
    for (size_t k = 0; k < classes_; ++k) model.prior.push_back(Prior(k));
    return MakeNeighbours(std::move(model));
  }

 private:
  size_t rows() const { return end_ - begin_; }
  size_t Length(size_t length) const { return std::max<size_t>(window_ >> length, 1); }
  size_t Voters(size_t part) const { return part == 0 ? settings_.voters : part == 1 ? (settings_.voters + 2) / 3 : 1; }
  double Prior(size_t k) const { return (static_cast<double>(counts_[k]) + 1) / static_cast<double>(rows() + classes_); }

  // Of equals, the longer memory and the more voters.
  size_t Best() const { return static_cast<size_t>(std::min_element(losses_.begin(), losses_.end()) - losses_.begin()); }

  // The oldest rows are dropped to make room, and all are scaled anew.
  void Refresh() {
    const auto shift = [&](std::vector<double>* values, size_t width) {
      std::copy(values->begin() + static_cast<ptrdiff_t>(begin_ * width), values->begin() + static_cast<ptrdiff_t>(end_ * width),
                values->begin());
    };
    shift(&raw_, features_);
    shift(&target_, 1);
    shift(&weight_, 1);
    end_ -= begin_;
    begin_ = 0;
    ScaleByWindow({raw_.data(), end_, features_}, target_.data(), classes_, settings_.relevance, &form_);
    Embed();
  }

  // It holds a target that was absurd.
  void DropOlderHalf() {
    begin_ += (rows() + 1) / 2;
    judged_ = 0;
    losses_ = {};
    asked_known_ = false;
    if (rows() > 0) Refresh();
  }

  void Embed() {
    columns_ = 0;
    apart_.clear();
    for (size_t j = 0; j < features_; ++j) {
      columns_ += form_.is_category[j] ? 0 : form_.with_missing[j] ? 2 : 1;
      if (form_.is_category[j]) apart_.push_back(static_cast<float>(form_.scale[j] * form_.scale[j]));
    }
    coordinates_.resize(columns_ * capacity_);
    codes_.resize(apart_.size() * capacity_);
    for (size_t i = begin_; i < end_; ++i) EmbedRow(i);
    asked_known_ = false;
  }

  void EmbedRow(size_t i) {
    Read(raw_.data() + i * features_);
    for (size_t c = 0; c < columns_; ++c) coordinates_[c * capacity_ + i] = row_coordinates_[c];
    // Categories beyond all codes share the last one.
    for (size_t c = 0; c < apart_.size(); ++c)
      codes_[c * capacity_ + i] = static_cast<uint16_t>(row_codes_[c] > kMissingNeighbourCode ? kMissingNeighbourCode - 1u : row_codes_[c]);
  }

  void Read(const double* row) const {
    row_coordinates_.clear();
    row_codes_.clear();
    EmbedNeighbour(form_, row, &row_coordinates_, &row_codes_);
  }

  // The nearest rows of each length of the memory; remembered until a row is learnt, for the row that is learnt is often the one that was
  // predicted last.
  void Find(const double* row) const {
    if (asked_known_ && std::memcmp(asked_.data(), row, features_ * sizeof(double)) == 0) return;
    std::copy_n(row, features_, asked_.begin());
    asked_known_ = true;
    Read(row);
    SquaredDistances({coordinates_.data() + begin_, codes_.data() + begin_, capacity_, rows(), columns_, apart_.size()},
                     row_coordinates_.data(), row_codes_.data(), apart_.data(), distances_.data());
    size_t from = rows();  // rows from here on were looked at
    for (size_t length = kLengths; length-- > 0;) {
      const size_t to = rows() - std::min(Length(length), rows());
      std::vector<Neighbour>& list = nearest_[length];
      if (length + 1 == kLengths) {
        list.clear();
      } else {
        list.assign(nearest_[length + 1].begin(), nearest_[length + 1].end());
      }
      while (from > to) Consider(--from, &list);
    }
  }

  // Nearest first; of equals, the newest, which came first.
  void Consider(size_t i, std::vector<Neighbour>* list) const {
    const float distance = distances_[i];
    const bool full = list->size() == settings_.voters;
    if (full && !(distance < list->back().distance)) return;
    if (full) list->pop_back();
    auto place = list->end();
    while (place != list->begin() && distance < (place - 1)->distance) --place;
    list->insert(place, {distance, static_cast<uint32_t>(begin_ + i)});
  }

  // The prediction of a candidate for the row that was found, as model/neighbours.h makes it.
  void Vote(size_t candidate, double* out) const {
    const std::vector<Neighbour>& list = nearest_[candidate / kVoters];
    const size_t most = std::min(Voters(candidate % kVoters), list.size());
    const bool exact = list[0].distance == 0;
    double total = 0;
    size_t voters = 0;
    std::array<double, kMostVoters> votes;
    for (; voters < most && !(exact && list[voters].distance > 0); ++voters) {
      votes[voters] = weight_[list[voters].row];
      if (!exact) votes[voters] /= std::sqrt(static_cast<double>(list[voters].distance));
      total += votes[voters];
    }
    if (classes_ == 0) {
      double sum = 0;
      for (size_t i = 0; i < voters; ++i) sum += votes[i] / total * target_[list[i].row];
      out[0] = sum;
      return;
    }
    const auto count = static_cast<double>(voters);
    for (size_t k = 0; k < classes_; ++k) out[k] = form_.prior_rows * Prior(k) / (count + form_.prior_rows);
    for (size_t i = 0; i < voters; ++i)
      out[static_cast<size_t>(target_[list[i].row])] += votes[i] / total * count / (count + form_.prior_rows);
  }

  void LearnLosses(double target) {
    judged_ += 1;
    const double rate = 1 / std::min(judged_, kRowsOfLoss);
    for (size_t c = 0; c < kCandidates; ++c) {
      double loss = 0, value = 0;
      if (classes_ > 0) {
        Vote(c, votes_.data());
        loss = std::max_element(votes_.begin(), votes_.end()) - votes_.begin() == static_cast<ptrdiff_t>(target) ? 0 : 1;
      } else {
        Vote(c, &value);
        const double error = std::clamp((value - target) / targets_.deviation(), -kOutlierDeviations, kOutlierDeviations);
        loss = error * error;
      }
      losses_[c] += rate * (loss - losses_[c]);
    }
  }

  Settings settings_;
  size_t features_, classes_;
  size_t window_, capacity_;    // rows that vote at most, and places for them
  size_t begin_ = 0, end_ = 0;  // the rows of the window, from the oldest on
  NeighboursParameters form_;   // all but the stored rows
  std::vector<double> raw_, target_, weight_;
  size_t columns_ = 0;
  std::vector<float> coordinates_;  // columns_ × capacity_
  std::vector<uint16_t> codes_;     // categories × capacity_
  std::vector<float> apart_;        // squared distance of two categories, one a category
  std::vector<uint64_t> counts_;    // of classes in the window
  std::array<double, kCandidates> losses_{};
  double judged_ = 0;
  HeldTarget targets_;
  std::vector<double> votes_;
  mutable bool asked_known_ = false;  // of the row that was found; so too all that follows
  mutable std::vector<double> asked_;
  mutable std::vector<float> row_coordinates_, distances_;
  mutable std::vector<uint32_t> row_codes_;
  mutable std::array<std::vector<Neighbour>, kLengths> nearest_;
};

Settings ReadSettings(const ParameterValues& parameters) {
  return {static_cast<size_t>(parameters.Integer("window")), static_cast<size_t>(parameters.Integer("neighbours")),
          parameters.Number("relevance"), parameters.Number("prior_rows")};
}

LearnerInfo MakeWindowNeighbours() {
  constexpr auto kLog = ParameterScale::kLog;
  LearnerInfo info;
  info.summary = "The nearest of the newest rows vote; the memory's length follows what erred least. For streams whose concept moves.";
  info.paper = "Losing, Hammer & Wersing, KNN Classifier with Self Adjusting Memory for Heterogeneous Concept Drift (ICDM 2016)";
  info.parameters = {
      {"window", ParameterType::kInteger, 2000, 16, 100000, kLog, {}, "Newest rows that are kept, at most 32 MB of them."},
      {"neighbours", ParameterType::kInteger, 15, 1, kMostVoters, kLog, {}, "Rows that vote, at most."},
      {"relevance",
       ParameterType::kNumber,
       1,
       0,
       2,
       ParameterScale::kLinear,
       {},
       "How far a feature's scale follows from how much it says of the target by itself; 0: not at all."},
      {"prior_rows", ParameterType::kNumber, 1, 1e-6, 100, kLog, {}, "Rows of average class shares among the voters."},
  };
  info.binary = info.multiclass = info.regression = true;
  info.weights = true;
  info.exceptions = {"WeightsMatter: by distance, a training row asks nobody but itself",
                     "ColumnOrderDoesNotMatter: distances are sums in single precision"};
  info.cost_units = [](double rows, double features, double, const ParameterValues& parameters) {
    const double window = static_cast<double>(parameters.Integer("window"));
    return 0.05 + rows * (1e-4 + 1e-7 * window + 6e-9 * window * features);
  };
  info.start = [](const StreamShape& shape, const ParameterValues& parameters, uint64_t) {
    return std::make_unique<WindowNeighbours>(shape, ReadSettings(parameters));
  };
  info.resume = [](const StreamShape& shape, const ParameterValues& parameters, const std::string& state) {
    auto model = std::make_unique<WindowNeighbours>(shape, ReadSettings(parameters));
    model->Restore(state);
    return model;
  };
  return info;
}

const bool registered = Learners().Add("window_neighbours", MakeWindowNeighbours());

}  // namespace
}  // namespace everlearn
