#include "learners/tree_committee.h"

#include <array>
#include <cstring>
#include <numeric>

#include "base/random.h"

namespace everlearn {
namespace {

constexpr double kLossFading = 0.999;  // about a thousand rows
constexpr double kLeastLoss = 1e-6;
constexpr double kFirstRows = 10;  // a tree that takes the place of another is as good as that in so many rows

// P(X ≤ k) of a Poisson number X, k = 0, 1, …, as far as a draw of 53 bits can tell them apart.
std::vector<double> PoissonShares(double mean) {
  std::vector<double> shares;
  double probability = std::exp(-mean), sum = probability;
  for (int k = 1; shares.empty() || sum > shares.back(); ++k) {
    shares.push_back(sum);
    probability *= mean / k;
    sum += probability;
  }
  return shares;
}

}  // namespace

TreeCommittee::TreeCommittee(const StreamShape& shape, const CommitteeOptions& options, uint64_t seed)
    : shape_(shape), options_(options), seed_(seed), stream_(shape), poisson_(PoissonShares(options.rate)) {
  const size_t features = shape.features();
  const bool two = options.on_change == CommitteeOptions::OnChange::kReplaceTree;
  options_.growth.most_bytes /= options.trees * (two ? 2 : 1);
  for (size_t m = 0; m < options.trees; ++m)
    members_.push_back({NewTree(), nullptr, Adwin(options.change_delta), Adwin(options.warning_delta)});
  said_.row.resize(features);
  said_.answers.resize(options.trees);
  said_.mean.resize(shape.outputs());
  said_.outputs.resize(options.trees * shape.outputs());
}

GrowingTree TreeCommittee::NewTree() {
  const uint64_t seed = MixBits(seed_ ^ MixBits(++trees_made_));
  std::vector<uint32_t> columns(shape_.features());
  std::iota(columns.begin(), columns.end(), 0u);
  const auto used = static_cast<size_t>(std::ceil(options_.patch * static_cast<double>(columns.size())));
  if (used < columns.size()) {
    Random random(seed);
    random.Shuffle(std::span(columns));
    columns.resize(std::max<size_t>(used, 1));
    std::sort(columns.begin(), columns.end());
  }
  return GrowingTree(shape_, options_.growth, seed, std::move(columns));
}

void TreeCommittee::Ask(const double* row) const {
  if (said_.valid && std::memcmp(said_.row.data(), row, said_.row.size() * sizeof(double)) == 0) return;
  std::copy_n(row, said_.row.size(), said_.row.begin());
  stream_.Prepare(row, &said_.prepared);
  for (size_t m = 0; m < members_.size(); ++m)
    said_.answers[m] = members_[m].tree.Predict(said_.prepared, stream_.scale(), &scratch_, said_.outputs.data() + m * shape_.outputs());
  said_.valid = true;
}

// The accuracy to the power of 12, or the mean squared error to that of -4; 1 before it is known. Of many powers these were the best on
// streams: trees that missed the columns that matter, or are of an older concept, are hardly heard.
double TreeCommittee::Voice(const Member& member) const {
  if (members_.size() == 1 || member.count == 0) return 1;
  const double loss = member.loss / member.count;
  if (shape_.classes == 0) {
    const double near = 1 / ((loss + kLeastLoss) * (loss + kLeastLoss));
    return near * near;
  }
  const double right = std::max(1 - loss, 0.01), cube = right * right * right;
  return cube * cube * cube * cube;
}

void TreeCommittee::Combine(double* out) const {
  TreeMean mean(out, shape_.outputs());
  for (size_t m = 0; m < members_.size(); ++m) mean.Add(said_.outputs.data() + m * shape_.outputs(), Voice(members_[m]));
  mean.Finish();
}

void TreeCommittee::Predict(const double* row, double* out) const {
  Ask(row);
  Combine(out);
  Sharpen(stream_.sharpness(), shape_.outputs(), out);
}

double TreeCommittee::DrawWeight(size_t member) const {
  if (options_.rate == 0) return 1;
  const uint64_t bits = MixBits(MixBits(seed_ + rows_) ^ (member + 1));
  const double draw = static_cast<double>(bits >> 11) * 0x1.0p-53;
  size_t k = 0;
  while (k < poisson_.size() && draw > poisson_[k]) ++k;
  return static_cast<double>(k);
}

double TreeCommittee::Judge(Member* member, const double* said, double target) const {
  member->loss = kLossFading * member->loss + stream_.LossOf(said, target);
  member->count = kLossFading * member->count + 1;
  return stream_.ErrorOf(said, target);
}

void TreeCommittee::Learn(const double* row, double target, double weight) {
  if (!(weight > 0) || !std::isfinite(target)) return;
  Ask(row);
  Combine(said_.mean.data());
  stream_.LearnSharpness(said_.mean.data(), target);
  const double held = stream_.LearnTarget(target);
  bool reset_worst = false;
  for (size_t m = 0; m < members_.size(); ++m) {
    Member& member = members_[m];
    const double error = Judge(&member, said_.outputs.data() + m * shape_.outputs(), held);
    if (const double drawn = DrawWeight(m); drawn > 0) TeachTree(m, held, weight * drawn);
    if (options_.on_change == CommitteeOptions::OnChange::kReplaceTree) MeetChange(m, error);
    if (options_.on_change == CommitteeOptions::OnChange::kResetWorst) reset_worst |= member.change.AddAndRose(error);
  }
  if (reset_worst) ResetWorst();
  if (stream_.LearnColumns(said_.prepared, held)) BeginAnew();
  ++rows_;
  said_.valid = false;
}

void TreeCommittee::TeachTree(size_t m, double target, double weight) {
  Member& member = members_[m];
  member.tree.Learn(said_.prepared, stream_.scale(), said_.answers[m], target, weight, &scratch_);
  if (member.background == nullptr) return;
  scratch_.said.resize(shape_.outputs());
  const auto answer = member.background->Predict(said_.prepared, stream_.scale(), &scratch_, scratch_.said.data());
  member.background->Learn(said_.prepared, stream_.scale(), answer, target, weight, &scratch_);
}

void TreeCommittee::MeetChange(size_t m, double error) {
  Member& member = members_[m];
  if (member.warning.AddAndRose(error)) {
    member.background = std::make_unique<GrowingTree>(NewTree());
    member.warning = Adwin(options_.warning_delta);
  }
  if (!member.change.AddAndRose(error)) return;
  member.tree = member.background != nullptr ? std::move(*member.background) : NewTree();
  member.background.reset();
  member.change = Adwin(options_.change_delta);
  member.warning = Adwin(options_.warning_delta);
  member.loss *= kFirstRows / std::max(member.count, kFirstRows);
  member.count = std::min(member.count, kFirstRows);
}

void TreeCommittee::BeginAnew() {
  for (Member& member : members_) member = {NewTree(), nullptr, Adwin(options_.change_delta), Adwin(options_.warning_delta)};
}

void TreeCommittee::ResetWorst() {
  const auto worst = std::max_element(members_.begin(), members_.end(),
                                      [](const Member& a, const Member& b) { return a.change.mean() < b.change.mean(); });
  worst->tree = NewTree();
  worst->change = Adwin(options_.change_delta);
  worst->loss = worst->count = 0;
}

std::string TreeCommittee::State() const {
  ByteWriter out;
  out.PutVarint(members_.size());
  out.PutVarint(shape_.classes);
  out.Put(seed_);
  out.Put(rows_);
  out.Put(trees_made_);
  stream_.Save(&out);
  for (const Member& member : members_) {
    member.tree.Save(&out);
    out.Put(member.background != nullptr);
    if (member.background != nullptr) member.background->Save(&out);
    member.change.Save(&out);
    member.warning.Save(&out);
    out.Put(member.loss);
    out.Put(member.count);
  }
  return out.Take();
}

void TreeCommittee::Restore(const std::string& state) {
  const auto check = [](bool holds) {
    if (!holds) throw Error(ErrorKind::kDamaged, "a state of a committee of trees does not fit its columns, classes or parameters");
  };
  ByteReader in(state);
  check(in.GetVarint() == members_.size() && in.GetVarint() == shape_.classes);
  seed_ = in.Get<uint64_t>();
  rows_ = in.Get<uint64_t>();
  trees_made_ = in.Get<uint64_t>();
  stream_.Load(&in);
  for (Member& member : members_) {
    member.tree.Load(&in);
    member.background.reset();
    if (in.Get<bool>()) {
      member.background = std::make_unique<GrowingTree>(shape_, options_.growth, 0, std::vector<uint32_t>{});
      member.background->Load(&in);
    }
    member.change.Load(&in);
    member.warning.Load(&in);
    member.loss = in.Get<double>();
    member.count = in.Get<double>();
    check(member.loss >= 0 && member.count >= 0 && std::isfinite(member.loss) && std::isfinite(member.count));
  }
  check(in.done());
  said_.valid = false;
}

std::shared_ptr<const Model> TreeCommittee::Snapshot() const {
  StreamTreesParameters model;
  model.classes = shape_.classes;
  model.sharpness = stream_.sharpness();
  model.scale = stream_.scale();
  for (const Member& member : members_) {
    model.trees.push_back(member.tree.Shown());
    model.trees.back().weight = Voice(member);
  }
  return MakeStreamTrees(std::move(model));
}

}  // namespace everlearn
