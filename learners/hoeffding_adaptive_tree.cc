// hoeffding_adaptive_tree: a Hoeffding tree that watches its error at every node; where it grows, another subtree begins to learn there and
// takes the place of the first once it is surely better. Good for streams that change in parts, at the cost of little more than one tree.
//
// Bifet & Gavaldà, Adaptive learning from evolving data streams (2009), with ADWIN at the nodes. Other than there, subtrees that still wait
// are not heard, have none of their own, and a row has its weight, not one drawn at random.
#include <algorithm>
#include <cmath>

#include "drift/adwin.h"
#include "learners/growing_tree.h"
#include "learners/tree_stream.h"

namespace everlearn {
namespace {

constexpr double kChangeDelta = 0.002;    // of the detectors
constexpr double kReplaceDelta = 0.05;    // probability that a subtree replaces a better one
constexpr uint64_t kLeastWidth = 300;     // rows that both must have been judged on
constexpr uint32_t kNone = kNoSplit;      // no node
constexpr size_t kBytesOfWatched = 1024;  // of a node's detector that has seen some thousand rows

GrowingTreeOptions ReadOptions(const ParameterValues& parameters) {
  GrowingTreeOptions options = ReadGrowth(parameters);
  options.bytes_beside_node = kBytesOfWatched;
  return options;
}

class HoeffdingAdaptiveTree final : public OnlineModel {
 public:
  HoeffdingAdaptiveTree(const StreamShape& shape, const GrowingTreeOptions& growth, uint64_t seed)
      : shape_(shape), growth_(growth), stream_(shape), tree_(shape, growth, seed, AllColumns(shape.features())) {
    said_.resize(shape.outputs());
    watched_.resize(1);
  }

  void Predict(const double* row, double* out) const override {
    stream_.Prepare(row, &prepared_);
    tree_.Predict(prepared_, stream_.scale(), &scratch_, out);
    Sharpen(stream_.sharpness(), shape_.outputs(), out);
  }

  void Learn(const double* row, double target, double weight) override {
    if (!(weight > 0) || !std::isfinite(target)) return;
    stream_.Prepare(row, &prepared_);
    tree_.Predict(prepared_, stream_.scale(), &scratch_, said_.data());
    stream_.LearnSharpness(said_.data(), target);
    const double held = stream_.LearnTarget(target);
    LearnBelow(0, held, weight, true);
    if (outdated_) Prune();
    if (!stream_.LearnColumns(prepared_, held)) return;
    tree_ = GrowingTree(shape_, growth_, tree_.seed(), AllColumns(shape_.features()));
    watched_.assign(1, {});
  }

  std::string State() const override {
    ByteWriter out;
    stream_.Save(&out);
    tree_.Save(&out);
    for (const Watched& watched : watched_) {
      watched.error.Save(&out);
      out.Put(watched.alternate);
    }
    return out.Take();
  }

  void Restore(const std::string& state) {
    ByteReader in(state);
    stream_.Load(&in);
    tree_.Load(&in);
    const size_t nodes = tree_.nodes().size();
    std::vector<uint8_t> used(nodes);  // below another node, or its alternate
    for (const StreamNode& node : tree_.nodes())
      if (!node.is_leaf()) used[node.left] = used[node.right] = 1;
    watched_.assign(nodes, {});
    for (size_t node = 0; node < nodes; ++node) {
      watched_[node].error.Load(&in);
      const uint32_t alternate = watched_[node].alternate = in.Get<uint32_t>();
      if (alternate == kNone) continue;
      if (alternate <= node || alternate >= nodes || used[alternate])
        throw Error(ErrorKind::kDamaged, "a state of hoeffding_adaptive_tree has a wrong node");
      used[alternate] = 1;
    }
    if (static_cast<size_t>(std::count(used.begin(), used.end(), 1)) + 1 != nodes)
      throw Error(ErrorKind::kDamaged, "a state of hoeffding_adaptive_tree has nodes that nothing leads to");
    if (!in.done()) throw Error(ErrorKind::kDamaged, "a state of hoeffding_adaptive_tree is too long");
  }

  std::shared_ptr<const Model> Snapshot() const override {
    StreamTreesParameters model;
    model.classes = shape_.classes;
    model.sharpness = stream_.sharpness();
    model.scale = stream_.scale();
    GrowingTree main = tree_;
    main.Prune({0});
    model.trees.push_back(main.Shown());
    return MakeStreamTrees(std::move(model));
  }

 private:
  // What is known of a node besides its split.
  struct Watched {
    Adwin error{kChangeDelta};
    uint32_t alternate = kNone;  // root of the subtree that may take its place
  };

  // The row goes down from `root`, a node of the main tree or the root of an alternate one.
  void LearnBelow(uint32_t root, double target, double weight, bool main) {
    const GrowingTree::Answer answer = tree_.Predict(prepared_, stream_.scale(), &scratch_, said_.data(), root);
    const double error = stream_.ErrorOf(said_.data(), target);
    for (uint32_t node = root;;
         node = tree_.nodes()[node].GoesLeft(prepared_.values.data()) ? tree_.nodes()[node].left : tree_.nodes()[node].right) {
      const bool rose = watched_[node].error.AddAndRose(error);
      if (tree_.nodes()[node].is_leaf()) break;
      if (!main) continue;
      if (rose && watched_[node].alternate == kNone && tree_.bytes() < growth_.most_bytes) watched_[node].alternate = AddAlternate();
      const uint32_t alternate = watched_[node].alternate;
      if (alternate == kNone) continue;
      const double lead = Lead(node, alternate);
      if (lead > 0) {
        tree_.Replace(node, alternate);
        watched_[node] = std::move(watched_[alternate]);
        outdated_ = true;
        return LearnBelow(node, target, weight, true);
      }
      if (lead < 0) {
        watched_[node].alternate = kNone;
        outdated_ = true;
        continue;
      }
      LearnBelow(alternate, target, weight, false);
    }
    tree_.Learn(prepared_, stream_.scale(), answer, target, weight, &scratch_);
    watched_.resize(tree_.nodes().size());
  }

  uint32_t AddAlternate() {
    const uint32_t root = tree_.AddRoot();
    watched_.resize(tree_.nodes().size());
    return root;
  }

  // Above 0 where the alternate subtree is surely better, below where it is surely worse, else 0.
  double Lead(uint32_t node, uint32_t alternate) const {
    const Adwin &own = watched_[node].error, &other = watched_[alternate].error;
    if (own.width() <= kLeastWidth || other.width() <= kLeastWidth) return 0;
    const double inverse = 1 / static_cast<double>(own.width()) + 1 / static_cast<double>(other.width());
    const double bound = std::sqrt(2 * own.mean() * (1 - own.mean()) * std::log(2 / kReplaceDelta) * inverse);
    const double lead = own.mean() - other.mean();
    return std::abs(lead) > bound ? lead : 0;
  }

  // Forgets the nodes that no longer belong to the tree or to an alternate one.
  void Prune() {
    std::vector<uint32_t> roots{0};
    std::vector<uint8_t> reached(watched_.size());
    reached[0] = 1;
    for (size_t node = 0; node < watched_.size(); ++node) {  // nodes come before those below them, and before their alternates
      if (!reached[node]) continue;
      const StreamNode& split = tree_.nodes()[node];
      if (!split.is_leaf()) reached[split.left] = reached[split.right] = 1;
      const uint32_t alternate = watched_[node].alternate;
      if (alternate == kNone) continue;
      reached[alternate] = 1;
      roots.push_back(alternate);
    }
    const std::vector<uint32_t> place = tree_.Prune(roots);
    std::vector<Watched> kept(tree_.nodes().size());
    for (size_t node = 0; node < place.size(); ++node) {
      if (place[node] == kNone) continue;
      kept[place[node]] = std::move(watched_[node]);
      uint32_t& alternate = kept[place[node]].alternate;
      if (alternate != kNone) alternate = place[alternate];
    }
    watched_ = std::move(kept);
    outdated_ = false;
  }

  static std::vector<uint32_t> AllColumns(size_t columns) {
    std::vector<uint32_t> all;
    for (size_t j = 0; j < columns; ++j) all.push_back(static_cast<uint32_t>(j));
    return all;
  }

  StreamShape shape_;
  GrowingTreeOptions growth_;
  TreeStream stream_;
  GrowingTree tree_;
  std::vector<Watched> watched_;  // one a node
  bool outdated_ = false;         // there are nodes to forget
  std::vector<double> said_;
  mutable PreparedRow prepared_;
  mutable LeafScratch scratch_;
};

LearnerInfo MakeHoeffdingAdaptiveTree() {
  LearnerInfo info;
  info.summary = "A Hoeffding tree whose subtrees are replaced where their error grows; for streams that change in parts.";
  info.paper = "Bifet & Gavaldà, Adaptive learning from evolving data streams (2009)";
  info.parameters = GrowthParameters({.grace = 200, .delta = 1e-7, .tie = 0.2});
  info.binary = info.multiclass = info.regression = true;
  info.cost_units = [](double rows, double features, double outputs, const ParameterValues&) {
    return 0.05 + rows * (8e-5 + 1e-6 * features + 3e-6 * outputs);  // as a committee of one, and detectors down its path
  };
  info.start = [](const StreamShape& shape, const ParameterValues& parameters, uint64_t seed) {
    return std::make_unique<HoeffdingAdaptiveTree>(shape, ReadOptions(parameters), seed);
  };
  info.resume = [](const StreamShape& shape, const ParameterValues& parameters, const std::string& state) {
    auto model = std::make_unique<HoeffdingAdaptiveTree>(shape, ReadOptions(parameters), 0);
    model->Restore(state);
    return model;
  };
  return info;
}

const bool registered = Learners().Add("hoeffding_adaptive_tree", MakeHoeffdingAdaptiveTree());

}  // namespace
}  // namespace everlearn
