#include "kernels/seasons.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace everlearn {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr uint64_t kFirstSearch = 256;  // outcomes; then at twice as many, up to
constexpr uint64_t kSeries = 4096;      // which is also what a search looks at, and how often one is made from then on
constexpr size_t kPeriods = 3;          // a season must be seen so often in the series
constexpr double kStandardErrors = 5;   // of an autocorrelation, by which a peak must stand out,
constexpr double kProminence = 0.1;     // and at least by this
constexpr double kFirstShare = 0.5;     // the first season is the shortest whose peak is at least so much of the highest,
constexpr double kSecondShare = 0.95;   // the second the shortest of so much, where that is more than the first by this
constexpr double kSecondGain = 0.02;
constexpr double kKept = 0.95;  // a season stays as long as its autocorrelation is so much of the one that would replace it

}  // namespace

Seasons::Seasons(size_t classes) : classes_(classes), ring_(kRing, kUnknown), next_search_(kFirstSearch) {}

double Seasons::Known(uint64_t row) const { return row > newest_ || row + kRing <= newest_ ? kUnknown : ring_[row % kRing]; }

double Seasons::Ago(uint64_t row, uint64_t season) const {
  if (season == 0) return kUnknown;
  constexpr int kMultiples = 4;  // beyond the first that is old enough
  const uint64_t old_enough = row > newest_ ? (row - newest_ + season - 1) / season : 1;
  for (uint64_t multiple = old_enough; multiple < old_enough + kMultiples && multiple * season <= row; ++multiple)
    if (const double known = Known(row - multiple * season); !std::isnan(known)) return known;
  return kUnknown;
}

void Seasons::Add(uint64_t row, double outcome) {
  if (outcomes_ == 0) newest_ = row;
  if (row > newest_) {
    for (uint64_t r = std::max(newest_ + 1, row >= kRing ? row - kRing + 1 : 0); r < row; ++r) ring_[r % kRing] = kUnknown;
    newest_ = row;
  }
  if (row + kRing > newest_) ring_[row % kRing] = outcome;
  ++outcomes_;
  if (outcomes_ < next_search_) return;
  Find();
  next_search_ += std::min(next_search_, kSeries);
}

void Seasons::Hold(double low, double high) {
  for (double& outcome : ring_)
    if (!std::isnan(outcome)) outcome = std::clamp(outcome, low, high);
}

// Of classes: how much more often than by chance the outcomes a lag apart are equal (Cohen's kappa).
std::vector<double> Seasons::Autocorrelations(const std::vector<double>& series, size_t most_lag) const {
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

void Seasons::Find() {
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
  std::array<uint64_t, kSeasons> found{};
  for (const size_t lag : peaks)
    if (found[0] == 0 && r[lag] >= kFirstShare * highest) found[0] = lag;
  for (const size_t lag : peaks)
    if (found[1] == 0 && lag > found[0] && r[lag] >= kSecondShare * highest && r[lag] > r[found[0]] + kSecondGain) found[1] = lag;
  for (size_t s = 0; s < kSeasons; ++s) {
    const bool keep = seasons_[s] > 0 && seasons_[s] <= most_lag && found[s] > 0 && r[seasons_[s]] >= kKept * r[found[s]];
    if (!keep) seasons_[s] = found[s];
  }
}

void Seasons::Save(ByteWriter* out) const {
  out->PutAll(ring_);
  for (const uint64_t count : {newest_, outcomes_, next_search_}) out->Put(count);
  out->Put(seasons_);
}

void Seasons::Load(ByteReader* in) {
  ring_ = in->GetAll<double>();
  for (uint64_t* count : {&newest_, &outcomes_, &next_search_}) *count = in->Get<uint64_t>();
  seasons_ = in->Get<std::array<uint64_t, kSeasons>>();
  const auto possible = [&](double outcome) {
    if (std::isnan(outcome)) return true;
    if (classes_ == 0) return std::isfinite(outcome);
    return outcome >= 0 && outcome < static_cast<double>(classes_) && outcome == std::floor(outcome);
  };
  const bool good = ring_.size() == kRing && std::all_of(ring_.begin(), ring_.end(), possible) && next_search_ > outcomes_ &&
                    std::all_of(seasons_.begin(), seasons_.end(), [](uint64_t s) { return s <= kSeries; });
  if (!good) throw Error(ErrorKind::kDamaged, "the outcomes that a stored state keeps for its seasons are none");
}

}  // namespace everlearn
