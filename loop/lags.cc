#include "loop/lags.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "base/error.h"

namespace everlearn {
namespace {

constexpr std::array<double, 3> kMemoryOutcomes = {3, 20, 200};  // of the weighted means
constexpr uint64_t kFirstSearch = 256;                           // outcomes; then at twice as many, up to
constexpr uint64_t kSeries = 4096;     // which is also what a search looks at, and how often one is made from then on
constexpr size_t kPeriods = 3;         // a season must be seen so often in the series
constexpr double kStandardErrors = 5;  // of an autocorrelation, by which a peak must stand out,
constexpr double kProminence = 0.1;    // and at least by this
constexpr double kFirstShare = 0.5;    // the first season is the shortest whose peak is at least so much of the highest,
constexpr double kSecondShare = 0.95;  // the second the shortest of so much, where that is more than the first by this
constexpr double kSecondGain = 0.02;
constexpr double kKept = 0.95;  // a season stays as long as its autocorrelation is so much of the one that would replace it

}  // namespace

Lags::Lags(size_t classes) : classes_(classes), ring_(kRing, kMissing), next_search_(kFirstSearch) {
  for (std::vector<double>& shares : shares_) shares.assign(classes, 0.0);
}

std::vector<Feature> Lags::Features(const Task& task) {
  std::vector<Feature> features;
  const auto number = [&](const std::string& name) { features.push_back({task.target + ": " + name, "", FeaturePart::kLag, {}}); };
  const auto category = [&](const std::string& name) {
    features.push_back({task.target + ": " + name, "", FeaturePart::kLagCategory, task.labels});
  };
  if (task.is_classification()) {
    for (const char* name : {"last", "second last", "third last", "most frequent of late", "one season ago", "one long season ago"})
      category(name);
    for (const char* name : {"how long", "share of last in 20", "share of last in 200", "rows since known"}) number(name);
  } else {
    for (const char* name : {"last", "second last", "mean of 3", "mean of 20", "mean of 200", "one season ago", "season and level",
                             "one long season ago", "long season and level", "rows since known"})
      number(name);
  }
  return features;
}

double Lags::Known(uint64_t row) const { return row > newest_ || row + kRing <= newest_ ? kMissing : ring_[row % kRing]; }

double Lags::SeasonAgo(uint64_t row, uint64_t season) const {
  if (season == 0) return kMissing;
  constexpr int kMultiples = 4;  // beyond the first that is old enough
  const uint64_t old_enough = row > newest_ ? (row - newest_ + season - 1) / season : 1;
  for (uint64_t multiple = old_enough; multiple < old_enough + kMultiples && multiple * season <= row; ++multiple)
    if (const double known = Known(row - multiple * season); !std::isnan(known)) return known;
  return kMissing;
}

void Lags::OnOutcome(uint64_t row, double truth) {
  if (outcomes_ == 0) newest_ = row;
  if (row > newest_) {
    for (uint64_t r = std::max(newest_ + 1, row >= kRing ? row - kRing + 1 : 0); r < row; ++r) ring_[r % kRing] = kMissing;
    newest_ = row;
  }
  if (row + kRing > newest_) ring_[row % kRing] = truth;
  ++outcomes_;
  streak_ = !last_.empty() && last_.front() == truth ? streak_ + 1 : 1;
  constexpr size_t kKeptOutcomes = 3;
  last_.insert(last_.begin(), truth);
  if (last_.size() > kKeptOutcomes) last_.pop_back();
  for (size_t m = 0; m < kMemories; ++m) {
    const double step = 1 / kMemoryOutcomes[m];
    weights_[m] += step * (1 - weights_[m]);
    if (classes_ == 0) {
      means_[m] += step * (truth - means_[m]);
      continue;
    }
    for (size_t k = 0; k < classes_; ++k) shares_[m][k] += step * ((static_cast<double>(k) == truth ? 1.0 : 0.0) - shares_[m][k]);
  }
  if (outcomes_ < next_search_) return;
  FindSeasons();
  next_search_ += std::min(next_search_, kSeries);
}

void Lags::Fill(uint64_t row, double* out) const {
  if (classes_ == 0) FillNumbers(row, out);
  else FillClasses(row, out);
}

void Lags::FillNumbers(uint64_t row, double* out) const {
  const auto last = [&](size_t i) { return i < last_.size() ? last_[i] : kMissing; };
  out[0] = last(0);
  out[1] = last(1);
  for (size_t m = 0; m < kMemories; ++m) out[2 + m] = outcomes_ == 0 ? kMissing : means_[m] / weights_[m];
  for (size_t s = 0; s < kSeasons; ++s) {
    const double ago = SeasonAgo(row, seasons_[s]);
    const double level = outcomes_ == 0 ? kMissing : Known(newest_) - SeasonAgo(newest_, seasons_[s]);
    out[5 + 2 * s] = ago;
    out[6 + 2 * s] = std::isnan(level) ? ago : ago + level;
  }
  out[9] = outcomes_ == 0 ? kMissing : static_cast<double>(row > newest_ ? row - newest_ : 0);
}

void Lags::FillClasses(uint64_t row, double* out) const {
  for (size_t i = 0; i < 3; ++i) out[i] = i < last_.size() ? last_[i] : kMissing;
  const auto frequent = std::max_element(shares_[1].begin(), shares_[1].end());
  out[3] = outcomes_ == 0 ? kMissing : static_cast<double>(frequent - shares_[1].begin());
  for (size_t s = 0; s < kSeasons; ++s) out[4 + s] = SeasonAgo(row, seasons_[s]);
  out[6] = static_cast<double>(streak_);
  for (size_t m = 1; m < kMemories; ++m)
    out[6 + m] = outcomes_ == 0 ? kMissing : shares_[m][static_cast<size_t>(last_.front())] / weights_[m];
  out[9] = outcomes_ == 0 ? kMissing : static_cast<double>(row > newest_ ? row - newest_ : 0);
}

// Of classes: how much more often than by chance the outcomes a lag apart are equal (Cohen's kappa).
std::vector<double> Lags::Autocorrelations(const std::vector<double>& series, size_t most_lag) const {
  std::vector<double> result(most_lag + 1, 0.0), x = series, known(series.size(), 1.0);
  double count = 0, sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    known[i] = std::isnan(series[i]) ? 0.0 : 1.0;
    if (known[i] > 0) sum += series[i];
    count += known[i];
  }
  double variance = 0, chance = 0;
  std::vector<double> shares(classes_, 0.0);
  for (size_t i = 0; i < x.size(); ++i) {
    if (classes_ == 0) x[i] = known[i] > 0 ? series[i] - sum / count : 0.0;
    else if (known[i] > 0) shares[static_cast<size_t>(series[i])] += 1 / count;
    if (classes_ == 0) variance += x[i] * x[i] / count;
  }
  for (const double share : shares) chance += share * share;
  const double scale = classes_ == 0 ? variance : 1 - chance;
  if (!(scale > 0)) return result;
  for (size_t lag = 1; lag <= most_lag; ++lag) {
    double both = 0, pairs = 0;
    for (size_t i = lag; i < x.size(); ++i) {
      both += classes_ == 0 ? x[i] * x[i - lag] : (x[i] == x[i - lag] ? 1.0 : 0.0);
      pairs += known[i] * known[i - lag];
    }
    if (pairs > 0) result[lag] = (both / pairs - chance) / scale;
  }
  return result;
}

void Lags::FindSeasons() {
  const uint64_t rows = std::min(newest_ + 1, kSeries);
  std::vector<double> series(rows);
  for (uint64_t i = 0; i < rows; ++i) series[i] = Known(newest_ + 1 - rows + i);
  const size_t most_lag = rows / kPeriods;
  const std::vector<double> r = Autocorrelations(series, most_lag);
  const double stands_out = std::max(kProminence, kStandardErrors / std::sqrt(static_cast<double>(rows) * (1 - 1.0 / kPeriods)));
  std::vector<size_t> peaks;
  double lowest = 1, highest = 0;
  for (size_t lag = 1; lag + 1 <= most_lag; ++lag) {
    lowest = std::min(lowest, r[lag]);
    if (lag < 2 || r[lag] < stands_out || r[lag] - lowest < stands_out) continue;
    const size_t reach = std::max<size_t>(1, lag / 8);
    const auto first = r.begin() + static_cast<std::ptrdiff_t>(lag - std::min(reach, lag - 1));
    const auto end = r.begin() + static_cast<std::ptrdiff_t>(std::min(lag + reach, most_lag)) + 1;
    if (*std::max_element(first, end) > r[lag]) continue;
    peaks.push_back(lag);
    highest = std::max(highest, r[lag]);
  }
  uint64_t found[kSeasons] = {};
  for (const size_t lag : peaks)
    if (found[0] == 0 && r[lag] >= kFirstShare * highest) found[0] = lag;
  for (const size_t lag : peaks)
    if (found[1] == 0 && lag > found[0] && r[lag] >= kSecondShare * highest && r[lag] > r[found[0]] + kSecondGain) found[1] = lag;
  for (size_t s = 0; s < kSeasons; ++s) {
    const bool keep = seasons_[s] > 0 && seasons_[s] <= most_lag && found[s] > 0 && r[seasons_[s]] >= kKept * r[found[s]];
    if (!keep) seasons_[s] = found[s];
  }
}

void Lags::Save(ByteWriter* out) const {
  out->PutAll(ring_);
  for (const uint64_t count : {newest_, outcomes_, next_search_, streak_}) out->Put(count);
  out->PutAll(last_);
  for (size_t m = 0; m < kMemories; ++m) {
    out->Put(means_[m]);
    out->Put(weights_[m]);
    out->PutAll(shares_[m]);
  }
  for (const uint64_t season : seasons_) out->Put(season);
}

void Lags::Load(ByteReader* in) {
  ring_ = in->GetAll<double>();
  for (uint64_t* count : {&newest_, &outcomes_, &next_search_, &streak_}) *count = in->Get<uint64_t>();
  last_ = in->GetAll<double>();
  bool good = ring_.size() == kRing && last_.size() <= 3 && last_.empty() == (outcomes_ == 0);
  const auto possible = [&](double truth) {
    return classes_ == 0 ? std::isfinite(truth) : truth >= 0 && truth < static_cast<double>(classes_) && truth == std::floor(truth);
  };
  good = good && std::all_of(last_.begin(), last_.end(), possible) &&
         std::all_of(ring_.begin(), ring_.end(), [&](double truth) { return std::isnan(truth) || possible(truth); });
  for (size_t m = 0; m < kMemories; ++m) {
    means_[m] = in->Get<double>();
    weights_[m] = in->Get<double>();
    shares_[m] = in->GetAll<double>();
    good = good && shares_[m].size() == classes_;
  }
  for (uint64_t& season : seasons_) {
    season = in->Get<uint64_t>();
    good = good && season <= kSeries;
  }
  if (!good) throw Error(ErrorKind::kDamaged, "the ledger's checkpoint is damaged: its lags are none");
}

void FillLags(const ScheduleInput& schedule, std::span<const double> target, size_t classes, std::span<double> values) {
  if (schedule.rows == 0) return;
  Lags lags(classes);
  const Schedule order(schedule);
  const size_t features = values.size() / schedule.rows;
  for (size_t item = 0; item < order.size(); ++item) {
    const uint32_t row = order.row(item);
    if (!order.is_outcome(item)) lags.Fill(row, values.data() + (row + 1) * features - Lags::Count(classes));
    else if (!order.is_early(row)) lags.OnOutcome(row, target[row]);
  }
}

}  // namespace everlearn
