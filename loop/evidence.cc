#include "loop/evidence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace everlearn {
namespace {

constexpr double kLargestEpsilon = 0.01;
constexpr double kSmallestEpsilon = 1e-6;
// A new configuration is screened on the newest tenth of the rows, at least and at most these.
constexpr uint64_t kLeastScreened = 100, kMostScreened = 10'000, kLeastUnitsScreened = 10;
// What has no bound of its own is clipped at this multiple of its mean absolute value in the past: single rows have heavier tails than
// means of many.
constexpr double kClipRows = 4.0, kClipBlocks = 2.0;
// Blocks from which the scale of a watch is fixed.
constexpr uint64_t kWarmUpUnits = 10;
// A clipped mean can differ in sign from the true one, where rare large differences all have one sign. The sequence that must agree is
// therefore clipped a hundred times wider: one absurd outcome must not decide for ever either.
constexpr double kWideClip = 100.0;
// This part of the largest past differences does not count for the scale.
constexpr size_t kTrimmedPart = 100;

// The mean of absolute values without the largest hundredth, at least one (all of them, where that leaves nothing).
double TrimmedMean(std::vector<double> values) {
  const auto trimmed = static_cast<std::ptrdiff_t>(std::max<size_t>(1, values.size() / kTrimmedPart));
  std::nth_element(values.begin(), values.end() - trimmed, values.end());
  const auto mean = [](auto begin, auto end) { return std::accumulate(begin, end, 0.0) / static_cast<double>(end - begin); };
  const double robust = values.size() > 1 ? mean(values.begin(), values.end() - trimmed) : 0.0;
  return robust > 0 ? robust : mean(values.begin(), values.end());
}

// As JSON writes it: infinite evidence is the largest number, not null.
double Finite(double evidence) { return std::min(evidence, std::numeric_limits<double>::max()); }

JsonObject IntervalJson(const Interval& interval, double scale) {
  return {{"value", interval.value * scale}, {"lower", interval.lower * scale}, {"upper", interval.upper * scale}};
}

}  // namespace

Evidence::Evidence(const std::string& metric, size_t classes, const EvidenceOptions& options)
    : loss_(metric, classes), classes_(classes), options_(options), class_rows_(classes) {}

double Evidence::Epsilon() const {
  uint64_t rarest = labelled_;
  for (const uint64_t count : class_rows_)
    if (count > 0) rarest = std::min(rarest, count);
  if (labelled_ == 0) return kLargestEpsilon;
  return std::clamp(0.1 * static_cast<double>(rarest) / static_cast<double>(labelled_), kSmallestEpsilon, kLargestEpsilon);
}

double Evidence::Difference(const double* champion, const double* rival, double truth, double epsilon) const {
  return loss_.Of(champion, truth, epsilon) - loss_.Of(rival, truth, epsilon);
}

void Evidence::OnChampion(const Roster& roster, uint64_t next_row) {
  pairs_.clear();
  watches_.clear();
  rows_at_champion_ = rows_;
  const auto watch = [&](uint32_t rival, bool guard) {
    if (rival == 0 || rival == roster.champion || !roster.Get(rival).alive) return;
    Watch& added = watches_.emplace_back();
    added.rival = rival;
    added.guard = guard;
    added.first_row = next_row;
    added.loss = {Epsilon(), 0.0};
  };
  watch(roster.former, false);
  for (const Lineage& lineage : roster.lineages)
    if (lineage.baseline && lineage.eligible) watch(lineage.newest, true);
  if (roster.day_one != roster.former) watch(roster.day_one, true);
}

// The block that this row ends by belonging to the next one.
std::optional<Evidence::Unit> Evidence::Add(Block* block, const PendingRow& row, double difference) const {
  std::optional<Unit> done;
  if (block->rows > 0 && row.informed > block->first) {
    done = Unit{block->sum / static_cast<double>(block->rows), block->rows};
    *block = {};
  }
  if (block->rows == 0) block->first = rows_ - 1;
  ++block->rows;
  block->sum += difference;
  return done;
}

void Evidence::FixScale(Comparison* comparison, double mean_absolute) const {
  const double range = loss_.Range(comparison->loss.epsilon);
  const bool single_rows = comparison->past_rows == comparison->past_units;
  const double usual = (single_rows ? kClipRows : kClipBlocks) * mean_absolute;
  comparison->loss.scale = !loss_.bounded() ? usual : single_rows ? range : std::min(range, usual);
}

// Takes a block into the comparison and returns it in the test's units.
double Evidence::Observe(Comparison* comparison, const Unit& unit) const {
  const double x = std::clamp(unit.mean / comparison->loss.scale, -1.0, 1.0);
  comparison->rows += unit.rows;
  comparison->gain.Add(x);
  const double widest = kWideClip * comparison->loss.scale;
  const double wide = std::clamp(unit.mean, -widest, widest);
  comparison->wide.Add(wide);
  const auto rows = static_cast<double>(unit.rows);
  const double keep = std::exp2(-rows / options_.half_life);
  comparison->recent_sum = keep * comparison->recent_sum + wide * rows;
  comparison->recent_weight = keep * comparison->recent_weight + rows;
  return x;
}

Evidence::Pair& Evidence::PairOf(uint32_t lineage) {
  const auto found = std::find_if(pairs_.begin(), pairs_.end(), [&](const Pair& pair) { return pair.lineage == lineage; });
  if (found != pairs_.end()) return *found;
  Pair& pair = pairs_.emplace_back();
  pair.lineage = lineage;
  pair.loss.epsilon = Epsilon();
  return pair;
}

void Evidence::Screen(Pair* pair, const Unit& unit, uint64_t next_row) {
  if (pair->screen.size() < kMostScreened) pair->screen.push_back(unit.mean);
  else pair->screen[pair->past_units % kMostScreened] = unit.mean;
  ++pair->past_units;
  pair->past_rows += unit.rows;
  // The newest tenth of all rows, in blocks of the length that they have.
  const uint64_t rows = std::clamp(rows_ / 10, kLeastScreened, kMostScreened);
  const uint64_t units = std::max(kLeastUnitsScreened, rows * pair->past_units / pair->past_rows);
  const uint64_t every = std::max<uint64_t>(1, units / 20);  // often enough, and summed afresh, free of drift
  if (pair->past_units < units || pair->past_units % every != 0) return;
  Judge(pair, units, next_row);
}

// A pair that did better on its newest blocks gets its number.
void Evidence::Judge(Pair* pair, uint64_t units, uint64_t next_row) {
  const uint64_t held = std::min<uint64_t>(units, pair->screen.size());
  std::vector<double> absolute(held);
  for (uint64_t i = 0; i < held; ++i) absolute[i] = std::abs(pair->screen[(pair->past_units - 1 - i) % pair->screen.size()]);
  const double usual = TrimmedMean(std::move(absolute));
  double sum = 0;
  for (uint64_t i = 0; i < held; ++i)
    sum += std::clamp(pair->screen[(pair->past_units - 1 - i) % pair->screen.size()], -kWideClip * usual, kWideClip * usual);
  if (sum / static_cast<double>(held) <= options_.minimum_gain || usual <= 0) return;
  pair->number = ++pairs_numbered_;
  const auto j = static_cast<double>(pair->number);
  pair->alpha = 6.0 * options_.error_rate / (std::numbers::pi * std::numbers::pi * j * j);
  pair->first_row = next_row;
  pair->block = {};
  pair->loss.epsilon = Epsilon();
  FixScale(pair, usual);
  pair->wide = AsymptoticMeanSequence(pair->alpha);
  pair->screen = {};
}

void Evidence::ScreenOnBank(uint32_t lineage, const std::vector<double>& block_means, uint64_t rows, uint64_t next_row) {
  Pair& pair = PairOf(lineage);
  if (pair.number > 0 || block_means.size() < kLeastUnitsScreened) return;
  pair.screen = block_means;
  pair.block = {};
  pair.past_units = block_means.size();
  pair.past_rows = rows;
  Judge(&pair, block_means.size(), next_row);
}

bool Evidence::WideMeanAgrees(const Comparison& comparison) const {
  const bool clipped = !loss_.bounded() || comparison.loss.scale < loss_.Range(comparison.loss.epsilon);
  const Interval wide = comparison.wide.Get();
  // Blocks that are all alike have no spread to make an interval of; of a champion without any finite prediction they are.
  const bool all_alike = comparison.wide.rows() >= AsymptoticMeanSequence::kFirstRow && std::isinf(wide.lower);
  return !clipped || wide.lower > 0 || (all_alike && wide.value > 0);
}

bool Evidence::Promotes(const Pair& pair) const {
  if (pair.recent_weight <= 0 || pair.recent_sum / pair.recent_weight <= options_.minimum_gain) return false;
  if (pair.evidence.Value() < 1.0 / pair.alpha) return false;
  return WideMeanAgrees(pair);
}

bool Evidence::Alarmed(Watch* watch, const Unit& unit) const {
  if (watch->loss.scale <= 0) {
    watch->past_rows += unit.rows;
    ++watch->past_units;
    if (unit.mean != 0) watch->past_absolute.push_back(std::abs(unit.mean));
    if (watch->past_units < kWarmUpUnits || watch->past_absolute.empty()) return false;
    // Units without any difference belong to the usual ones too.
    const double differing = static_cast<double>(watch->past_absolute.size()) / static_cast<double>(watch->past_units);
    FixScale(watch, differing * TrimmedMean(std::move(watch->past_absolute)));
    watch->past_absolute = {};
    return false;
  }
  watch->detector.Add(Observe(watch, unit));
  if (!WideMeanAgrees(*watch)) return false;
  if (watch->guard) return watch->detector.Value() >= options_.guard_rows;
  // A promotion is taken back where it was wrong on the whole, not for a bad day.
  return watch->detector.Value() >= options_.rollback_rows && watch->wide.Get().value > 0 && rows_ - rows_at_champion_ >= options_.dwell;
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
    const auto unit = Add(&watch.block, row, Difference(champion, rival, truth, watch.loss.epsilon));
    if (unit && Alarmed(&watch, *unit) && (alarmed == nullptr || watch.detector.Value() > alarmed->detector.Value())) alarmed = &watch;
  }
  if (alarmed == nullptr) return std::nullopt;
  Decision decision;
  decision.kind = alarmed->guard ? "guarded" : "rolled_back";
  decision.champion = roster.champion;
  decision.challenger = alarmed->rival;
  decision.numbers = {{"compared_loss", loss_.name()},
                      {"pair", nullptr},
                      {"alpha", 1.0 / (alarmed->guard ? options_.guard_rows : options_.rollback_rows)},
                      {"evidence", Finite(alarmed->detector.Value())},
                      {"rows", alarmed->rows},
                      {"gain", IntervalJson(alarmed->gain.Get(), alarmed->loss.scale)},
                      {"recent_gain", alarmed->recent_sum / alarmed->recent_weight}};
  return decision;
}

JsonObject Evidence::PairNumbers(const Pair& pair) const {
  return {{"compared_loss", loss_.name()},
          {"pair", pair.number},
          {"alpha", pair.alpha},
          {"evidence", Finite(pair.evidence.Value())},
          {"rows", pair.rows},
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
    Pair* const pair = &PairOf(lineage.id);
    const double difference = Difference(champion, row.Of(member, outputs), truth, pair->loss.epsilon);
    if (pair->number > 0 && row.row < pair->first_row) continue;
    const auto unit = Add(&pair->block, row, difference);
    if (!unit) continue;
    if (pair->number == 0) {
      Screen(pair, *unit, next_row);
      continue;
    }
    pair->evidence.Add(Observe(pair, *unit));
    if (Promotes(*pair) && (best == nullptr || pair->evidence.LogValue() > best->evidence.LogValue())) {
      best = pair;
      best_member = member;
    }
  }
  if (best == nullptr) return std::nullopt;
  return Decision{"promoted", roster.champion, best_member, PairNumbers(*best)};
}

void Evidence::CountLabel(double truth) {
  ++labelled_;
  if (classes_ > 0) ++class_rows_[static_cast<size_t>(truth)];
}

std::optional<Decision> Evidence::Consume(const PendingRow& row, double truth, const Roster& roster, uint64_t next_row) {
  ++rows_;
  CountLabel(truth);
  const size_t outputs = classes_ == 0 ? 1 : classes_;
  const double* day_one = roster.day_one == 0 ? nullptr : row.Of(roster.day_one, outputs);
  if (day_one != nullptr) {
    const double gain = Difference(day_one, row.predictions.data(), truth, kSmallestEpsilon);
    day_one_.Add(gain, row.informed, rows_ - 1);
  }
  auto watched = ConsumeWatches(row, truth, roster);
  auto tested = ConsumePairs(row, truth, roster, next_row);
  return watched ? watched : tested;
}

JsonArray Evidence::OpenTests(const Roster& roster) const {
  JsonArray tests;
  for (const Pair& pair : pairs_) {
    const uint32_t newest = roster.lineages[pair.lineage - 1].newest;
    JsonObject test{{"challenger", roster.Get(newest).name}};
    if (pair.number == 0) {
      test["screened"] = pair.past_rows;
    } else {
      for (const auto& [name, value] : PairNumbers(pair)) test[name] = value;
    }
    tests.push_back(test);
  }
  return tests;
}

void Evidence::Save(const Comparison& c, ByteWriter* out) {
  out->Put(c.first_row);
  out->Put(c.loss);
  out->Put(c.block);
  out->Put(c.rows);
  c.gain.Save(out);
  c.wide.Save(out);
  for (const double value : {c.recent_sum, c.recent_weight}) out->Put(value);
  out->Put(c.past_units);
  out->Put(c.past_rows);
}

void Evidence::Load(Comparison* c, ByteReader* in) {
  c->first_row = in->Get<uint64_t>();
  c->loss = in->Get<PairedLoss>();
  c->block = in->Get<Block>();
  c->rows = in->Get<uint64_t>();
  c->gain.Load(in);
  c->wide.Load(in);
  for (double* value : {&c->recent_sum, &c->recent_weight}) *value = in->Get<double>();
  c->past_units = in->Get<uint64_t>();
  c->past_rows = in->Get<uint64_t>();
}

void Evidence::Save(ByteWriter* out) const {
  out->Put(pairs_numbered_);
  out->Put(rows_);
  out->Put(labelled_);
  out->Put(rows_at_champion_);
  out->PutAll(class_rows_);
  out->PutVarint(pairs_.size());
  for (const Pair& pair : pairs_) {
    Save(static_cast<const Comparison&>(pair), out);
    out->Put(pair.lineage);
    out->Put(pair.number);
    out->Put(pair.alpha);
    pair.evidence.Save(out);
    out->PutAll(pair.screen);
  }
  out->PutVarint(watches_.size());
  for (const Watch& watch : watches_) {
    Save(static_cast<const Comparison&>(watch), out);
    out->Put(watch.rival);
    out->Put(watch.guard);
    out->PutAll(watch.past_absolute);
    watch.detector.Save(out);
  }
  day_one_.Save(out);
}

void Evidence::Load(ByteReader* in) {
  pairs_numbered_ = in->Get<uint64_t>();
  rows_ = in->Get<uint64_t>();
  labelled_ = in->Get<uint64_t>();
  rows_at_champion_ = in->Get<uint64_t>();
  class_rows_ = in->GetAll<uint64_t>();
  pairs_ = std::deque<Pair>(in->GetCount());
  for (Pair& pair : pairs_) {
    Load(&pair, in);
    pair.lineage = in->Get<uint32_t>();
    pair.number = in->Get<uint64_t>();
    pair.alpha = in->Get<double>();
    pair.evidence.Load(in);
    pair.screen = in->GetAll<double>();
  }
  watches_ = std::vector<Watch>(in->GetCount());
  for (Watch& watch : watches_) {
    Load(&watch, in);
    watch.rival = in->Get<uint32_t>();
    watch.guard = in->Get<bool>();
    watch.past_absolute = in->GetAll<double>();
    watch.detector.Load(in);
  }
  day_one_.Load(in);
}

bool Evidence::Fits(const Roster& roster) const {
  const auto has_member = [&](const Pair& pair) {
    return pair.lineage >= 1 && pair.lineage <= roster.lineages.size() && roster.lineages[pair.lineage - 1].newest != 0;
  };
  const auto has_rival = [&](const Watch& watch) { return watch.rival >= 1 && watch.rival <= roster.members.size(); };
  return class_rows_.size() == classes_ && std::all_of(pairs_.begin(), pairs_.end(), has_member) &&
         std::all_of(watches_.begin(), watches_.end(), has_rival);
}

}  // namespace everlearn
