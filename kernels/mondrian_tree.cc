#include "kernels/mondrian_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "base/widest_vectors.h"

namespace everlearn {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr float kFarthest = 1e6f;
constexpr size_t kLanes = 16;               // sums over features are made in so many parts, the same on every machine
constexpr double kLargestError = 20;        // in deviations
constexpr double kLargestMean = 2e100;      // 1e100 with rounding
constexpr double kLargestShare = 1.1;       // 1, but for what rounding does to large logarithms
constexpr float kLastExactCount = 1 << 24;  // rows are counted in single precision

// How far each coordinate lies outside of its interval, in the time of the process; NaN on either side is not outside.
void OutsideOf(const float* __restrict low, const float* __restrict high, const float* __restrict x, const float* __restrict rates,
               size_t features, float* __restrict outside, float* __restrict sums) {
  const auto one = [&](size_t j) {
    const float below = low[j] - x[j], above = x[j] - high[j];
    return std::min(rates[j] * ((below > 0 ? below : 0.0f) + (above > 0 ? above : 0.0f)), kFarthest);
  };
  for (size_t l = 0; l < kLanes; ++l) sums[l] = 0;
  size_t j = 0;
  for (; j + kLanes <= features; j += kLanes)
    for (size_t l = 0; l < kLanes; ++l) sums[l] += outside[j + l] = one(j + l);
  for (size_t l = 0; j + l < features; ++l) sums[l] += outside[j + l] = one(j + l);
}

void Extend(float* __restrict low, float* __restrict high, const float* __restrict x, size_t features) {
  for (size_t j = 0; j < features; ++j) {
    low[j] = x[j] < low[j] || low[j] != low[j] ? x[j] : low[j];
    high[j] = x[j] > high[j] || high[j] != high[j] ? x[j] : high[j];
  }
}

// log(exp(a) / 2 + exp(b) / 2)
double LogMean(double a, double b) {
  const double most = std::max(a, b), least = std::min(a, b);
  return most + std::log1p(std::exp(least - most)) - 0.6931471805599453;
}

}  // namespace

MondrianTree::MondrianTree(const MondrianOptions& options, uint64_t seed)
    : options_(options),
      seed_(seed),
      outside_(options.features),
      own_(options.outputs()),
      prior_(options.prior_rows / static_cast<double>(options.outputs())) {}

size_t MondrianTree::BytesOfNode(const MondrianOptions& options) {
  return options.features * 2 * sizeof(float) + options.classes * sizeof(float) + 3 * sizeof(uint32_t) + 2 * sizeof(float) + 1 +
         4 * sizeof(double);
}

double MondrianTree::Draw() { return static_cast<double>(MixBits(seed_ + 0x9e3779b97f4a7c15ULL * ++draws_) >> 11) * 0x1.0p-53; }

void MondrianTree::Clear() {
  root_ = kLeaf;
  feature_.clear(), left_.clear(), right_.clear(), threshold_.clear(), missing_left_.clear(), time_.clear();
  log_weight_.clear(), tree_weight_.clear(), low_.clear(), high_.clear(), rows_.clear(), mean_.clear(), counts_.clear();
}

uint32_t MondrianTree::AddNode() {
  const auto node = static_cast<uint32_t>(nodes());
  feature_.push_back(kLeaf);
  left_.push_back(kLeaf);
  right_.push_back(kLeaf);
  threshold_.push_back(0);
  missing_left_.push_back(0);
  time_.push_back(kNever);
  log_weight_.push_back(0);
  tree_weight_.push_back(0);
  low_.resize(low_.size() + options_.features);
  high_.resize(high_.size() + options_.features);
  rows_.push_back(0);
  mean_.push_back(0);
  counts_.resize(counts_.size() + options_.classes);
  return node;
}

void MondrianTree::SetPoint(uint32_t node, const float* x) {
  std::copy_n(x, options_.features, low_.begin() + static_cast<ptrdiff_t>(node * options_.features));
  std::copy_n(x, options_.features, high_.begin() + static_cast<ptrdiff_t>(node * options_.features));
}

void MondrianTree::ExtendBox(uint32_t node, const float* x) {
  const size_t at = node * options_.features;
  RunWithWidestVectors<Extend>(low_.data() + at, high_.data() + at, x, options_.features);
}

double MondrianTree::Outside(uint32_t node, const float* x, const float* rates) {
  const size_t at = node * options_.features;
  float sums[kLanes];
  RunWithWidestVectors<OutsideOf>(low_.data() + at, high_.data() + at, x, rates, options_.features, outside_.data(), sums);
  double sum = 0;
  for (const float part : sums) sum += part;
  return sum;
}

bool MondrianTree::IsPure(uint32_t node, double target) const {
  return options_.classes > 0 && counts_[node * options_.classes + static_cast<size_t>(target)] == rows_[node];
}

uint32_t MondrianTree::Child(uint32_t node, const float* x) const {
  const float value = x[feature_[node]];
  const bool left = std::isnan(value) ? missing_left_[node] != 0 : value <= threshold_[node];
  return left ? left_[node] : right_[node];
}

// A new node takes the place of `node`, which becomes one child of it; the other is a new leaf for x. Returns the new node.
uint32_t MondrianTree::SplitAbove(uint32_t node, const float* x, double outside, double time) {
  const uint32_t split = AddNode(), leaf = AddNode();
  const size_t d = options_.features;
  double rest = Draw() * outside;
  size_t feature = 0, last = 0;
  for (; feature < d; ++feature) {
    if (!(outside_[feature] > 0)) continue;
    last = feature;
    if ((rest -= outside_[feature]) < 0) break;
  }
  feature = last;  // where rounding left a rest
  const float low = low_[node * d + feature], high = high_[node * d + feature], value = x[feature];
  const bool above = value > high;
  const float from = above ? high : value, to = above ? value : low;
  auto threshold = static_cast<float>(from + Draw() * (static_cast<double>(to) - from));
  if (!(threshold >= from && threshold < to)) threshold = from;
  feature_[split] = static_cast<uint32_t>(feature);
  threshold_[split] = threshold;
  missing_left_[split] = above;
  left_[split] = above ? node : leaf;
  right_[split] = above ? leaf : node;
  time_[split] = time;
  log_weight_[split] = log_weight_[node];
  rows_[split] = rows_[node];
  mean_[split] = mean_[leaf] = mean_[node];
  std::copy_n(counts_.begin() + static_cast<ptrdiff_t>(node * options_.classes), options_.classes,
              counts_.begin() + static_cast<ptrdiff_t>(split * options_.classes));
  std::copy_n(low_.begin() + static_cast<ptrdiff_t>(node * d), d, low_.begin() + static_cast<ptrdiff_t>(split * d));
  std::copy_n(high_.begin() + static_cast<ptrdiff_t>(node * d), d, high_.begin() + static_cast<ptrdiff_t>(split * d));
  SetPoint(leaf, x);
  return split;
}

// The node's own prediction is judged by the target, then learns it.
void MondrianTree::UpdateNode(uint32_t node, double target, double deviation) {
  if (options_.classes > 0) {
    float& count = counts_[node * options_.classes + static_cast<size_t>(target)];
    const double share = (count + prior_) / (rows_[node] + options_.prior_rows);
    log_weight_[node] += options_.step * std::log(share);
    count += 1;
  } else {
    const double error = target - mean_[node], scaled = std::clamp(error / deviation, -kLargestError, kLargestError);
    log_weight_[node] -= options_.step * 0.5 * scaled * scaled;
    mean_[node] += error / (rows_[node] + 1 + options_.prior_rows);
  }
  rows_[node] += 1;
}

void MondrianTree::UpdateTreeWeight(uint32_t node) {
  tree_weight_[node] =
      IsLeaf(node) ? log_weight_[node] : LogMean(log_weight_[node], tree_weight_[left_[node]] + tree_weight_[right_[node]]);
}

void MondrianTree::Learn(const float* x, const float* rates, double target, double deviation) {
  if (root_ == kLeaf) {
    root_ = AddNode();
    SetPoint(root_, x);
    if (options_.classes == 0) mean_[root_] = target;
    UpdateNode(root_, target, deviation);
    UpdateTreeWeight(root_);
    return;
  }
  path_.clear();
  uint32_t node = root_;
  double time = 0;  // of the split above
  for (;;) {
    const double outside = full() || IsPure(node, target) ? 0 : Outside(node, x, rates);
    const double next = outside > 0 ? time - std::log1p(-Draw()) / outside : kNever;
    if (next < time_[node]) {
      const uint32_t split = SplitAbove(node, x, outside, next);
      if (path_.empty()) {
        root_ = split;
      } else {
        uint32_t& link = left_[path_.back()] == node ? left_[path_.back()] : right_[path_.back()];
        link = split;
      }
      ExtendBox(split, x);
      path_.push_back(split);
      node = left_[split] == node ? right_[split] : left_[split];
      path_.push_back(node);
      break;
    }
    ExtendBox(node, x);
    path_.push_back(node);
    if (IsLeaf(node)) break;
    time = time_[node];
    node = Child(node, x);
  }
  for (const uint32_t visited : path_) UpdateNode(visited, target, deviation);
  for (size_t i = path_.size(); i-- > 0;) UpdateTreeWeight(path_[i]);
}

double MondrianTree::OwnShare(uint32_t node) const { return IsLeaf(node) ? 1 : 0.5 * std::exp(log_weight_[node] - tree_weight_[node]); }

void MondrianTree::OwnPrediction(uint32_t node, double* out) const {
  if (options_.classes == 0) {
    out[0] = mean_[node];
    return;
  }
  const double total = rows_[node] + options_.prior_rows;
  const float* counts = counts_.data() + node * options_.classes;
  for (size_t k = 0; k < options_.classes; ++k) out[k] = (counts[k] + prior_) / total;
}

void MondrianTree::Predict(const float* x, double* out) const {
  std::fill_n(out, options_.outputs(), root_ != kLeaf ? 0.0 : options_.classes > 0 ? 1.0 / static_cast<double>(options_.classes) : 0.0);
  double left = 1;  // for the prunings that end farther down
  for (uint32_t node = root_; node != kLeaf; node = IsLeaf(node) ? kLeaf : Child(node, x)) {
    const double own = left * OwnShare(node);
    OwnPrediction(node, own_.data());
    for (size_t k = 0; k < own_.size(); ++k) out[k] += own * own_[k];
    left -= own;
  }
}

void MondrianTree::Save(ByteWriter* out) const {
  out->Put(seed_);
  out->Put(draws_);
  out->Put(root_);
  out->PutAll(feature_);
  out->PutAll(left_);
  out->PutAll(right_);
  out->PutAll(threshold_);
  out->PutAll(missing_left_);
  out->PutAll(time_);
  out->PutAll(log_weight_);
  out->PutAll(tree_weight_);
  out->PutAll(low_);
  out->PutAll(high_);
  out->PutAll(rows_);
  out->PutAll(mean_);
  out->PutAll(counts_);
}

void MondrianTree::Load(ByteReader* in) {
  const auto check = [](bool holds) {
    if (!holds) throw Error(ErrorKind::kDamaged, "a stored Mondrian tree is damaged");
  };
  seed_ = in->Get<uint64_t>();
  draws_ = in->Get<uint64_t>();
  root_ = in->Get<uint32_t>();
  feature_ = in->GetAll<uint32_t>();
  left_ = in->GetAll<uint32_t>();
  right_ = in->GetAll<uint32_t>();
  threshold_ = in->GetAll<float>();
  missing_left_ = in->GetAll<uint8_t>();
  time_ = in->GetAll<double>();
  log_weight_ = in->GetAll<double>();
  tree_weight_ = in->GetAll<double>();
  low_ = in->GetAll<float>();
  high_ = in->GetAll<float>();
  rows_ = in->GetAll<float>();
  mean_ = in->GetAll<double>();
  counts_ = in->GetAll<float>();
  const size_t n = nodes(), d = options_.features;
  check(n <= std::max<size_t>(options_.most_nodes, 1) && (root_ == kLeaf ? n == 0 : root_ < n));
  for (const auto* field : {&left_, &right_}) check(field->size() == n);
  for (const auto* field : {&time_, &log_weight_, &tree_weight_, &mean_}) check(field->size() == n);
  check(threshold_.size() == n && missing_left_.size() == n && rows_.size() == n);
  check(low_.size() == n * d && high_.size() == n * d && counts_.size() == n * options_.classes);
  for (size_t i = 0; i < n; ++i) {
    check(std::isfinite(log_weight_[i]) && std::isfinite(tree_weight_[i]) && std::isfinite(mean_[i]) && rows_[i] >= 0);
    check(std::isfinite(threshold_[i]) && (feature_[i] == kLeaf || feature_[i] < d));
    check(std::isfinite(rows_[i]) && time_[i] >= 0 && OwnShare(static_cast<uint32_t>(i)) <= kLargestShare);
    check(std::abs(mean_[i]) <= kLargestMean);
    double counted = 0;
    for (size_t k = 0; k < options_.classes; ++k) {
      const float count = counts_[i * options_.classes + k];
      check(count >= 0 && std::isfinite(count));
      counted += count;
    }
    check(options_.classes == 0 || counted == rows_[i] || rows_[i] >= kLastExactCount);
  }
  for (const auto* ends : {&low_, &high_})
    for (const float end : *ends) check(!std::isinf(end));
  // Every node hangs on one other, or is the root: no walk goes in circles.
  std::vector<uint8_t> hangs(n, 0);
  if (n > 0) hangs[root_] = 1;
  path_.clear();
  if (n > 0) path_.push_back(root_);
  size_t reached = 0;
  while (!path_.empty()) {
    const uint32_t node = path_.back();
    path_.pop_back();
    ++reached;
    if (IsLeaf(node)) continue;
    for (const uint32_t child : {left_[node], right_[node]}) {
      check(child < n && !hangs[child]);
      hangs[child] = 1;
      path_.push_back(child);
    }
  }
  check(reached == n);
}

}  // namespace everlearn
