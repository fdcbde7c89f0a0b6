// Best-first growth over one array of row numbers; the rows of a node stand side by side and stay in ascending order.
#include "learners/tree_growth.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <queue>

namespace everlearn {

namespace {

constexpr double kCategorySmoothing = 10;  // rows of the node's mean that are added to a level before levels are put in order

struct Split {
  double gain = -1;  // below 0: there is none
  uint32_t feature = 0;
  uint32_t code = 0;               // numbers: codes up to it go left
  bool missing_left = false;       // numbers
  std::vector<uint32_t> left_set;  // categories: codes that go left
};

struct Node {
  size_t first = 0, last = 0;  // its rows
  int64_t depth = 0;
  int32_t parent = -1;  // the split that it hangs on, and on which side
  bool is_left = false;
  Split split;
};

}  // namespace

// One tree while it grows. Sums of rows are the weights of the classes, or weight and weighted target.
class TreeGrowth {
 public:
  TreeGrowth(const TreeGrower& grower, std::vector<uint32_t> rows, Random* random)
      : grower_(grower),
        codes_(grower.data_.binned()),
        classes_(grower.data_.classes()),
        width_(classes_ == 0 ? 2 : classes_),
        random_(random),
        rows_(std::move(rows)),
        order_(codes_.columns.size()) {
    std::iota(order_.begin(), order_.end(), 0u);
    for (std::vector<double>* sums : {&total_, &left_, &missing_, &right_}) sums->resize(width_);
    tree_.features = grower.data_.features();
    tree_.outputs = grower.data_.outputs();
    tree_.leaf_width = static_cast<uint32_t>(tree_.outputs);
    tree_.average = true;
  }

  TreesParameters Run() {
    AddNode({0, rows_.size(), 0, -1, false, {}});
    const auto limit = static_cast<size_t>(grower_.options_.leaves);
    while (!open_.empty() && open_.size() + closed_.size() < limit) {
      const size_t at = open_.top().second;
      open_.pop();
      Divide(at);
    }
    for (; !open_.empty(); open_.pop()) closed_.push_back(open_.top().second);
    std::sort(closed_.begin(), closed_.end());
    tree_.leaves = {static_cast<uint32_t>(closed_.size())};
    for (size_t leaf = 0; leaf < closed_.size(); ++leaf) AddLeaf(nodes_[closed_[leaf]], static_cast<int32_t>(leaf));
    return std::move(tree_);
  }

 private:
  void AddRow(uint32_t row, double* sums) const {
    const double weight = grower_.weight_[row], target = grower_.target_[row];
    if (classes_ > 0) {
      sums[static_cast<size_t>(target)] += weight;
    } else {
      sums[0] += weight;
      sums[1] += weight * target;
    }
  }

  // What a side adds to the gain: the squared error, or Gini impurity, that its mean takes away.
  double Score(const double* sums) const {
    if (classes_ == 0) return sums[0] > 0 ? sums[1] * sums[1] / sums[0] : 0;
    double total = 0, squares = 0;
    for (size_t k = 0; k < classes_; ++k) {
      total += sums[k];
      squares += sums[k] * sums[k];
    }
    return total > 0 ? squares / total : 0;
  }

  void AddNode(Node node) {
    FindSplit(&node);
    const size_t at = nodes_.size();
    if (node.split.gain >= 0) {
      open_.emplace(node.split.gain, at);
    } else {
      closed_.push_back(at);
    }
    nodes_.push_back(std::move(node));
  }

  bool IsPure(const Node& node) const {
    const double target = grower_.target_[rows_[node.first]];
    return std::all_of(rows_.begin() + static_cast<std::ptrdiff_t>(node.first), rows_.begin() + static_cast<std::ptrdiff_t>(node.last),
                       [&](uint32_t row) { return grower_.target_[row] == target; });
  }

  void FindSplit(Node* node) {
    const GrowthOptions& options = grower_.options_;
    const auto rows = static_cast<int64_t>(node->last - node->first);
    if (rows < 2 * options.min_rows || (options.max_depth > 0 && node->depth >= options.max_depth) || IsPure(*node)) return;
    std::fill(total_.begin(), total_.end(), 0.0);
    for (size_t i = node->first; i < node->last; ++i) AddRow(rows_[i], total_.data());
    parent_score_ = Score(total_.data());
    const double wanted = std::max(1.0, std::round(options.feature_fraction * static_cast<double>(order_.size())));
    size_t tried = 0;
    for (size_t i = 0; i < order_.size() && static_cast<double>(tried) < wanted; ++i) {
      if (options.random_splits) std::swap(order_[i], order_[i + random_->Below(order_.size() - i)]);
      const BinnedColumn& column = codes_.columns[order_[i]];
      const bool varies = column.codes8.empty() ? TryFeature(column, column.codes16.data(), order_[i], node)
                                                : TryFeature(column, column.codes8.data(), order_[i], node);
      tried += varies;
    }
  }

  // False where the feature is constant in the node.
  template <typename Code>
  bool TryFeature(const BinnedColumn& column, const Code* codes, uint32_t feature, Node* node) {
    if (column.is_category) return TryCategories(column, codes, feature, node);
    uint32_t low = std::numeric_limits<uint32_t>::max(), high = 0;
    missing_rows_ = 0;
    for (size_t i = node->first; i < node->last; ++i) {
      const uint32_t code = codes[rows_[i]];
      if (code == column.bins) {
        ++missing_rows_;
        continue;
      }
      low = std::min(low, code);
      high = std::max(high, code);
    }
    if (missing_rows_ == static_cast<int64_t>(node->last - node->first) || (low == high && missing_rows_ == 0)) return false;
    if (grower_.options_.random_splits) {
      TryCode(codes, low == high ? high : low + static_cast<uint32_t>(random_->Below(high - low)), feature, node);
    } else {
      ScanCodes(codes, low, high, feature, node);
    }
    return true;
  }

  template <typename Code>
  void TryCode(const Code* codes, uint32_t cut, uint32_t feature, Node* node) {
    const uint32_t bins = codes_.columns[feature].bins;
    std::fill(left_.begin(), left_.end(), 0.0);
    std::fill(missing_.begin(), missing_.end(), 0.0);
    int64_t left_rows = 0;
    for (size_t i = node->first; i < node->last; ++i) {
      const uint32_t code = codes[rows_[i]];
      if (code <= cut) {
        AddRow(rows_[i], left_.data());
        ++left_rows;
      } else if (code == bins) {
        AddRow(rows_[i], missing_.data());
      }
    }
    ConsiderNumber(left_rows, cut, feature, node);
  }

  // All thresholds, by the sums of every code.
  template <typename Code>
  void ScanCodes(const Code* codes, uint32_t low, uint32_t high, uint32_t feature, Node* node) {
    const uint32_t bins = codes_.columns[feature].bins;
    std::vector<double> sums((high - low + 1) * width_, 0.0);
    std::vector<int64_t> counts(high - low + 1, 0);
    std::fill(missing_.begin(), missing_.end(), 0.0);
    for (size_t i = node->first; i < node->last; ++i) {
      const uint32_t code = codes[rows_[i]];
      AddRow(rows_[i], code == bins ? missing_.data() : sums.data() + (code - low) * width_);
      if (code != bins) ++counts[code - low];
    }
    std::fill(left_.begin(), left_.end(), 0.0);
    int64_t left_rows = 0;
    for (uint32_t code = low; code <= high; ++code) {
      if (counts[code - low] == 0) continue;
      for (size_t k = 0; k < width_; ++k) left_[k] += sums[(code - low) * width_ + k];
      left_rows += counts[code - low];
      ConsiderNumber(left_rows, code, feature, node);
    }
  }

  // left_ and missing_ hold the sums of the codes up to `cut`, and of the missing. Where none is missing, a missing value will go with
  // more.
  void ConsiderNumber(int64_t left_rows, uint32_t cut, uint32_t feature, Node* node) {
    const auto rows = static_cast<int64_t>(node->last - node->first);
    const bool more_left = 2 * left_rows >= rows;
    if (Consider(left_rows, node)) SetNumber(cut, missing_rows_ == 0 && more_left, feature, node);
    if (missing_rows_ == 0) return;
    std::swap(left_, right_);
    for (size_t k = 0; k < width_; ++k) left_[k] = right_[k] + missing_[k];
    if (Consider(left_rows + missing_rows_, node)) SetNumber(cut, true, feature, node);
    std::swap(left_, right_);
  }

  static void SetNumber(uint32_t cut, bool missing_left, uint32_t feature, Node* node) {
    node->split.feature = feature;
    node->split.code = cut;
    node->split.missing_left = missing_left;
    node->split.left_set.clear();
  }

  // Notes the gain and is true where left_ against the rest is allowed, and better than what the node has.
  bool Consider(int64_t left_rows, Node* node) {
    const int64_t right_rows = static_cast<int64_t>(node->last - node->first) - left_rows;
    if (left_rows < grower_.options_.min_rows || right_rows < grower_.options_.min_rows) return false;
    double gain = Score(left_.data()) - parent_score_;
    scratch_.resize(width_);
    for (size_t k = 0; k < width_; ++k) scratch_[k] = total_[k] - left_[k];
    gain = std::max(0.0, gain + Score(scratch_.data()));
    if (gain <= node->split.gain) return false;
    node->split.gain = gain;
    return true;
  }

  // Cuts the levels in the order of their mean target, or of their share of one class; missing ones always go right.
  template <typename Code>
  bool TryCategories(const BinnedColumn& column, const Code* codes, uint32_t feature, Node* node) {
    place_.resize(std::max<size_t>(place_.size(), column.bins), kNowhere);
    std::vector<uint32_t> levels;
    std::vector<int64_t> counts;
    std::vector<double> sums;
    bool some_missing = false;
    for (size_t i = node->first; i < node->last; ++i) {
      const uint32_t code = codes[rows_[i]];
      if (code == column.bins) {
        some_missing = true;
        continue;
      }
      if (place_[code] == kNowhere) {
        place_[code] = static_cast<uint32_t>(levels.size());
        levels.push_back(code);
        counts.push_back(0);
        sums.resize(sums.size() + width_, 0.0);
      }
      ++counts[place_[code]];
      AddRow(rows_[i], sums.data() + place_[code] * width_);
    }
    for (const uint32_t code : levels) place_[code] = kNowhere;
    const size_t cuts = levels.size() - (some_missing ? 0 : 1);  // the last level may be alone against the missing
    if (levels.empty() || cuts == 0) return false;
    const std::vector<uint32_t> order = OrderLevels(levels, sums);
    const size_t drawn = grower_.options_.random_splits ? random_->Below(cuts) : cuts;
    std::fill(left_.begin(), left_.end(), 0.0);
    int64_t left_rows = 0;
    for (size_t cut = 0; cut < cuts; ++cut) {
      for (size_t k = 0; k < width_; ++k) left_[k] += sums[order[cut] * width_ + k];
      left_rows += counts[order[cut]];
      if (drawn != cuts && cut != drawn) continue;
      if (!Consider(left_rows, node)) continue;
      SetNumber(0, false, feature, node);
      for (size_t i = 0; i <= cut; ++i) node->split.left_set.push_back(levels[order[i]]);
    }
    return true;
  }

  // Positions of the levels in the order in which they are cut; ties by their code.
  std::vector<uint32_t> OrderLevels(const std::vector<uint32_t>& levels, const std::vector<double>& sums) {
    const size_t target = classes_ == 0 ? 1 : LeadingClass();
    const auto share = [&](const double* of) {
      const double weight = classes_ == 0 ? of[0] : std::accumulate(of, of + classes_, 0.0);
      return std::pair(of[target], weight);
    };
    const auto [node_sum, node_weight] = share(total_.data());
    std::vector<double> mean;
    for (size_t i = 0; i < levels.size(); ++i) {
      const auto [sum, weight] = share(sums.data() + i * width_);
      mean.push_back((sum + kCategorySmoothing * node_sum / node_weight) / (weight + kCategorySmoothing));
    }
    std::vector<uint32_t> order(levels.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(),
              [&](uint32_t a, uint32_t b) { return mean[a] != mean[b] ? mean[a] < mean[b] : levels[a] < levels[b]; });
    return order;
  }

  // The class by whose share levels are put in order: the second of two, of more the node's largest, or one that is drawn by its share.
  size_t LeadingClass() {
    if (classes_ == 2) return 1;
    if (!grower_.options_.random_splits) {
      return static_cast<size_t>(std::max_element(total_.begin(), total_.end()) - total_.begin());
    }
    double rest = random_->Uniform() * std::accumulate(total_.begin(), total_.end(), 0.0);
    size_t k = 0;
    while (k + 1 < classes_ && (rest -= total_[k]) >= 0) ++k;
    return k;
  }

  void Divide(size_t at) {
    const Node node = nodes_[at];
    const Split& split = node.split;
    const BinnedColumn& column = codes_.columns[split.feature];
    std::vector<bool> goes_left(column.is_category ? column.bins + 1 : 0, false);
    for (const uint32_t code : split.left_set) goes_left[code] = true;
    const auto is_left = [&](uint32_t row) {
      const uint32_t code = column.code(row);
      if (column.is_category) return static_cast<bool>(goes_left[code]);
      return code == column.bins ? split.missing_left : code <= split.code;
    };
    const auto begin = rows_.begin() + static_cast<std::ptrdiff_t>(node.first),
               end = rows_.begin() + static_cast<std::ptrdiff_t>(node.last);
    const auto middle = static_cast<size_t>(std::stable_partition(begin, end, is_left) - rows_.begin());
    const auto number = static_cast<int32_t>(tree_.left.size());
    AddSplit(split, column);
    Hang(node, number);
    AddNode({node.first, middle, node.depth + 1, number, true, {}});
    AddNode({middle, node.last, node.depth + 1, number, false, {}});
  }

  void AddSplit(const Split& split, const BinnedColumn& column) {
    tree_.left.push_back(0);
    tree_.right.push_back(0);
    tree_.feature.push_back(split.feature);
    if (!column.is_category) {
      constexpr double kLargest = std::numeric_limits<double>::max();
      tree_.threshold.push_back(std::clamp(column.upper[split.code], -kLargest, kLargest));
      tree_.flags.push_back(static_cast<uint8_t>(kSplitMissingNan | (split.missing_left ? kSplitDefaultLeft : 0)));
      return;
    }
    if (tree_.category_offsets.empty()) tree_.category_offsets.push_back(0);
    tree_.threshold.push_back(static_cast<double>(tree_.category_offsets.size() - 1));
    tree_.flags.push_back(kSplitCategories);
    std::vector<uint32_t> words(*std::max_element(split.left_set.begin(), split.left_set.end()) / 32 + 1, 0);
    for (const uint32_t code : split.left_set) words[code / 32] |= 1u << (code % 32);
    tree_.category_words.insert(tree_.category_words.end(), words.begin(), words.end());
    tree_.category_offsets.push_back(tree_.category_words.size());
  }

  void Hang(const Node& node, int32_t child) {
    if (node.parent >= 0) (node.is_left ? tree_.left : tree_.right)[static_cast<size_t>(node.parent)] = child;
  }

  void AddLeaf(const Node& node, int32_t number) {
    Hang(node, ~number);
    std::fill(total_.begin(), total_.end(), 0.0);
    for (size_t i = node.first; i < node.last; ++i) AddRow(rows_[i], total_.data());
    if (classes_ == 0) {
      tree_.leaf_values.push_back(grower_.mean_ + grower_.scale_ * total_[1] / total_[0]);
      return;
    }
    const double prior_rows = grower_.options_.prior_rows;
    const double weight = std::accumulate(total_.begin(), total_.end(), 0.0);
    for (size_t k = 0; k < classes_; ++k) {
      tree_.leaf_values.push_back((total_[k] + prior_rows * grower_.prior_[k]) / (weight + prior_rows));
    }
  }

  static constexpr uint32_t kNowhere = std::numeric_limits<uint32_t>::max();

  struct LargestGainFirst {
    bool operator()(const std::pair<double, size_t>& a, const std::pair<double, size_t>& b) const {
      return a.first != b.first ? a.first < b.first : a.second > b.second;
    }
  };

  const TreeGrower& grower_;
  const BinnedTable& codes_;
  size_t classes_, width_;
  Random* random_;
  std::vector<uint32_t> rows_, order_;
  std::vector<Node> nodes_;
  std::priority_queue<std::pair<double, size_t>, std::vector<std::pair<double, size_t>>, LargestGainFirst> open_;
  std::vector<size_t> closed_;
  std::vector<double> total_, left_, missing_, right_, scratch_;
  double parent_score_ = 0;
  int64_t missing_rows_ = 0;
  std::vector<uint32_t> place_;  // of a code among the levels of the node
  TreesParameters tree_;
};

TreeGrower::TreeGrower(const TrainingRows& training, const GrowthOptions& options) : data_(*training.data), options_(options) {
  target_.resize(data_.rows());
  weight_.resize(data_.rows());
  double weights = 0, mean = 0, squares = 0;
  for (const uint32_t row : training.rows) {
    const double weight = data_.weight(row);
    if (!(weight > 0)) continue;
    rows_.push_back(row);
    weights += weight;
    const double difference = data_.target()[row] - mean;
    mean += difference * weight / weights;
    squares += weight * difference * (data_.target()[row] - mean);
  }
  const double deviation = std::sqrt(squares / weights);
  if (data_.classes() == 0) {
    mean_ = mean;
    scale_ = deviation > 0 && std::isfinite(deviation) ? deviation : 1;
  }
  prior_.assign(data_.classes(), 0.5);
  for (const uint32_t row : rows_) {
    target_[row] = (data_.target()[row] - mean_) / scale_;
    weight_[row] = data_.weight(row) * static_cast<double>(rows_.size()) / weights;
    if (data_.classes() > 0) prior_[static_cast<size_t>(target_[row])] += weight_[row];
  }
  const double sum = std::accumulate(prior_.begin(), prior_.end(), 0.0);
  for (double& share : prior_) share /= sum;
}

TreesParameters TreeGrower::Grow(std::vector<uint32_t> rows, Random* random) const {
  return TreeGrowth(*this, std::move(rows), random).Run();
}

double ForestGrowthCostUnits(double rows, double features_tried, double outputs, double trees, double leaves) {
  constexpr double kBinCell = 1.9e-5;    // 190 ns to bin one value
  constexpr double kCellLevel = 4e-7;    // 4 ns to read a code twice and add its row
  constexpr double kNodeFeature = 5e-6;  // 50 ns to weigh up a split, and as much again for each class
  const double reached = std::clamp(leaves, 2.0, std::max(rows, 2.0));
  const double tree =
      kCellLevel * rows * (features_tried + 2) * 1.5 * std::log2(reached) + kNodeFeature * reached * features_tried * (1 + outputs);
  return kBinCell * rows * features_tried + trees * tree;
}

void AppendTrees(const TreesParameters& more, TreesParameters* all) {
  const auto append = [](auto* to, const auto& from) { to->insert(to->end(), from.begin(), from.end()); };
  const size_t first_set = all->category_offsets.empty() ? 0 : all->category_offsets.size() - 1;
  for (size_t i = 0; i < more.threshold.size(); ++i) {
    const bool is_category = (more.flags[i] & kSplitCategories) != 0;
    all->threshold.push_back(more.threshold[i] + (is_category ? static_cast<double>(first_set) : 0.0));
  }
  append(&all->leaves, more.leaves);
  append(&all->left, more.left);
  append(&all->right, more.right);
  append(&all->feature, more.feature);
  append(&all->flags, more.flags);
  append(&all->leaf_values, more.leaf_values);
  if (more.category_offsets.empty()) return;
  const uint64_t words = all->category_words.size();
  if (all->category_offsets.empty()) all->category_offsets.push_back(0);
  for (size_t s = 1; s < more.category_offsets.size(); ++s) all->category_offsets.push_back(words + more.category_offsets[s]);
  append(&all->category_words, more.category_words);
}

}  // namespace everlearn
