// streaming_gradient_boosting: small trees that each learn what the others still got wrong in the newest rows; a new one takes the place of
// the oldest every few rows, and each outcome moves the leaves that its row is in. The most accurate single member where features interact.
//
// Montiel, Mitchell, Frank, Pfahringer, Abdessalem & Bifet, Adaptive XGBoost for evolving data streams (IJCNN 2020), for the replacement of
// the oldest; Gunasekara, Pfahringer, Gomes & Bifet, Gradient boosted trees for evolving data streams (Machine Learning 2024), for a part
// of the features a tree. Several classes share a tree, whose splits are those of one class, drawn by how wrong it is (Iosipoi &
// Vakhrushev, SketchBoost, 2022). Ours: the step of the leaves, shared by all trees, is stochastic gradient descent on the kernel that the
// trees span; without it, new concepts wait for new trees. Trees are grown from histograms of the window, which is binned anew four times
// in its length.
//
// What new trees learn from is an approximation: a row of the window has the score of when it came, moved by its own outcome, and since
// then only by trees that came and went; steps of later rows are not in it, and a tree that goes takes its present steps along. Scores made
// anew before each tree, with steps that the rows took part in, were less accurate on four of five streams, and several times slower.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "kernels/held_target.h"
#include "learner/learner.h"
#include "learners/tree_ring.h"
#include "learners/window_bins.h"
#include "model/link.h"

namespace everlearn {
namespace {

constexpr size_t kMostBytes = size_t{24} << 20;  // of the window
constexpr size_t kMostBytesOfTrees = size_t{8} << 20;
constexpr size_t kFirstTree = 16;         // rows before the first tree
constexpr size_t kRowsATreeAtFirst = 20;  // while the window is short, a new tree comes after a twentieth more of them
constexpr double kRowsOfRecentLoss = 100, kRowsOfUsualLoss = 2000;
constexpr double kAlarmFactor = 1.5, kAlarmLoss = 0.1;   // a recent loss above 1.5 × the usual one + 0.1 is a change of concept
constexpr double kLeastShare = 1e-3, kLargestError = 5;  // losses are held, so that a single row is no change
constexpr size_t kRowsAfterChange = 50;
constexpr double kMostFactor = 1, kFirstCurvature = 20, kKeepCurvature = 1 - 1.0 / 2000;
constexpr double kMostStep = 4;  // of a leaf, in log-odds or deviations, before the learning rate

struct Settings {
  size_t trees, depth, window, rows_a_tree;
  double learning_rate, online_step, features, l2;
};

// With very many classes, fewer than asked for.
size_t MostTrees(const Settings& settings, size_t scores) {
  return std::clamp<size_t>(kMostBytesOfTrees / TreeRing::BytesOfTree(settings.depth, scores), 1, settings.trees);
}

class StreamingGradientBoosting final : public OnlineModel {
 public:
  StreamingGradientBoosting(const StreamShape& shape, const Settings& settings, uint64_t seed)
      : settings_(settings),
        features_(shape.features()),
        classes_(shape.classes),
        scores_(classes_ > 2 ? classes_ : 1),
        seed_(seed),
        trees_(MostTrees(settings, scores_), settings.depth, scores_),
        bins_(shape),
        grower_({settings.depth, settings.l2, classes_ > 0 ? 1e-3 : 1.0, 3}),
        base_(scores_),
        counts_(classes_),
        shares_(shape.outputs()),
        factor_(settings.online_step),
        sum_(scores_),
        steps_(scores_) {
    const size_t bytes = features_ * (sizeof(double) + 1) + (2 + scores_) * sizeof(double);
    window_ = std::clamp<size_t>(kMostBytes / (bytes + bytes / 4), 64, settings.window);
    capacity_ = window_ + std::max<size_t>(window_ / 4, 1);
    raw_.resize(capacity_ * features_);
    codes_.resize(capacity_ * features_);
    target_.resize(capacity_);
    score_.resize(capacity_ * scores_);
    gradient_.resize(capacity_);
    hessian_.resize(capacity_);
  }

  void Predict(const double* row, double* out) const override {
    if (trees_.size() == 0) {
      First(out);
      return;
    }
    Score(row, sum_.data());
    if (classes_ == 0) {
      out[0] = sum_[0];
    } else {
      ApplyLink(link(), sum_.data(), classes_, 1.0, out);
    }
  }

  void Learn(const double* row, double target, double weight) override {
    if (!(weight > 0) || !std::isfinite(target)) return;
    if (classes_ == 0) {
      target = targets_.Learn(target);
      if (targets_.was_absurd()) BeginAnew();
    } else {
      counts_[static_cast<size_t>(target)] += 1;
    }
    if (end_ == capacity_) Refresh();
    std::copy_n(row, features_, raw_.data() + end_ * features_);
    bins_.Code(row, codes_.data() + end_ * features_);
    target_[end_] = target;
    Score(row, score_.data() + end_ * scores_);
    WatchLoss(end_);
    MoveLeaves(row, end_);
    ++end_;
    if (end_ - begin_ > window_) ++begin_;
    ++since_tree_;
    ++rows_;
    if (rows_ < kFirstTree || since_tree_ < std::clamp<uint64_t>((end_ - begin_) / kRowsATreeAtFirst, 1, settings_.rows_a_tree)) return;
    since_tree_ = 0;
    if (trees_.size() == 0) Begin();
    const bool doubled = rows_ < window_ && rows_ >= 2 * rows_at_refresh_;
    if (doubled) Refresh();
    ReplaceOldest();
    AddTree();
  }

  std::string State() const override {
    ByteWriter out;
    out.Put(seed_);
    out.Put(draws_);
    out.Put(rows_);
    out.Put(rows_at_refresh_);
    out.Put(since_tree_);
    out.PutVarint(begin_);
    out.PutVarint(end_);
    const auto put = [&](const std::vector<double>& values, size_t width) {
      out.PutAll(std::span<const double>(values.data() + begin_ * width, (end_ - begin_) * width));
    };
    put(raw_, features_);
    put(target_, 1);
    put(score_, scores_);
    bins_.Save(&out);
    out.PutAll(base_);
    out.PutAll(counts_);
    targets_.Save(&out);
    for (const double number : {judged_, recent_loss_, usual_loss_, factor_, curvature_}) out.Put(number);
    trees_.Save(&out);
    return out.Take();
  }

  void Restore(const std::string& state);

  std::shared_ptr<const Model> Snapshot() const override {
    TreesParameters model;
    model.features = features_;
    model.outputs = std::max<size_t>(classes_, 1);
    model.link = link();
    model.leaf_width = static_cast<uint32_t>(scores_);
    std::vector<double> first(std::max<size_t>(classes_, 1));
    if (trees_.size() > 0) {
      first = base_;
    } else if (First(first.data()); classes_ > 0) {
      if (classes_ == 2) first = {std::log(first[1] / first[0])};
      if (classes_ > 2)
        for (double& share : first) share = std::log(share);
    }
    model.leaves.push_back(1);  // a tree of one leaf: what the sums begin with
    model.leaf_values = first;
    trees_.AppendTo(factor_, &model);
    return MakeTrees(std::move(model));
  }

 private:
  Link link() const { return classes_ == 0 ? Link::kIdentity : classes_ == 2 ? Link::kSigmoid : Link::kSoftmax; }
  double Draw() { return static_cast<double>(MixBits(seed_ + 0x9e3779b97f4a7c15ULL * ++draws_) >> 11) * 0x1.0p-53; }

  // After an early target that was absurd: its row is among the older half of the window, which goes too.
  void BeginAnew() {
    while (trees_.size() > 0) trees_.DropOldest();
    begin_ += (end_ - begin_ + 1) / 2;
    judged_ = recent_loss_ = usual_loss_ = 0;
    factor_ = settings_.online_step;
    curvature_ = kFirstCurvature;
  }

  // Before the first tree: shares of the classes, or the mean.
  void First(double* out) const {
    if (classes_ == 0) {
      out[0] = targets_.mean();
      return;
    }
    for (size_t k = 0; k < classes_; ++k)
      out[k] = (static_cast<double>(counts_[k]) + 0.5) / (static_cast<double>(rows_) + 0.5 * static_cast<double>(classes_));
  }

  void Begin() {
    std::vector<double> first(std::max<size_t>(classes_, 1));
    First(first.data());
    if (classes_ == 0) base_[0] = first[0];
    if (classes_ == 2) base_[0] = std::log(first[1] / first[0]);
    if (classes_ > 2)
      for (size_t k = 0; k < classes_; ++k) base_[k] = std::log(first[k]);
    for (size_t i = begin_; i < end_; ++i) std::copy(base_.begin(), base_.end(), score_.begin() + static_cast<ptrdiff_t>(i * scores_));
    Refresh();
  }

  // The oldest rows make room, and the window is binned anew.
  void Refresh() {
    const auto shift = [&](std::vector<double>* values, size_t width) {
      std::copy(values->begin() + static_cast<ptrdiff_t>(begin_ * width), values->begin() + static_cast<ptrdiff_t>(end_ * width),
                values->begin());
    };
    shift(&raw_, features_);
    shift(&target_, 1);
    shift(&score_, scores_);
    end_ -= begin_;
    begin_ = 0;
    bins_.Learn(raw_.data(), end_);
    CodeWindow();
    rows_at_refresh_ = rows_;
  }

  void CodeWindow() {
    for (size_t i = begin_; i < end_; ++i) bins_.Code(raw_.data() + i * features_, codes_.data() + i * features_);
  }

  // steps_: what the leaves' steps add up to, before the factor.
  void Score(const double* row, double* scores) const {
    std::copy(base_.begin(), base_.end(), scores);
    std::fill(steps_.begin(), steps_.end(), 0.0);
    trees_.AddScores(row, scores, steps_.data());
    for (size_t k = 0; k < scores_; ++k) scores[k] += factor_ * steps_[k];
  }

  // Where the newest rows are predicted far worse than usual, the concept has changed: trees learn from few rows, and come sooner.
  void WatchLoss(size_t i) {
    if (trees_.size() == 0) return;
    double loss = 0;
    if (classes_ > 0) {
      ApplyLink(link(), score_.data() + i * scores_, classes_, 1.0, shares_.data());
      loss = -std::log(std::max(shares_[static_cast<size_t>(target_[i])], kLeastShare));
    } else {
      const double error = std::clamp((score_[i] - target_[i]) / targets_.deviation(), -kLargestError, kLargestError);
      loss = 0.5 * error * error;
    }
    judged_ += 1;
    recent_loss_ += (loss - recent_loss_) / std::min(judged_, kRowsOfRecentLoss);
    usual_loss_ += (loss - usual_loss_) / std::min(judged_, kRowsOfUsualLoss);
    if (judged_ < 3 * kRowsOfRecentLoss || recent_loss_ <= kAlarmFactor * usual_loss_ + kAlarmLoss) return;
    judged_ = recent_loss_ = usual_loss_ = 0;
    begin_ = std::max(begin_, end_ - std::min(end_, kRowsAfterChange));
  }

  // The leaves of row i, which was scored last, share a step against its error; and how far steps count learns from what they had said of
  // it.
  void MoveLeaves(const double* row, size_t i) {
    if (trees_.size() == 0 || settings_.online_step == 0) return;
    double* scores = score_.data() + i * scores_;
    if (classes_ > 0) ApplyLink(link(), scores, classes_, 1.0, shares_.data());
    const double unit = classes_ > 0 ? 1 : targets_.deviation();
    const double part = (classes_ > 0 ? 4.0 : unit) / static_cast<double>(trees_.size());
    double slope = 0, curvature = 0;
    for (size_t k = 0; k < scores_; ++k) {
      float gradient, hessian;
      Slope(i, k, shares_.data(), &gradient, &hessian);
      const double said = steps_[k] / unit;
      slope += gradient * said;
      curvature += hessian * said * said;
      steps_[k] = -part * gradient;
    }
    curvature_ = kFirstCurvature + kKeepCurvature * (curvature_ - kFirstCurvature) + curvature;
    factor_ = std::clamp(factor_ - slope / curvature_, 0.0, kMostFactor);
    for (size_t age = 0; age < trees_.size(); ++age) {
      const size_t place = trees_.Place(age);
      double* steps = trees_.Steps(place, trees_.LeafOf(place, row));
      for (size_t k = 0; k < scores_; ++k) steps[k] += steps_[k];
    }
    for (size_t k = 0; k < scores_; ++k) scores[k] += factor_ * steps_[k] * static_cast<double>(trees_.size());
  }

  // Where all trees are there, the oldest one goes, and its part of the scores.
  void ReplaceOldest() {
    if (!trees_.full()) return;
    const size_t place = trees_.Place(0);
    for (size_t i = begin_; i < end_; ++i) {
      const size_t leaf = trees_.LeafOf(place, raw_.data() + i * features_);
      for (size_t k = 0; k < scores_; ++k)
        score_[i * scores_ + k] -= trees_.Values(place, leaf)[k] + factor_ * trees_.Steps(place, leaf)[k];
    }
    trees_.DropOldest();
  }

  // The slope of the loss of row i by score k, and its curvature.
  void Slope(size_t i, size_t k, const double* probabilities, float* gradient, float* hessian) const {
    if (classes_ == 0) {
      const double error = (score_[i] - target_[i]) / targets_.deviation();
      *gradient = static_cast<float>(std::clamp(error, -kOutlierDeviations, kOutlierDeviations));
      *hessian = 1;
      return;
    }
    const size_t happened = classes_ == 2 ? 1 : k;
    const double p = probabilities[happened];
    *gradient = static_cast<float>(p - (target_[i] == static_cast<double>(happened) ? 1 : 0));
    *hessian = static_cast<float>(std::max(p * (1 - p), 1e-6));
  }

  void AddTree() {
    const size_t count = end_ - begin_, width = shares_.size();
    probabilities_.resize(count * width);
    wrong_.assign(scores_, 0.0);
    for (size_t i = 0; i < count; ++i) {
      double* p = probabilities_.data() + i * width;
      if (classes_ > 0) ApplyLink(link(), score_.data() + (begin_ + i) * scores_, classes_, 1.0, p);
      for (size_t k = 0; scores_ > 1 && k < scores_; ++k)
        wrong_[k] += std::abs(p[k] - (target_[begin_ + i] == static_cast<double>(k) ? 1 : 0));
    }
    const size_t chosen = DrawClass();
    for (size_t i = 0; i < count; ++i) Slope(begin_ + i, chosen, probabilities_.data() + i * width, &gradient_[i], &hessian_[i]);
    DrawFeatures();
    grower_.Grow({codes_.data() + begin_ * features_, count, features_}, bins_.features(), used_, gradient_.data(), hessian_.data(),
                 &grown_, &leaf_of_row_);
    splits_.clear();
    for (const BinSplit& split : grown_) splits_.push_back(ToSplit(split));
    SetLeaves(trees_.Add(splits_));
  }

  // One step of Newton's for each leaf and score.
  void SetLeaves(size_t place) {
    const size_t count = end_ - begin_, width = shares_.size();
    leaf_sums_.assign(trees_.leaves() * scores_ * 2, 0.0);
    for (size_t i = 0; i < count; ++i) {
      for (size_t k = 0; k < scores_; ++k) {
        float gradient, hessian;
        Slope(begin_ + i, k, probabilities_.data() + i * width, &gradient, &hessian);
        double* sums = leaf_sums_.data() + (leaf_of_row_[i] * scores_ + k) * 2;
        sums[0] += gradient;
        sums[1] += hessian;
      }
    }
    const double unit = classes_ == 0 ? targets_.deviation() : 1.0;
    for (size_t v = 0; v < trees_.leaves() * scores_; ++v) {
      const double step = std::clamp(-leaf_sums_[v * 2] / (leaf_sums_[v * 2 + 1] + settings_.l2), -kMostStep, kMostStep);
      trees_.Values(place, v / scores_)[v % scores_] = settings_.learning_rate * unit * step;
    }
    for (size_t i = 0; i < count; ++i)
      for (size_t k = 0; k < scores_; ++k) score_[(begin_ + i) * scores_ + k] += trees_.Values(place, leaf_of_row_[i])[k];
  }

  size_t DrawClass() {
    double total = 0;
    for (const double wrong : wrong_) total += wrong;
    if (scores_ == 1 || !(total > 0)) return 0;
    double rest = Draw() * total;
    size_t k = 0;
    while (k + 1 < scores_ && (rest -= wrong_[k]) >= 0) ++k;
    return k;
  }

  void DrawFeatures() {
    used_.clear();
    for (size_t j = 0; j < features_; ++j)
      if (Draw() < settings_.features) used_.push_back(static_cast<uint32_t>(j));
    if (used_.empty() && features_ > 0) used_.push_back(static_cast<uint32_t>(Draw() * static_cast<double>(features_)));
  }

  RingSplit ToSplit(const BinSplit& grown) const {
    RingSplit split;
    split.feature = grown.feature;
    if (grown.feature == BinSplit::kNone) return split;
    const BinnedFeature& feature = bins_.features()[grown.feature];
    split.is_category = feature.is_category;
    split.codes = grown.left;
    split.missing_left = grown.left >> (feature.bins - 1) & 1;
    if (feature.is_category) return split;
    size_t bin = 0;  // the first on the right
    while (bin + 1 < feature.bins && (grown.left >> bin & 1) != 0) ++bin;
    const bool all_left = bin + 1 >= feature.bins;
    split.threshold = all_left   ? std::numeric_limits<double>::infinity()
                      : bin == 0 ? -std::numeric_limits<double>::max()
                                 : bins_.Edge(grown.feature, bin - 1);
    return split;
  }

  Settings settings_;
  size_t features_, classes_, scores_;
  size_t window_ = 0, capacity_ = 0;  // rows that trees learn from, and places for them
  size_t begin_ = 0, end_ = 0;        // the rows of the window, from the oldest on
  uint64_t seed_, draws_ = 0, rows_ = 0, rows_at_refresh_ = 0, since_tree_ = 0;
  TreeRing trees_;
  WindowBins bins_;
  HistogramTreeGrower grower_;
  std::vector<double> base_;
  double judged_ = 0, recent_loss_ = 0, usual_loss_ = 0;  // rows since the concept changed, and their losses
  std::vector<uint64_t> counts_;                          // of the classes
  HeldTarget targets_;
  std::vector<double> raw_, target_, score_;  // of the rows; score_: rows × scores
  std::vector<uint8_t> codes_;
  std::vector<RingSplit> splits_;  // of the tree that is added; so too all that follows
  std::vector<float> gradient_, hessian_;
  std::vector<double> probabilities_, wrong_, leaf_sums_, shares_;
  std::vector<uint32_t> used_;
  std::vector<BinSplit> grown_;
  std::vector<uint8_t> leaf_of_row_;
  double factor_, curvature_ = kFirstCurvature;  // how far the leaves' steps count, and what is known of it
  mutable std::vector<double> sum_, steps_;
};

// Throws kDamaged where the state is not one of this shape and these settings.
void StreamingGradientBoosting::Restore(const std::string& state) {
  const auto check = [](bool holds) {
    if (!holds) throw Error(ErrorKind::kDamaged, "a state of streaming_gradient_boosting does not fit its features, classes or parameters");
  };
  const auto all_finite = [](const std::vector<double>& values) {
    return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
  };
  ByteReader in(state);
  seed_ = in.Get<uint64_t>();
  draws_ = in.Get<uint64_t>();
  rows_ = in.Get<uint64_t>();
  rows_at_refresh_ = in.Get<uint64_t>();
  since_tree_ = in.Get<uint64_t>();
  begin_ = in.GetVarint();
  end_ = in.GetVarint();
  check(begin_ <= end_ && end_ <= capacity_ && end_ - begin_ <= window_);
  const auto get = [&](std::vector<double>* values, size_t width) {
    const auto stored = in.GetAll<double>();
    check(stored.size() == (end_ - begin_) * width);
    std::copy(stored.begin(), stored.end(), values->begin() + static_cast<ptrdiff_t>(begin_ * width));
  };
  get(&raw_, features_);
  get(&target_, 1);
  get(&score_, scores_);
  check(all_finite(target_) && all_finite(score_));
  for (const double target : target_) check(classes_ == 0 || (target >= 0 && target < static_cast<double>(classes_)));
  bins_.Load(&in);
  base_ = in.GetAll<double>();
  counts_ = in.GetAll<uint64_t>();
  targets_.Load(&in);
  check(base_.size() == scores_ && counts_.size() == classes_ && all_finite(base_));
  for (double* number : {&judged_, &recent_loss_, &usual_loss_, &factor_, &curvature_}) *number = in.Get<double>();
  check(judged_ >= 0 && recent_loss_ >= 0 && usual_loss_ >= 0);
  check(factor_ >= 0 && factor_ <= kMostFactor && curvature_ >= kFirstCurvature && std::isfinite(curvature_));
  trees_.Load(bins_.features(), &in);
  check(in.done());
  CodeWindow();
}

Settings ReadSettings(const ParameterValues& parameters) {
  const auto integer = [&](const char* name) { return static_cast<size_t>(parameters.Integer(name)); };
  return {integer("trees"),
          integer("depth"),
          integer("window"),
          integer("rows_a_tree"),
          parameters.Number("learning_rate"),
          parameters.Number("online_step"),
          parameters.Number("features"),
          parameters.Number("l2")};
}

LearnerInfo MakeStreamingGradientBoosting() {
  constexpr auto kLog = ParameterScale::kLog;
  constexpr auto kLinear = ParameterScale::kLinear;
  LearnerInfo info;
  info.summary =
      "Boosted trees of which a new one, learnt from the newest rows, replaces the oldest every few rows; accurate, follows change.";
  info.paper =
      "Montiel et al., Adaptive XGBoost for evolving data streams (IJCNN 2020); Gunasekara et al., Gradient boosted trees for evolving "
      "data "
      "streams (2024)";
  info.parameters = {
      {"trees", ParameterType::kInteger, 100, 1, 1000, kLog, {}, "Trees that are kept, at most 8 MB of them."},
      {"depth", ParameterType::kInteger, 5, 1, 8, kLinear, {}, "Levels of a tree."},
      {"window", ParameterType::kInteger, 2000, 64, 100000, kLog, {}, "Newest rows that a tree learns from, at most 24 MB of them."},
      {"rows_a_tree", ParameterType::kInteger, 50, 1, 10000, kLog, {}, "A new tree comes after so many rows, sooner at first."},
      {"learning_rate", ParameterType::kNumber, 0.1, 1e-3, 1, kLog, {}, "Part of a tree's answer that is added."},
      {"online_step",
       ParameterType::kNumber,
       0.4,
       0,
       1,
       kLinear,
       {},
       "Part of a row's error that its leaves take away at once, from which it is learnt; 0: leaves stay as they were grown."},
      {"features", ParameterType::kNumber, 0.75, 0.01, 1, kLinear, {}, "Part of the features that a tree may split on."},
      {"l2", ParameterType::kNumber, 1, 1e-3, 100, kLog, {}, "Penalty on squared leaf values."},
  };
  info.binary = info.multiclass = info.regression = true;
  info.exceptions = {"ColumnOrderDoesNotMatter: features are drawn in the order of the columns"};
  info.cost_units = [](double rows, double features, double outputs, const ParameterValues& parameters) {
    const auto number = [&](const char* name) { return static_cast<double>(parameters.Integer(name)); };
    const double scores = outputs > 2 ? outputs : 1, depth = number("depth");
    return 0.05 + rows * (number("trees") * (2e-6 * depth + 1e-7 * scores) +
                          number("window") / number("rows_a_tree") * (2e-7 * depth * features + 2e-6 * scores));
  };
  info.start = [](const StreamShape& shape, const ParameterValues& parameters, uint64_t seed) {
    return std::make_unique<StreamingGradientBoosting>(shape, ReadSettings(parameters), MixBits(seed));
  };
  info.resume = [](const StreamShape& shape, const ParameterValues& parameters, const std::string& state) {
    auto model = std::make_unique<StreamingGradientBoosting>(shape, ReadSettings(parameters), 0);
    model->Restore(state);
    return model;
  };
  return info;
}

const bool registered = Learners().Add("streaming_gradient_boosting", MakeStreamingGradientBoosting());

}  // namespace
}  // namespace everlearn
