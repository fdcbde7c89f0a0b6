// mondrian_forest: trees that split at random, where rows fall outside of what was seen, and predict by all their prunings at once,
// weighted by how well each did. Good from the first rows on, with little to tune.
//
// Mourtada, Gaïffas & Scornet, AMF: Aggregated Mondrian forests for online learning, JRSS B 83 (2021). Ours: boxes are measured in
// deviations of the newest rows, and the more a feature says of the target by itself the sooner it is split; a category is drawn a place
// among 256 in each tree, and is split like a number; a value's loss is in deviations of the target; trees are weighted by their recent
// loss. A tree that has all its nodes grows no more, but learns on; when no tree is young, the worst full one begins anew, so that the
// forest is a memory of some thousand rows.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/random.h"
#include "kernels/held_target.h"
#include "kernels/mondrian_tree.h"
#include "learner/learner.h"
#include "learners/window_scales.h"
#include "model/trees.h"

namespace everlearn {
namespace {

constexpr size_t kMostBytes = size_t{32} << 20;           // of all trees
constexpr size_t kPlaces = 256;                           // of categories
constexpr size_t kRateRows = 1000;                        // the rates of splits follow from so many newest rows,
constexpr size_t kMostBytesOfRateRows = size_t{4} << 20;  // or fewer where they are very wide
constexpr size_t kFirstRateRows = 64;                     // and at first from so many
constexpr double kAbsurdScales = 1e5;                     // beyond, single precision has too few digits for the others
constexpr double kLargestCoordinate = 1e30, kLargestRate = 1e30;
constexpr double kRowsOfLoss = 300;  // the mean loss of a tree follows the newest
constexpr double kRowsOfUsualLoss = 3000;
constexpr double kAlarmFactor = 1.5, kAlarmLoss = 0.1;  // a recent loss above 1.5 × the usual one + 0.1 is a change of concept
constexpr double kLeastShare = 1e-3;                    // losses are held, so that a single row decides nothing
constexpr double kLargestError = 5;                     // so too those of values, in deviations
constexpr double kSharpness = 5;                        // of the trees' weights: exp(-kSharpness × loss)
constexpr double kRowsBeforeVoting = 50;
constexpr double kCategoryRate = 3.5;  // as of a number that is uniform in [0, 1]

struct Settings {
  size_t trees, nodes;
  double step, prior_rows, relevance;
};

class MondrianForest final : public OnlineModel {
 public:
  MondrianForest(const StreamShape& shape, const Settings& settings, uint64_t seed)
      : settings_(settings),
        is_category_(shape.is_category),
        features_(shape.features()),
        classes_(shape.classes),
        rate_rows_(std::clamp(kMostBytesOfRateRows / sizeof(double) / std::max<size_t>(features_, 1), kFirstRateRows, kRateRows)),
        origin_(features_, kMissing),
        codes_(features_),
        rates_(features_, 1.0f),
        began_(settings.trees),
        losses_(settings.trees),
        usual_losses_(settings.trees),
        weights_(settings.trees, 1.0 / settings.trees),
        numbers_(features_),
        x_(features_),
        votes_(shape.outputs()) {
    MondrianOptions options{features_, classes_, settings.step, settings.prior_rows, 0};
    options.most_nodes = std::clamp<size_t>(kMostBytes / settings.trees / MondrianTree::BytesOfNode(options), 16, settings.nodes);
    young_ = options.most_nodes / 10;
    for (size_t t = 0; t < settings.trees; ++t) {
      seeds_.push_back(MixBits(seed ^ MixBits(t + 1)));
      trees_.emplace_back(options, seeds_[t]);
    }
  }

  void Predict(const double* row, double* out) const override {
    ReadNumbers(row);
    std::fill(out, out + votes_.size(), 0.0);
    for (size_t t = 0; t < trees_.size(); ++t) {
      Place(row, t);
      trees_[t].Predict(x_.data(), votes_.data());
      for (size_t k = 0; k < votes_.size(); ++k) out[k] += weights_[t] * votes_[k];
    }
  }

  void Learn(const double* row, double target, double weight) override {
    if (!(weight > 0) || !std::isfinite(target)) return;
    rows_ += 1;
    if (classes_ == 0) {
      target = targets_.Learn(target);
      if (targets_.was_absurd()) BeginAllAnew();
    }
    for (size_t j = 0; j < features_; ++j) {
      if (is_category_[j] && row[j] < kNoPlace) codes_[j] = std::max(codes_[j], std::floor(row[j]) + 1);
      if (!is_category_[j] && std::isnan(origin_[j])) origin_[j] = std::clamp(row[j], -kLargestStreamValue, kLargestStreamValue);
    }
    LearnRates(row, target);
    ReadNumbers(row);
    for (size_t t = 0; t < trees_.size(); ++t) {
      Place(row, t);
      LearnLoss(t, target);
      trees_[t].Learn(x_.data(), rates_.data(), target, targets_.deviation());
    }
    Renew();
    WeighTrees();
  }

  std::string State() const override {
    ByteWriter out;
    out.PutAll(origin_);
    out.PutAll(codes_);
    out.PutAll(rates_);
    out.PutAll(newest_);
    out.PutAll(newest_targets_);
    out.PutAll(began_);
    out.PutAll(losses_);
    out.PutAll(usual_losses_);
    out.PutAll(weights_);
    out.PutAll(seeds_);
    out.Put(rows_);
    targets_.Save(&out);
    for (const MondrianTree& tree : trees_) tree.Save(&out);
    return out.Take();
  }

  // Throws kDamaged where the state is not one of this shape and these settings.
  void Restore(const std::string& state) {
    const auto check = [](bool holds) {
      if (!holds) throw Error(ErrorKind::kDamaged, "a state of mondrian_forest does not fit its features or parameters");
    };
    ByteReader in(state);
    origin_ = in.GetAll<double>();
    codes_ = in.GetAll<double>();
    rates_ = in.GetAll<float>();
    newest_ = in.GetAll<double>();
    newest_targets_ = in.GetAll<double>();
    check(origin_.size() == features_ && codes_.size() == features_ && rates_.size() == features_);
    check(newest_.size() == newest_targets_.size() * features_ && newest_targets_.size() < rate_rows_);
    for (size_t j = 0; j < features_; ++j)
      check(codes_[j] >= 0 && codes_[j] <= kNoPlace && rates_[j] >= 0 && !std::isinf(rates_[j]) && !std::isinf(origin_[j]));
    for (const double target : newest_targets_)
      check(std::isfinite(target) && (classes_ == 0 || (target >= 0 && target < static_cast<double>(classes_))));
    for (auto* field : {&began_, &losses_, &usual_losses_, &weights_}) {
      *field = in.GetAll<double>();
      check(field->size() == trees_.size());
      for (const double value : *field) check(value >= 0 && std::isfinite(value));
    }
    seeds_ = in.GetAll<uint64_t>();
    check(seeds_.size() == trees_.size());
    rows_ = in.Get<double>();
    targets_.Load(&in);
    check(rows_ >= 0 && std::isfinite(rows_));
    for (const double began : began_) check(began <= rows_);
    check(std::abs(std::accumulate(weights_.begin(), weights_.end(), 0.0) - 1) < 1e-6);
    for (MondrianTree& tree : trees_) tree.Load(&in);
    check(in.done());
  }

  std::shared_ptr<const Model> Snapshot() const override {
    TreesParameters model;
    model.features = features_;
    model.outputs = votes_.size();
    model.leaf_width = static_cast<uint32_t>(votes_.size());
    model.category_offsets = {0};
    for (size_t t = 0; t < trees_.size(); ++t) AppendTree(t, &model);
    if (model.category_offsets.size() == 1) model.category_offsets.clear();
    return MakeTrees(std::move(model));
  }

 private:
  static constexpr double kNoPlace = 1e6;  // categories from here on are like new ones

  // Rates follow from the newest rows, when these are 64, 128, … and whenever there are rate_rows_, which are then dropped.
  void LearnRates(const double* row, double target) {
    newest_.insert(newest_.end(), row, row + features_);
    newest_targets_.push_back(target);
    const size_t rows = newest_targets_.size();
    const bool early = rows_ < rate_rows_ && rows >= kFirstRateRows && (rows & (rows - 1)) == 0;
    if (!early && rows < rate_rows_) return;
    NeighboursParameters form;
    form.is_category.assign(is_category_.begin(), is_category_.end());
    form.with_missing.resize(features_);
    form.mean.resize(features_);
    form.scale.resize(features_);
    ScaleByWindow({newest_.data(), rows, features_}, newest_targets_.data(), classes_, settings_.relevance, &form);
    for (size_t j = 0; j < features_; ++j)
      rates_[j] = static_cast<float>(is_category_[j] ? kCategoryRate * form.scale[j] : std::min(1 / form.scale[j], kLargestRate));
    if (FindAbsurd(form)) BeginAllAnew();
    if (early) return;
    newest_.clear();
    newest_targets_.clear();
  }

  // Among the rows since the last look at the rates there was a number, or it is the one that coordinates begin with, that lies so far from
  // all others that boxes say nothing of these.
  bool FindAbsurd(const NeighboursParameters& form) {
    bool found = false;
    const size_t rows = newest_targets_.size(), known = rows_ < rate_rows_ && rows > kFirstRateRows ? rows / 2 : 0;
    for (size_t j = 0; j < features_; ++j) {
      const double reach = kAbsurdScales * form.scale[j], mean = form.mean[j];
      if (is_category_[j] || !(reach > 0)) continue;
      if (rows_ < rate_rows_)
        for (size_t i = known; i < rows; ++i) found |= std::abs(newest_[i * features_ + j] - mean) > reach;
      if (!(std::abs(origin_[j] - mean) > reach)) continue;
      origin_[j] = mean;
      found = true;
    }
    return found;
  }

  void ReadNumbers(const double* row) const {
    for (size_t j = 0; j < features_; ++j) {
      const double x = std::isnan(origin_[j]) ? kMissing : row[j] - origin_[j];
      numbers_[j] = static_cast<float>(x < -kLargestCoordinate ? -kLargestCoordinate : x > kLargestCoordinate ? kLargestCoordinate : x);
    }
  }

  float PlaceOf(size_t tree, size_t feature, double code) const {
    const uint64_t hash = MixBits(seeds_[tree] ^ MixBits(feature * 0x10001 + static_cast<uint64_t>(code) * 0x9e3779b97f4a7c15ULL));
    return (static_cast<float>(hash % kPlaces) + 0.5f) / static_cast<float>(kPlaces);
  }

  // The row as a tree sees it. A category that was never learnt, or is missing, goes right of every split, as in the snapshot.
  void Place(const double* row, size_t tree) const {
    for (size_t j = 0; j < features_; ++j)
      x_[j] = !is_category_[j] ? numbers_[j] : row[j] >= 0 && row[j] < codes_[j] ? PlaceOf(tree, j, std::floor(row[j])) : 1.0f;
  }

  // A tree is judged by the row, before it learns it.
  void LearnLoss(size_t t, double target) {
    trees_[t].Predict(x_.data(), votes_.data());
    double loss = 0;
    if (classes_ > 0) {
      loss = -std::log(std::max(votes_[static_cast<size_t>(target)], kLeastShare));
    } else {
      const double error = std::clamp((target - votes_[0]) / targets_.deviation(), -kLargestError, kLargestError);
      loss = 0.5 * error * error;
    }
    losses_[t] += (loss - losses_[t]) / std::min(rows_ - began_[t], kRowsOfLoss);
    usual_losses_[t] += (loss - usual_losses_[t]) / std::min(rows_ - began_[t], kRowsOfUsualLoss);
  }

  // A tree that errs far more than it used to begins anew; and of the full ones the worst, when no other is young.
  void Renew() {
    size_t worst = trees_.size();
    bool young = false;
    for (size_t t = 0; t < trees_.size(); ++t) {
      if (rows_ - began_[t] > kRowsOfLoss && losses_[t] > kAlarmFactor * usual_losses_[t] + kAlarmLoss) BeginAnew(t);
      young |= trees_[t].nodes() < young_;
      if (trees_[t].full() && (worst == trees_.size() || losses_[t] > losses_[worst])) worst = t;
    }
    if (!young && worst != trees_.size()) BeginAnew(worst);
  }

  // Before they learn the row.
  void BeginAllAnew() {
    for (size_t t = 0; t < trees_.size(); ++t) {
      BeginAnew(t);
      began_[t] = rows_ - 1;
    }
  }

  void BeginAnew(size_t t) {
    trees_[t].Clear();
    began_[t] = rows_;
    losses_[t] = usual_losses_[t] = 0;
  }

  // A tree that began anew does not vote before it is judged.
  void WeighTrees() {
    const auto votes = [&](size_t t) { return began_[t] == 0 || rows_ - began_[t] >= kRowsBeforeVoting; };
    double least = std::numeric_limits<double>::infinity(), total = 0;
    for (size_t t = 0; t < trees_.size(); ++t)
      if (votes(t)) least = std::min(least, losses_[t]);
    for (size_t t = 0; t < trees_.size(); ++t) total += weights_[t] = votes(t) ? std::exp(kSharpness * (least - losses_[t])) : 0;
    for (double& weight : weights_) weight = total > 0 ? weight / total : 1 / static_cast<double>(trees_.size());
  }

  // The largest number of column j whose coordinate is at most the threshold.
  double RawThreshold(size_t j, float threshold) const {
    const double next = std::nextafter(threshold, std::numeric_limits<float>::infinity());
    return origin_[j] + (static_cast<double>(threshold) + next) / 2;
  }

  // The set of codes that a tree has left of a threshold; equal ones are shared by the splits of a tree.
  size_t CategorySet(size_t tree, size_t feature, float threshold, std::vector<size_t>* sets, TreesParameters* model) const {
    const auto place = static_cast<size_t>(std::clamp(std::floor(threshold * kPlaces - 0.5), -1.0, kPlaces - 1.0) + 1);
    size_t& set = (*sets)[feature * (kPlaces + 1) + place];
    if (set != 0) return set - 1;
    std::vector<uint32_t> words(static_cast<size_t>(codes_[feature]) / 32 + 1, 0);
    for (size_t code = 0; code < static_cast<size_t>(codes_[feature]); ++code)
      if (PlaceOf(tree, feature, static_cast<double>(code)) <= threshold) words[code / 32] |= 1u << (code % 32);
    model->category_words.insert(model->category_words.end(), words.begin(), words.end());
    model->category_offsets.push_back(model->category_words.size());
    set = model->category_offsets.size() - 1;
    return set - 1;
  }

  // A node whose place in the snapshot is not yet written: what its ancestors say, and the share of the prediction left for it.
  struct Open {
    uint32_t node;
    int32_t parent;
    bool is_left;
    double share;
    size_t said;  // where what the ancestors say stands
  };

  void AppendTree(size_t tree, TreesParameters* model) const {
    const MondrianTree& t = trees_[tree];
    const size_t width = votes_.size(), first = model->left.size();
    if (t.nodes() == 0) {
      model->leaves.push_back(1);
      model->leaf_values.insert(model->leaf_values.end(), width, classes_ > 0 ? weights_[tree] / static_cast<double>(classes_) : 0.0);
      return;
    }
    uint32_t leaves = 0;
    std::vector<size_t> sets(features_ * (kPlaces + 1), 0);
    std::vector<double> said(width, 0.0), own(width);  // said: a stack, one place a level
    std::vector<Open> open{{t.root(), -1, false, weights_[tree], 0}};
    while (!open.empty()) {
      const Open o = open.back();
      open.pop_back();
      const auto place = static_cast<int32_t>(model->left.size() - first);
      if (o.parent >= 0) {
        auto& link = (o.is_left ? model->left : model->right)[first + static_cast<size_t>(o.parent)];
        link = t.IsLeaf(o.node) ? ~static_cast<int32_t>(leaves) : place;
      }
      const double share = o.share * t.OwnShare(o.node);
      t.OwnPrediction(o.node, own.data());
      said.resize(std::max(said.size(), (o.said + 2) * width));
      double* below = said.data() + (o.said + 1) * width;
      for (size_t k = 0; k < width; ++k) below[k] = said[o.said * width + k] + share * own[k];
      if (t.IsLeaf(o.node)) {
        model->leaf_values.insert(model->leaf_values.end(), below, below + width);
        ++leaves;
        continue;
      }
      AppendSplit(tree, o.node, &sets, model);
      open.push_back({t.right(o.node), place, false, o.share - share, o.said + 1});
      open.push_back({t.left(o.node), place, true, o.share - share, o.said + 1});
    }
    model->leaves.push_back(leaves);
  }

  void AppendSplit(size_t tree, uint32_t node, std::vector<size_t>* sets, TreesParameters* model) const {
    const MondrianTree& t = trees_[tree];
    const size_t j = t.feature(node);
    model->left.push_back(0);
    model->right.push_back(0);
    model->feature.push_back(static_cast<uint32_t>(j));
    if (is_category_[j]) {
      model->threshold.push_back(static_cast<double>(CategorySet(tree, j, t.threshold(node), sets, model)));
      model->flags.push_back(kSplitCategories);
    } else {
      model->threshold.push_back(RawThreshold(j, t.threshold(node)));
      model->flags.push_back(static_cast<uint8_t>(kSplitMissingNan | (t.missing_left(node) ? kSplitDefaultLeft : 0)));
    }
  }

  Settings settings_;
  std::vector<bool> is_category_;
  size_t features_, classes_, young_;
  size_t rate_rows_;            // the newest that rates follow from
  std::vector<double> origin_;  // of a number: its first value, so that coordinates keep their digits in single precision
  std::vector<double> codes_;   // of a category: how many were learnt
  std::vector<float> rates_;
  std::vector<double> newest_, newest_targets_;          // rows that the next rates follow from
  std::vector<double> began_;                            // the row at which a tree began
  std::vector<double> losses_, usual_losses_, weights_;  // recent losses of a tree, those of some thousand rows, and its vote
  std::vector<uint64_t> seeds_;
  double rows_ = 0;
  HeldTarget targets_;
  std::vector<MondrianTree> trees_;
  mutable std::vector<float> numbers_, x_;  // of the row that was read, and as one tree sees it
  mutable std::vector<double> votes_;
};

Settings ReadSettings(const ParameterValues& parameters) {
  return {static_cast<size_t>(parameters.Integer("trees")), static_cast<size_t>(parameters.Integer("nodes")), parameters.Number("step"),
          parameters.Number("prior_rows"), parameters.Number("relevance")};
}

LearnerInfo MakeMondrianForest() {
  constexpr auto kLog = ParameterScale::kLog;
  LearnerInfo info;
  info.summary = "Random trees that predict by all their prunings at once; good from the first rows on, with nothing to tune.";
  info.paper = "Mourtada, Gaïffas & Scornet, AMF: Aggregated Mondrian forests for online learning, JRSS B 83 (2021)";
  info.parameters = {
      {"trees", ParameterType::kInteger, 15, 1, 200, kLog, {}, "Trees; they share 32 MB."},
      {"nodes", ParameterType::kInteger, 2500, 16, 1000000, kLog, {}, "Nodes of a tree, at most; few follow a moving concept sooner."},
      {"step", ParameterType::kNumber, 2, 0.01, 10, kLog, {}, "How fast losses lower the weight of a pruning."},
      {"prior_rows",
       ParameterType::kNumber,
       0.2,
       1e-3,
       10,
       kLog,
       {},
       "Rows that a node begins with: of all classes alike, or of its parent's mean."},
      {"relevance",
       ParameterType::kNumber,
       2,
       0,
       4,
       ParameterScale::kLinear,
       {},
       "How far the rate of a feature's splits follows from how much it says of the target by itself; 0: not at all."},
  };
  info.binary = info.multiclass = info.regression = true;
  info.exceptions = {"ColumnOrderDoesNotMatter: splits are drawn in the order of the columns"};
  info.cost_units = [](double rows, double features, double outputs, const ParameterValues& parameters) {
    const auto trees = static_cast<double>(parameters.Integer("trees"));
    return 0.05 + rows * trees * (1e-4 + 4e-6 * features + 1e-6 * outputs);
  };
  info.start = [](const StreamShape& shape, const ParameterValues& parameters, uint64_t seed) {
    return std::make_unique<MondrianForest>(shape, ReadSettings(parameters), seed);
  };
  info.resume = [](const StreamShape& shape, const ParameterValues& parameters, const std::string& state) {
    auto model = std::make_unique<MondrianForest>(shape, ReadSettings(parameters), 0);
    model->Restore(state);
    return model;
  };
  return info;
}

const bool registered = Learners().Add("mondrian_forest", MakeMondrianForest());

}  // namespace
}  // namespace everlearn
