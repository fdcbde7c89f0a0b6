#include "loop/evidence.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace everlearn {
namespace {

constexpr double kLargestEpsilon = 0.01;
constexpr double kSmallestEpsilon = 1e-6;
// A new configuration is screened on the newest tenth of the rows, at least and at most these.
constexpr uint64_t kLeastScreened = 100, kMostScreened = 10'000;
// Differences of regression losses are clipped at this multiple of their mean absolute value on past rows.
constexpr double kClip = 4.0;
constexpr uint64_t kWarmUpRows = 100;

JsonObject IntervalJson(const Interval& interval, double scale) {
  return {{"value", interval.value * scale}, {"lower", interval.lower * scale}, {"upper", interval.upper * scale}};
}

}  // namespace

Evidence::Evidence(const std::string& metric, size_t classes, const EvidenceOptions& options)
    : loss_(metric, classes), classes_(classes), options_(options), class_rows_(classes) {}

double Evidence::Epsilon() const {
  uint64_t rarest = rows_;
  for (const uint64_t count : class_rows_)
    if (count > 0) rarest = std::min(rarest, count);
  if (rows_ == 0 || rarest == 0) return kLargestEpsilon;
  return std::clamp(0.1 * static_cast<double>(rarest) / static_cast<double>(rows_), kSmallestEpsilon, kLargestEpsilon);
}

double Evidence::Difference(const double* champion, const double* rival, double truth, double epsilon) const {
  return loss_.Of(champion, truth, epsilon) - loss_.Of(rival, truth, epsilon);
}

void Evidence::OnChampion(const Roster& roster, uint64_t next_row) {
  pairs_.clear();
  watches_.clear();
  rows_at_champion_ = rows_;
  const PairedLoss loss{Epsilon(), loss_.bounded() ? loss_.Range(Epsilon()) : 0.0};
  const auto watch = [&](uint32_t rival, bool guard) {
    if (rival == 0 || rival == roster.champion || !roster.Get(rival).alive) return;
    Watch& added = watches_.emplace_back();
    added.rival = rival;
    added.guard = guard;
    added.first_row = next_row;
    added.loss = loss;
  };
  watch(roster.former, false);
  for (const Lineage& lineage : roster.lineages)
    if (lineage.baseline && lineage.eligible) watch(lineage.newest, true);
  if (roster.day_one != roster.former) watch(roster.day_one, true);
}

void Evidence::Screen(Pair* pair, double difference, uint64_t next_row) {
  const uint64_t window = std::clamp(rows_ / 10, kLeastScreened, kMostScreened);
  if (pair->screen.size() < kMostScreened && pair->screened == pair->screen.size()) {
    pair->screen.push_back(difference);
  } else {
    pair->screen[pair->screened % pair->screen.size()] = difference;
  }
  ++pair->screened;
  if (pair->screened < window || pair->screened % (window / 20) != 0) return;
  // The newest `window` differences, summed afresh: few enough times to cost nothing, and free of drift.
  const uint64_t held = std::min<uint64_t>(window, pair->screen.size());
  double sum = 0, absolute = 0;
  for (uint64_t i = 0; i < held; ++i) {
    const double d = pair->screen[(pair->screened - 1 - i) % pair->screen.size()];
    sum += d;
    absolute += std::abs(d);
  }
  if (sum / static_cast<double>(held) <= options_.minimum_gain || absolute <= 0) return;
  pair->number = ++pairs_numbered_;
  const auto j = static_cast<double>(pair->number);
  pair->alpha = 6.0 * options_.error_rate / (std::numbers::pi * std::numbers::pi * j * j);
  pair->first_row = next_row;
  pair->loss.epsilon = Epsilon();
  pair->loss.scale = loss_.bounded() ? loss_.Range(pair->loss.epsilon) : kClip * absolute / static_cast<double>(held);
  pair->screen = {};
}

void Evidence::Test(Pair* pair, double difference) {
  const double x = std::clamp(difference / pair->loss.scale, -1.0, 1.0);
  pair->evidence.Add(x);
  pair->gain.Add(x);
  if (!loss_.bounded()) pair->unclipped.Add(difference);
  const double keep = std::exp2(-1.0 / options_.half_life);
  pair->recent_sum = keep * pair->recent_sum + difference;
  pair->recent_weight = keep * pair->recent_weight + 1.0;
}

bool Evidence::Promotes(const Pair& pair) const {
  if (pair.number == 0 || pair.recent_weight <= 0) return false;
  if (pair.recent_sum / pair.recent_weight <= options_.minimum_gain) return false;
  if (pair.evidence.Value() < 1.0 / pair.alpha) return false;
  return loss_.bounded() || pair.unclipped.Get().lower > 0;
}

bool Evidence::Alarmed(Watch* watch, double difference) {
  if (watch->loss.scale <= 0) {
    watch->warm_up_absolute += std::abs(difference);
    if (++watch->warm_up >= kWarmUpRows && watch->warm_up_absolute > 0)
      watch->loss.scale = kClip * watch->warm_up_absolute / static_cast<double>(watch->warm_up);
    return false;
  }
  const double x = std::clamp(difference / watch->loss.scale, -1.0, 1.0);
  watch->detector.Add(x);
  watch->gain.Add(x);
  if (!watch->guard && rows_ - rows_at_champion_ < options_.dwell) return false;
  return watch->detector.Value() >= (watch->guard ? options_.guard_rows : options_.rollback_rows);
}

std::optional<Decision> Evidence::ConsumeWatches(const PendingRow& row, double truth, const Roster& roster) {
  const size_t outputs = classes_ == 0 ? 1 : classes_;
  const double* champion = row.Of(roster.champion, outputs);
  if (champion == nullptr) return std::nullopt;
  const Watch* alarmed = nullptr;
  for (Watch& watch : watches_) {
    if (row.row < watch.first_row) continue;
    const double* rival = row.Of(watch.rival, outputs);
    if (rival == nullptr) continue;
    if (Alarmed(&watch, Difference(champion, rival, truth, watch.loss.epsilon)) &&
        (alarmed == nullptr || watch.detector.Value() > alarmed->detector.Value()))
      alarmed = &watch;
  }
  if (alarmed == nullptr) return std::nullopt;
  Decision decision;
  decision.kind = alarmed->guard ? "guarded" : "rolled_back";
  decision.champion = roster.champion;
  decision.challenger = alarmed->rival;
  decision.numbers = {{"pair", nullptr},
                      {"alpha", 1.0 / (alarmed->guard ? options_.guard_rows : options_.rollback_rows)},
                      {"evidence", alarmed->detector.Value()},
                      {"rows", alarmed->detector.rows()},
                      {"gain", IntervalJson(alarmed->gain.Get(), alarmed->loss.scale)},
                      {"recent_gain", nullptr}};
  return decision;
}

JsonObject Evidence::PairNumbers(const Pair& pair) const {
  return {{"pair", pair.number},
          {"alpha", pair.alpha},
          {"evidence", pair.evidence.Value()},
          {"rows", pair.evidence.rows()},
          {"gain", IntervalJson(pair.gain.Get(), pair.loss.scale)},
          {"recent_gain", pair.recent_weight > 0 ? Json(pair.recent_sum / pair.recent_weight) : Json(nullptr)}};
}

std::optional<Decision> Evidence::ConsumePairs(const PendingRow& row, double truth, const Roster& roster, uint64_t next_row) {
  const size_t outputs = classes_ == 0 ? 1 : classes_;
  const double* champion = row.Of(roster.champion, outputs);
  if (champion == nullptr) return std::nullopt;
  const Pair* best = nullptr;
  uint32_t best_member = 0;
  for (const uint32_t member : row.members) {
    const Lineage& lineage = roster.LineageOf(member);
    // Of a lineage's members only the newest is the challenger: an older one is the champion itself, or stays in shadow for another reason.
    if (member == roster.champion || member != lineage.newest || !lineage.eligible) continue;
    auto pair = std::find_if(pairs_.begin(), pairs_.end(), [&](const Pair& p) { return p.lineage == lineage.id; });
    if (pair == pairs_.end()) {
      pairs_.emplace_back().lineage = lineage.id;
      pair = pairs_.end() - 1;
      pair->loss.epsilon = Epsilon();
    }
    const double difference = Difference(champion, row.Of(member, outputs), truth, pair->loss.epsilon);
    if (pair->number == 0) {
      Screen(&*pair, difference, next_row);
    } else if (row.row >= pair->first_row) {
      Test(&*pair, difference);
      if (Promotes(*pair) && (best == nullptr || pair->evidence.LogValue() > best->evidence.LogValue())) {
        best = &*pair;
        best_member = member;
      }
    }
  }
  if (best == nullptr) return std::nullopt;
  return Decision{"promoted", roster.champion, best_member, PairNumbers(*best)};
}

std::optional<Decision> Evidence::Consume(const PendingRow& row, double truth, const Roster& roster, uint64_t next_row) {
  ++rows_;
  if (classes_ > 0) ++class_rows_[static_cast<size_t>(truth)];
  const size_t outputs = classes_ == 0 ? 1 : classes_;
  const double* day_one = roster.day_one == 0 ? nullptr : row.Of(roster.day_one, outputs);
  if (day_one != nullptr) day_one_.Add(Difference(day_one, row.predictions.data(), truth, kSmallestEpsilon));
  auto watched = ConsumeWatches(row, truth, roster);
  auto tested = ConsumePairs(row, truth, roster, next_row);
  return watched ? watched : tested;
}

Interval Evidence::GainSinceDayOne() const { return day_one_.Get(); }

JsonArray Evidence::OpenTests(const Roster& roster) const {
  JsonArray tests;
  for (const Pair& pair : pairs_) {
    const uint32_t newest = roster.lineages[pair.lineage - 1].newest;
    JsonObject test{{"challenger", roster.Get(newest).name}};
    if (pair.number == 0) {
      test["screened"] = pair.screened;
    } else {
      for (const auto& [name, value] : PairNumbers(pair)) test[name] = value;
    }
    tests.push_back(test);
  }
  return tests;
}

void Evidence::Save(ByteWriter* out) const {
  out->Put(pairs_numbered_);
  out->Put(rows_);
  out->Put(rows_at_champion_);
  out->PutAll(class_rows_);
  out->PutVarint(pairs_.size());
  for (const Pair& pair : pairs_) {
    out->Put(pair.lineage);
    out->Put(pair.number);
    out->Put(pair.alpha);
    out->Put(pair.first_row);
    out->Put(pair.loss);
    pair.evidence.Save(out);
    pair.gain.Save(out);
    pair.unclipped.Save(out);
    out->Put(pair.recent_sum);
    out->Put(pair.recent_weight);
    out->PutAll(pair.screen);
    out->Put(pair.screened);
  }
  out->PutVarint(watches_.size());
  for (const Watch& watch : watches_) {
    out->Put(watch.rival);
    out->Put(watch.guard);
    out->Put(watch.first_row);
    out->Put(watch.loss);
    watch.detector.Save(out);
    watch.gain.Save(out);
    out->Put(watch.warm_up);
    out->Put(watch.warm_up_absolute);
  }
  day_one_.Save(out);
}

void Evidence::Load(ByteReader* in) {
  pairs_numbered_ = in->Get<uint64_t>();
  rows_ = in->Get<uint64_t>();
  rows_at_champion_ = in->Get<uint64_t>();
  class_rows_ = in->GetAll<uint64_t>();
  pairs_ = std::vector<Pair>(in->GetVarint());
  for (Pair& pair : pairs_) {
    pair.lineage = in->Get<uint32_t>();
    pair.number = in->Get<uint64_t>();
    pair.alpha = in->Get<double>();
    pair.first_row = in->Get<uint64_t>();
    pair.loss = in->Get<PairedLoss>();
    pair.evidence.Load(in);
    pair.gain.Load(in);
    pair.unclipped.Load(in);
    pair.recent_sum = in->Get<double>();
    pair.recent_weight = in->Get<double>();
    pair.screen = in->GetAll<double>();
    pair.screened = in->Get<uint64_t>();
  }
  watches_ = std::vector<Watch>(in->GetVarint());
  for (Watch& watch : watches_) {
    watch.rival = in->Get<uint32_t>();
    watch.guard = in->Get<bool>();
    watch.first_row = in->Get<uint64_t>();
    watch.loss = in->Get<PairedLoss>();
    watch.detector.Load(in);
    watch.gain.Load(in);
    watch.warm_up = in->Get<uint64_t>();
    watch.warm_up_absolute = in->Get<double>();
  }
  day_one_.Load(in);
}

}  // namespace everlearn
