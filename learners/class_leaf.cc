#include "learners/class_leaf.h"

#include <array>
#include <numeric>

namespace everlearn {
namespace {

constexpr int kThresholds = 10;
constexpr double kLeastShare = 0.01;  // of the rows on each side of a split
constexpr size_t kRangeFields = 2;
constexpr double kLargestSum = 1e250;  // of squares of the largest numbers of any number of rows
constexpr double kLogOf2 = 0.693147180559945309;

// P(z ≤ x) of the standard normal distribution from a table, within 1e-5.
double NormalShare(double x) {
  constexpr double kReach = 5, kSteps = 100;  // a unit
  static const auto table = [] {
    std::array<float, static_cast<size_t>(2 * kReach * kSteps) + 2> values;
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(0.5 * std::erfc(-(static_cast<double>(i) / kSteps - kReach) / std::sqrt(2.0)));
    return values;
  }();
  if (x <= -kReach) return 0;
  if (x >= kReach) return 1;
  const double at = (x + kReach) * kSteps;
  const auto i = static_cast<size_t>(at);
  return table[i] + (at - static_cast<double>(i)) * (table[i + 1] - table[i]);
}

double Information(double weight) { return weight > 0 ? weight * QuickLog(weight) : 0; }

// Sum of the weights times the entropy of their shares, in nats.
double Disorder(std::span<const double> weights) {
  double sum = 0, parts = 0;
  for (const double weight : weights) {
    sum += weight;
    parts += Information(weight);
  }
  return Information(sum) - parts;
}

// Of a search for a split, kept for the next one.
struct SideBuffers {
  std::vector<double> left, right, missing;
};
thread_local SideBuffers side_buffers;

// Or sums of squares: neither negative nor so large that nothing can be done with them.
bool AreWeights(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return value >= 0 && value <= kLargestSum; });
}

double Sum(std::span<const double> values) { return std::accumulate(values.begin(), values.end(), 0.0); }

}  // namespace

// Weights of the slots on the sides of a split; `missing`: of the rows where its column is missing.
struct LearningClassLeaf::Sides {
  explicit Sides(std::span<const double> seen) : all(seen), whole(Sum(seen)), disorder(Disorder(seen)) {
    for (std::vector<double>* side : {&left, &right, &missing}) side->resize(seen.size());
  }

  void SetMissing(size_t slot, double known) { missing[slot] = std::max(0.0, all[slot] - known); }

  // Information gain in bits where the missing ones go to the better side, which `missing_left` says.
  double Gain(bool* missing_left) {
    const double gone = Sum(missing);
    *missing_left = Sum(left) >= Sum(right);
    if (gone <= 1e-9 * whole) return GainOf(left, right);
    const double with_left = GainWith(&left), with_right = GainWith(&right);
    *missing_left = with_left >= with_right;
    return std::max(with_left, with_right);
  }
  double GainWith(std::vector<double>* side) const {
    for (size_t s = 0; s < missing.size(); ++s) (*side)[s] += missing[s];
    const double gain = GainOf(left, right);
    for (size_t s = 0; s < missing.size(); ++s) (*side)[s] -= missing[s];
    return gain;
  }
  double GainOf(std::span<const double> a, std::span<const double> b) const {
    if (std::min(Sum(a), Sum(b)) < kLeastShare * whole) return 0;
    return (disorder - Disorder(a) - Disorder(b)) / whole / kLogOf2;
  }

  std::span<const double> all;
  double whole, disorder;
  std::vector<double>&left = side_buffers.left, &right = side_buffers.right, &missing = side_buffers.missing;
};

LearningClassLeaf::LearningClassLeaf(std::vector<double> weights, std::span<const uint32_t> columns,
                                     const std::vector<uint8_t>& is_category) {
  shown.weights = std::move(weights);
  for (const uint32_t column : columns) (is_category[column] ? shown.categories : shown.numbers).push_back(column);
  shown.counts.resize(shown.categories.size());
  slot_.assign(shown.weights.size(), -1);
  weight_ = Sum(shown.weights);
  majority_ = static_cast<size_t>(std::max_element(shown.weights.begin(), shown.weights.end()) - shown.weights.begin());
  CountBytes();
}

int LearningClassLeaf::SlotOf(size_t target, bool may_grow) {
  if (slot_[target] >= 0 || !may_grow || shown.classes.size() > 30000) return slot_[target];
  slot_[target] = static_cast<int16_t>(shown.classes.size());
  shown.classes.push_back(static_cast<uint32_t>(target));
  seen_.push_back(0);
  const size_t numbers = shown.numbers.size();
  shown.gaussians.resize(shown.gaussians.size() + ClassLeaf::kFields * numbers, 0.0);
  ranges_.resize(ranges_.size() + numbers, kLargestTreeNumber);
  ranges_.resize(ranges_.size() + numbers, -kLargestTreeNumber);
  for (CategoryCounts& counts : shown.counts) counts.counts.resize(shown.classes.size() * counts.stride(), 0.0);
  CountBytes();
  return slot_[target];
}

void LearningClassLeaf::Learn(const double* values, size_t target, double weight, int naive_bayes_says, bool may_grow) {
  if (naive_bayes_says >= 0) {
    majority_right_ += majority_ == target ? weight : 0;
    naive_bayes_right_ += static_cast<size_t>(naive_bayes_says) == target ? weight : 0;
    shown.naive_bayes = naive_bayes_right_ >= majority_right_;
  }
  weight_ += weight;
  shown.weights[target] += weight;
  if (shown.weights[target] > shown.weights[majority_]) majority_ = target;
  const int slot = SlotOf(target, may_grow);
  if (slot < 0) return;
  seen_[static_cast<size_t>(slot)] += weight;
  LearnNumbers(values, static_cast<size_t>(slot), weight);
  LearnCategories(values, static_cast<size_t>(slot), weight, may_grow);
}

// West's update of a weighted mean and its squared distances.
void LearningClassLeaf::LearnNumbers(const double* values, size_t slot, double weight) {
  const size_t numbers = shown.numbers.size();
  double *sum = shown.gaussian(slot, 0), *mean = shown.gaussian(slot, 1), *squares = shown.gaussian(slot, 2);
  double *low = ranges_.data() + slot * kRangeFields * numbers, *high = low + numbers;
  for (size_t j = 0; j < numbers; ++j) {
    const double x = values[shown.numbers[j]];
    if (x != x) continue;
    sum[j] += weight;
    const double from_mean = x - mean[j], share = weight / sum[j];
    mean[j] += from_mean * share;
    squares[j] += weight * (1 - share) * from_mean * from_mean;
    low[j] = std::min(low[j], x);
    high[j] = std::max(high[j], x);
  }
}

void LearningClassLeaf::LearnCategories(const double* values, size_t slot, double weight, bool may_grow) {
  for (size_t j = 0; j < shown.categories.size(); ++j) {
    const double x = values[shown.categories[j]];
    if (x != x) continue;
    CategoryCounts& counts = shown.counts[j];
    const auto category = static_cast<uint32_t>(x);
    if (category >= counts.capacity) {
      if (!may_grow) continue;
      CategoryCounts larger;
      larger.capacity = std::min(kCategorySlots, std::max(category + 1, counts.capacity * 2));
      larger.counts.assign(shown.classes.size() * larger.stride(), 0.0);
      for (size_t s = 0; s < shown.classes.size(); ++s)
        std::copy_n(counts.counts.begin() + static_cast<ptrdiff_t>(s * counts.stride()), counts.stride(),
                    larger.counts.begin() + static_cast<ptrdiff_t>(s * larger.stride()));
      counts = std::move(larger);
      CountBytes();
    }
    double* row = counts.counts.data() + slot * counts.stride();
    row[0] += weight;
    row[1 + category] += weight;
  }
}

void LearningClassLeaf::FillNumber(size_t j, double threshold, Sides* sides) const {
  const size_t numbers = shown.numbers.size();
  for (size_t s = 0; s < seen_.size(); ++s) {
    const double sum = shown.gaussian(s, 0)[j], mean = shown.gaussian(s, 1)[j], squares = shown.gaussian(s, 2)[j];
    const double low = ranges_[s * kRangeFields * numbers + j], high = ranges_[(s * kRangeFields + 1) * numbers + j];
    double left = 0;
    if (threshold >= high) {
      left = sum;
    } else if (threshold >= low) {
      const double deviation = sum > 1 ? std::sqrt(squares / (sum - 1)) : 0;
      left = deviation > 0 ? sum * NormalShare((threshold - mean) / deviation) : threshold >= mean ? sum : 0;
    }
    sides->left[s] = left;
    sides->right[s] = sum - left;
    sides->SetMissing(s, sum);
  }
}

void LearningClassLeaf::FillCategory(size_t j, uint32_t category, Sides* sides) const {
  const CategoryCounts& counts = shown.counts[j];
  for (size_t s = 0; s < seen_.size(); ++s) {
    const double* row = counts.counts.data() + s * counts.stride();
    const double left = category < counts.capacity ? row[1 + category] : 0;
    sides->left[s] = left;
    sides->right[s] = std::max(0.0, row[0] - left);
    sides->SetMissing(s, row[0]);
  }
}

void LearningClassLeaf::SearchNumber(size_t j, Sides* sides, StreamSplit* best) const {
  const size_t numbers = shown.numbers.size();
  double low = kLargestTreeNumber, high = -kLargestTreeNumber;
  for (size_t s = 0; s < seen_.size(); ++s) {
    low = std::min(low, ranges_[s * kRangeFields * numbers + j]);
    high = std::max(high, ranges_[(s * kRangeFields + 1) * numbers + j]);
  }
  if (!(low < high)) return;
  for (int i = 1; i <= kThresholds; ++i) {
    const double threshold = low + (high - low) * i / (kThresholds + 1);
    FillNumber(j, threshold, sides);
    bool missing_left = false;
    if (const double gain = sides->Gain(&missing_left); gain > best->merit)
      *best = {gain, shown.numbers[j], missing_left ? StreamNode::kMissingLeft : 0, threshold};
  }
}

void LearningClassLeaf::SearchCategory(size_t j, Sides* sides, StreamSplit* best) const {
  for (uint32_t category = 0; category < shown.counts[j].capacity; ++category) {
    FillCategory(j, category, sides);
    bool missing_left = false;
    if (const double gain = sides->Gain(&missing_left); gain > best->merit)
      *best = {gain, shown.categories[j], StreamNode::kCategory | (missing_left ? StreamNode::kMissingLeft : 0),
               static_cast<double>(category)};
  }
}

SplitSearch LearningClassLeaf::Search() const {
  SplitSearch search;
  Sides sides(seen_);
  for (size_t j = 0; j < shown.numbers.size(); ++j) {
    StreamSplit best;
    SearchNumber(j, &sides, &best);
    search.Compare(best);
  }
  for (size_t j = 0; j < shown.categories.size(); ++j) {
    StreamSplit best;
    SearchCategory(j, &sides, &best);
    search.Compare(best);
  }
  search.evidence = 2 * kLogOf2 * sides.whole * search.best.merit;
  search.freedom = static_cast<double>(std::max<size_t>(seen_.size(), 2) - 1);
  return search;
}

void LearningClassLeaf::Divide(const StreamSplit& split, std::vector<double>* left, std::vector<double>* right) const {
  Sides sides(seen_);
  const auto& columns = (split.flags & StreamNode::kCategory) != 0 ? shown.categories : shown.numbers;
  const auto j = static_cast<size_t>(std::find(columns.begin(), columns.end(), split.feature) - columns.begin());
  if ((split.flags & StreamNode::kCategory) != 0) {
    FillCategory(j, static_cast<uint32_t>(split.threshold), &sides);
  } else {
    FillNumber(j, split.threshold, &sides);
  }
  left->assign(shown.weights.size(), 0.0);
  right->assign(shown.weights.size(), 0.0);
  for (size_t s = 0; s < seen_.size(); ++s) {
    const bool missing_left = (split.flags & StreamNode::kMissingLeft) != 0;
    (*left)[shown.classes[s]] = sides.left[s] + (missing_left ? sides.missing[s] : 0);
    (*right)[shown.classes[s]] = sides.right[s] + (missing_left ? 0 : sides.missing[s]);
  }
}

void LearningClassLeaf::CountBytes() {
  size_t doubles = shown.weights.size() + shown.gaussians.size() + seen_.size() + ranges_.size();
  for (const CategoryCounts& counts : shown.counts) doubles += counts.counts.size() + 4;
  bytes_ = sizeof *this + 8 * doubles + 2 * slot_.size() + 4 * (shown.numbers.size() + shown.categories.size() + shown.classes.size());
}

void LearningClassLeaf::Save(ByteWriter* out) const {
  out->PutAll(shown.weights);
  out->Put(shown.naive_bayes);
  out->PutAll(shown.numbers);
  out->PutAll(shown.categories);
  out->PutAll(shown.classes);
  out->PutAll(shown.gaussians);
  for (const CategoryCounts& counts : shown.counts) {
    out->PutVarint(counts.capacity);
    out->PutAll(counts.counts);
  }
  out->PutAll(seen_);
  out->PutAll(ranges_);
  for (const double number : {weight_, majority_right_, naive_bayes_right_, next_attempt}) out->Put(number);
  out->PutVarint(majority_);
}

void LearningClassLeaf::Load(ByteReader* in, size_t classes, const std::vector<uint8_t>& is_category) {
  const auto check = [](bool holds) {
    if (!holds) throw Error(ErrorKind::kDamaged, "a stored leaf of a stream's tree is wrong");
  };
  shown.weights = in->GetAll<double>();
  shown.naive_bayes = in->Get<bool>();
  shown.numbers = in->GetAll<uint32_t>();
  shown.categories = in->GetAll<uint32_t>();
  shown.classes = in->GetAll<uint32_t>();
  shown.gaussians = in->GetAll<double>();
  check(shown.weights.size() == classes && shown.classes.size() <= classes);
  for (const uint32_t column : shown.numbers) check(column < is_category.size() && !is_category[column]);
  for (const uint32_t column : shown.categories) check(column < is_category.size() && is_category[column]);
  shown.counts.assign(shown.categories.size(), {});
  for (CategoryCounts& counts : shown.counts) {
    counts.capacity = static_cast<uint32_t>(std::min<uint64_t>(in->GetVarint(), kCategorySlots + 1));
    counts.counts = in->GetAll<double>();
    check(counts.capacity <= kCategorySlots && counts.counts.size() == counts.stride() * shown.classes.size());
  }
  seen_ = in->GetAll<double>();
  ranges_ = in->GetAll<double>();
  for (double* number : {&weight_, &majority_right_, &naive_bayes_right_, &next_attempt}) *number = in->Get<double>();
  majority_ = in->GetVarint();
  const size_t slots = shown.classes.size(), numbers = shown.numbers.size();
  check(majority_ < classes && seen_.size() == slots && shown.gaussians.size() == slots * ClassLeaf::kFields * numbers &&
        ranges_.size() == slots * kRangeFields * numbers);
  for (const double number : {weight_, majority_right_, naive_bayes_right_, next_attempt}) check(number >= 0 && std::isfinite(number));
  for (const std::vector<double>* weights : {&shown.weights, &seen_}) check(AreWeights(*weights));
  for (const CategoryCounts& counts : shown.counts) check(AreWeights(counts.counts));
  for (size_t s = 0; s < slots; ++s) {
    const auto field = [&](size_t k) { return std::span<const double>(shown.gaussian(s, k), numbers); };
    check(AreWeights(field(0)) && AreWeights(field(2)));
    for (const double mean : field(1)) check(std::abs(mean) <= 2 * kLargestTreeNumber);  // with rounding
  }
  for (const double end : ranges_) check(std::abs(end) <= kLargestTreeNumber);
  slot_.assign(classes, -1);
  for (size_t s = 0; s < slots; ++s) {
    check(shown.classes[s] < classes && slot_[shown.classes[s]] < 0 && s <= 30000);
    slot_[shown.classes[s]] = static_cast<int16_t>(s);
  }
  CountBytes();
}

}  // namespace everlearn
