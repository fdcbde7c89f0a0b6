#include "guard/drift_tracker.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "statistics/distribution_distance.h"
#include "statistics/multiple_tests.h"
#include "statistics/two_samples.h"

namespace everlearn {
namespace {

constexpr size_t kBins = ColumnBins::kBins, kMissingBin = ColumnBins::kMissingBin;
constexpr uint32_t kMostLossRows = 2000;  // a bin's mean loss forgets what is older
constexpr double kLargestValue = 1e100;   // sums of so large values are still finite

double Clamped(double value) { return std::clamp(value, -kLargestValue, kLargestValue); }

// The counts of a column's bins that are in use: of values, then of what is missing.
template <typename Counts>
std::vector<double> InUse(const Counts& counts, const ColumnBins& bins) {
  std::vector<double> used(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(bins.used() + 1));
  used.push_back(counts[kMissingBin]);
  return used;
}

// The mean value of each bin that has one, in order, with its count.
struct Atoms {
  template <typename Counts, typename Sums>
  Atoms(const Counts& counts, const Sums& sums, size_t used) {
    for (size_t k = 0; k <= used; ++k) {
      if (counts[k] == 0) continue;
      positions.push_back(sums[k] / static_cast<double>(counts[k]));
      weights.push_back(counts[k]);
    }
    std::sort(positions.begin(), positions.end());  // rounding may have moved a mean over an edge
  }
  std::vector<double> positions, weights;
};

}  // namespace

DriftTracker::DriftTracker(const std::vector<bool>& is_category, const DriftOptions& options)
    : is_category_(is_category.begin(), is_category.begin() + static_cast<std::ptrdiff_t>(std::min(is_category.size(), kMostColumns))),
      options_(options),
      drift_(is_category_.size()) {}

bool DriftTracker::Sampled(uint64_t row) { return MixBits(row) % kSampleEvery == 0; }

bool DriftTracker::AddRow(uint64_t row, const double* features) {
  if (is_category_.empty() || (phase_ == Phase::kWatching && !Sampled(row))) return false;
  if (phase_ == Phase::kFirstRows) {
    first_.insert(first_.end(), features, features + is_category_.size());
    first_numbers_.push_back(row);
    if (first_numbers_.size() == kFirstRows) FixBins();
    return false;
  }
  Count(features);
  if (phase_ == Phase::kReference) {
    if (growing_rows_ == kBlockRows) EndBlock();
    if (reference_rows_ == kMostReference) EndReference();
    return false;
  }
  if (growing_rows_ < kWindowRows) return false;
  EndWindow();
  return true;
}

void DriftTracker::Count(const double* features) {
  for (size_t c = 0; c < columns_.size(); ++c) {
    Column& column = columns_[c];
    const size_t bin = column.bins.Of(features[c]);
    ++column.recent[bin];
    if (bin != kMissingBin) column.recent_values[bin] += Clamped(features[c]);
  }
  ++growing_rows_;
}

void DriftTracker::AddLoss(uint64_t row, const double* features, double loss) {
  if (!Sampled(row)) return;
  for (size_t c = 0; c < columns_.size(); ++c) {
    Column& column = columns_[c];
    const size_t bin = column.bins.Of(features[c]);
    uint32_t& rows = column.loss_rows[bin];
    rows = std::min(rows + 1, kMostLossRows);
    column.loss[bin] += (loss - column.loss[bin]) / rows;
  }
}

void DriftTracker::FixBins() {
  const size_t width = is_category_.size();
  columns_.assign(width, Column());
  std::vector<double> values(first_numbers_.size());
  for (size_t c = 0; c < width; ++c) {
    for (size_t i = 0; i < values.size(); ++i) values[i] = first_[i * width + c];
    columns_[c].bins = ColumnBins::Fit(values, is_category_[c]);
  }
  phase_ = Phase::kReference;
  for (size_t i = 0; i < values.size(); ++i) {
    Count(first_.data() + i * width);
    if (growing_rows_ == kBlockRows) EndBlock();
  }
  first_ = {};
  first_numbers_ = {};
}

void DriftTracker::EndBlock() {
  for (Column& column : columns_) {
    for (size_t k = 0; k < kBins; ++k) {
      const double count = column.recent[k];
      column.reference[k] += column.recent[k];
      column.reference_values[k] += column.recent_values[k];
      column.squares[k] += count * count;
    }
    column.recent = {};
    column.recent_values = {};
  }
  growing_rows_ = 0;
  reference_rows_ += kBlockRows;
}

void DriftTracker::EndReference() {
  for (Column& column : columns_) {
    column.clumping = Clumping(InUse(column.squares, column.bins), InUse(column.reference, column.bins), kBlockRows);
    column.recent = {};
    column.recent_values = {};
  }
  growing_rows_ = 0;
  phase_ = Phase::kWatching;
}

void DriftTracker::EndHistory() {
  if (phase_ == Phase::kReference && reference_rows_ >= kLeastReference) EndReference();
}

void DriftTracker::BeginReference() {
  phase_ = Phase::kFirstRows;
  first_.clear();
  first_numbers_.clear();
  columns_.clear();
  drift_.assign(is_category_.size(), {});
  table_ = {};
  growing_rows_ = reference_rows_ = windows_ = 0;
}

ColumnDrift DriftTracker::Measure(const Column& column, double mean_loss) const {
  const std::vector<double> reference = InUse(column.reference, column.bins), recent = InUse(column.recent, column.bins);
  const size_t used = column.bins.used();
  const std::span<const double> reference_values(reference.data(), used + 1), recent_values(recent.data(), used + 1);
  ColumnDrift drift;
  const TwoSampleTest table = ChiSquared(reference, recent, column.clumping);
  drift.chi_squared = table.statistic;
  drift.p = table.p;
  if (!column.bins.is_category()) {
    const TwoSampleTest order = KolmogorovSmirnov(reference_values, recent_values, column.clumping);
    drift.ks = order.statistic;
    drift.p = std::min(1.0, 2 * std::min(table.p, order.p));
    const Atoms before(column.reference, column.reference_values, used), now(column.recent, column.recent_values, used);
    drift.wasserstein = WassersteinDistance({before.positions, before.weights}, {now.positions, now.weights});
  }
  drift.jensen_shannon = JensenShannonDistance(reference, recent);
  drift.psi = PopulationStabilityIndex(reference, recent);
  const auto rows = static_cast<double>(reference_rows_), recent_rows = static_cast<double>(kWindowRows);
  drift.missing = column.recent[kMissingBin] / recent_rows;
  drift.reference_missing = column.reference[kMissingBin] / rows;
  for (size_t k = 0; k < kBins; ++k)
    if (column.loss_rows[k] > 0)
      drift.effect += (column.recent[k] / recent_rows - column.reference[k] / rows) * (column.loss[k] - mean_loss);
  return drift;
}

void DriftTracker::EndWindow() {
  std::vector<double> p;
  for (size_t c = 0; c < columns_.size(); ++c) {
    Column& column = columns_[c];
    double loss = 0, rows = 0;
    for (size_t k = 0; k < kBins; ++k) {
      loss += column.loss[k] * column.loss_rows[k];
      rows += column.loss_rows[k];
    }
    const bool drifting = drift_[c].drifting;
    drift_[c] = Measure(column, rows > 0 ? loss / rows : 0);
    drift_[c].drifting = drifting;
    p.push_back(drift_[c].p);
    column.recent = {};
    column.recent_values = {};
  }
  growing_rows_ = 0;
  ++windows_;
  Decide(p);
}

void DriftTracker::Decide(const std::vector<double>& p) {
  constexpr double kStillRemarkable = 0.5;  // part of the psi that begins an episode
  const double level = static_cast<double>(kWindowRows * kSampleEvery) / options_.rows_between_false_alarms / 2;
  const std::vector<double> adjusted = HolmAdjusted(p);
  begun_.clear();
  table_.psi = 0;
  for (size_t c = 0; c < drift_.size(); ++c) {
    ColumnDrift& drift = drift_[c];
    drift.p = adjusted[c];
    table_.psi += drift.psi / static_cast<double>(drift_.size());
    const bool was = drift.drifting;
    drift.drifting = drift.p <= level && drift.psi >= options_.minimum_psi * (was ? kStillRemarkable : 1);
    if (drift.drifting && !was) begun_.push_back(c);
  }
  std::stable_sort(begun_.begin(), begun_.end(),
                   [&](size_t a, size_t b) { return std::abs(drift_[a].effect) > std::abs(drift_[b].effect); });
  const bool was = table_.drifting;
  table_.p = CauchyCombination(p);
  table_.drifting = table_.p <= level && table_.psi >= options_.minimum_psi / 2 * (was ? kStillRemarkable : 1);
  table_begun_ = table_.drifting && !was;
}

std::vector<size_t> DriftTracker::Ranked() const {
  std::vector<size_t> order(drift_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(std::abs(drift_[a].effect), drift_[a].psi) > std::pair(std::abs(drift_[b].effect), drift_[b].psi);
  });
  return order;
}

bool DriftTracker::Forget(uint64_t row) {
  const auto found = std::lower_bound(first_numbers_.begin(), first_numbers_.end(), row);
  if (found == first_numbers_.end() || *found != row) return false;
  const auto width = static_cast<std::ptrdiff_t>(is_category_.size());
  std::fill_n(first_.begin() + (found - first_numbers_.begin()) * width, width, std::numeric_limits<double>::quiet_NaN());
  return true;
}

void DriftTracker::Save(ByteWriter* out) const {
  out->Put(phase_);
  for (const uint64_t number : {growing_rows_, reference_rows_, windows_}) out->PutVarint(number);
  out->PutAll(first_numbers_);
  out->PutAll(first_);
  out->PutVarint(columns_.size());
  for (const Column& column : columns_) {
    column.bins.Save(out);
    for (const Counts* counts : {&column.reference, &column.recent, &column.loss_rows})
      for (const uint32_t count : *counts) out->PutVarint(count);
    for (const Sums* sums : {&column.reference_values, &column.recent_values, &column.squares, &column.loss}) out->Put(*sums);
    out->Put(column.clumping);
  }
  for (const ColumnDrift& drift : drift_) {
    for (const double number : {drift.ks, drift.chi_squared, drift.wasserstein, drift.jensen_shannon, drift.psi, drift.missing,
                                drift.reference_missing, drift.p, drift.effect})
      out->Put(number);
    out->Put(drift.drifting);
  }
  out->Put(table_.p);
  out->Put(table_.psi);
  out->Put(table_.drifting);
}

void DriftTracker::Load(ByteReader* in) {
  phase_ = in->Get<Phase>();
  for (uint64_t* number : {&growing_rows_, &reference_rows_, &windows_}) *number = in->GetVarint();
  first_numbers_ = in->GetAll<uint64_t>();
  first_ = in->GetAll<double>();
  columns_.assign(in->GetCount(), Column());
  const size_t width = is_category_.size();
  const bool first = phase_ == Phase::kFirstRows;
  // What counts rows must fit what there is: a phase that waits for an exact number would wait for ever.
  const bool fits = phase_ <= Phase::kWatching && columns_.size() == (first ? 0 : width) && first_numbers_.size() < kFirstRows &&
                    first_.size() == first_numbers_.size() * width && (first || first_.empty()) &&
                    std::is_sorted(first_numbers_.begin(), first_numbers_.end()) && reference_rows_ <= kMostReference &&
                    reference_rows_ % kBlockRows == 0 && growing_rows_ < (phase_ == Phase::kWatching ? kWindowRows : kBlockRows) &&
                    (phase_ != Phase::kReference || reference_rows_ < kMostReference) &&
                    (phase_ != Phase::kWatching || reference_rows_ >= kLeastReference);
  if (!fits) throw Error(ErrorKind::kDamaged, "the checkpoint's drift of inputs does not fit the task");
  bool finite = true;
  for (Column& column : columns_) {
    column.bins.Load(in);
    for (Counts* counts : {&column.reference, &column.recent, &column.loss_rows})
      for (uint32_t& count : *counts) count = static_cast<uint32_t>(std::min<uint64_t>(in->GetVarint(), kMostReference));
    for (Sums* sums : {&column.reference_values, &column.recent_values, &column.squares, &column.loss}) {
      *sums = in->Get<Sums>();
      finite = finite && std::all_of(sums->begin(), sums->end(), [](double sum) { return std::isfinite(sum); });
    }
    column.clumping = in->Get<double>();
    finite = finite && std::isfinite(column.clumping) && column.clumping >= 1;
  }
  for (ColumnDrift& drift : drift_) {
    for (double* number : {&drift.ks, &drift.chi_squared, &drift.wasserstein, &drift.jensen_shannon, &drift.psi, &drift.missing,
                           &drift.reference_missing, &drift.p, &drift.effect}) {
      *number = in->Get<double>();
      finite = finite && std::isfinite(*number);
    }
    drift.drifting = in->Get<bool>();
  }
  table_.p = in->Get<double>();
  table_.psi = in->Get<double>();
  table_.drifting = in->Get<bool>();
  if (!finite) throw Error(ErrorKind::kDamaged, "the checkpoint's drift of inputs holds no numbers");
}

}  // namespace everlearn
