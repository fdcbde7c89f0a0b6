#include "loop/retraining.h"

#include <algorithm>
#include <cmath>

#include "loop/router.h"

namespace everlearn {
namespace {

constexpr double kMicrosecondsPerUnit = 10'000;  // one unit is 10 ms of one core
constexpr double kGrowth = 1.3;                  // RetrainRule::kAuto: whenever there are so many times more outcomes,
constexpr uint64_t kLeastRowsApart = 1000;       // at the earliest after these,
constexpr uint64_t kMostRowsApart = 50'000;      // at the latest after these
constexpr double kTrainingShare = 0.5;           // of LoopOptions::row_units, beside what members cost that learn online
constexpr uint32_t kMostPatience = 4;            // the schedule of RetrainRule::kAuto slows down to this, where retraining gains nothing

void RequestTraining(LoopState& s, const Lineage& lineage, double units, const std::vector<BankRow>& bank, Effects* effects) {
  TrainRequest request;
  request.number = ++s.requests_made;
  request.lineage = lineage.id;
  request.learner = lineage.learner;
  request.parameters = lineage.parameters;
  request.outcomes = s.outcomes;
  request.first_waiting = s.pending.first_row();
  request.bank = bank;
  request.recent_row = s.recent_row;
  request.units = units;
  request.seconds = s.options.budget_seconds;
  const double wait = request.seconds > 0 ? request.seconds * 1e6 : units * kMicrosecondsPerUnit;
  request.due = s.now == kNoTime ? kNoTime : s.now + static_cast<int64_t>(wait);
  s.requests.push_back(request);
  effects->requests.push_back(request);
}

bool IsLimited(const LoopState& s) { return s.options.retrain == RetrainRule::kAuto && s.options.row_units > 0; }

// The first outcome at which a training of some batch member has paid off.
uint64_t FirstPaidOff(const LoopState& s) {
  uint64_t first = UINT64_MAX;
  for (const Lineage& lineage : s.roster.lineages)
    if (lineage.kind == MemberKind::kBatch) first = std::min(first, lineage.paid_off);
  return first == UINT64_MAX || !IsLimited(s) ? 0 : first;
}

// Of RetrainRule::kAuto: when the retraining after one at so many outcomes is due.
uint64_t NextBySchedule(const LoopState& s, uint64_t outcomes) {
  const auto more = static_cast<uint64_t>(static_cast<double>(outcomes) * (kGrowth - 1));
  return outcomes + s.patience * std::clamp(more, kLeastRowsApart, kMostRowsApart);
}

// A retraining whose models are no better than the ones before was not worth its cost: the next one waits longer. Lineages that were
// trained together are one retraining, and one that gained is enough.
void LearnWhatItGained(LoopState& s, const TrainRequest& request, const BankComparison& over_before) {
  if (s.options.retrain != RetrainRule::kAuto || over_before.rows < EvidenceBank::kLeast) return;
  if (request.recent_row != s.recent_row) return;  // an alarm has come since, and wants a training soon
  const bool gained = over_before.mean > over_before.standard_error;
  if (gained) s.patience = 1;
  else if (s.judged_at != request.outcomes) s.patience = std::min(2 * s.patience, kMostPatience);
  s.judged_at = request.outcomes;
  s.next_retrain = std::max(NextBySchedule(s, request.outcomes), FirstPaidOff(s));
}

// Rows that pay for a training of all that is known, on two windows where an alarm named the beginning of a second one.
uint64_t RowsToPayOff(const LoopState& s, const Lineage& lineage, double lineages) {
  if (!IsLimited(s)) return 0;
  const double rows = static_cast<double>(s.outcomes) * (s.recent_row > 0 ? 2 : 1);
  const double units = std::min(UnitsToFit(s, lineage, rows), s.options.budget_units / lineages);
  return static_cast<uint64_t>(units * lineages / (kTrainingShare * s.options.row_units));
}

}  // namespace

bool RetrainingIsDue(const LoopState& s) {
  if (s.roster.champion == 0 || s.paused) return false;
  switch (s.options.retrain) {
    case RetrainRule::kNever:
      return false;
    case RetrainRule::kEveryTime:
      return s.now != kNoTime && s.retrained_at != kNoTime && s.now - s.retrained_at >= s.options.retrain_every;
    default:
      return s.outcomes >= s.next_retrain;
  }
}

void ScheduleRetraining(LoopState& s) {
  s.retrained_at = s.now;
  if (s.options.retrain == RetrainRule::kEveryRows) {
    s.next_retrain = s.outcomes + static_cast<uint64_t>(s.options.retrain_every);
    return;
  }
  s.next_retrain = std::max(NextBySchedule(s, s.outcomes), FirstPaidOff(s));
}

void Retrain(LoopState& s, const std::vector<BankRow>& bank, Effects* effects) {
  std::vector<Lineage*> batch;
  double lineages = 0;
  for (Lineage& lineage : s.roster.lineages) {
    if (lineage.kind != MemberKind::kBatch) continue;
    ++lineages;
    const auto running = [&](const TrainRequest& request) { return request.lineage == lineage.id; };
    if (IsLimited(s) && s.outcomes < lineage.paid_off) continue;
    if (std::none_of(s.requests.begin(), s.requests.end(), running)) batch.push_back(&lineage);
  }
  for (Lineage* lineage : batch) lineage->paid_off = s.outcomes + RowsToPayOff(s, *lineage, lineages);
  ScheduleRetraining(s);
  for (const Lineage* lineage : batch)
    RequestTraining(s, *lineage, s.options.budget_units / static_cast<double>(batch.size()), bank, effects);
}

// What the rows before taught may no longer hold, so nobody waits for the schedule, nor keeps a bank of rows from it.
void OnLossAlarm(LoopState& s, uint32_t member, const LossAlarm& alarm, Effects* effects) {
  effects->notices.push_back({"drift",
                              member,
                              0,
                              {{"what", "loss"},
                               {"loss", s.loss.name()},
                               {"reference", alarm.reference()},
                               {"recent", alarm.recent()},
                               {"since_row", alarm.change_row()}}});
  s.recent_row = alarm.change_row();
  s.alarm.Reset();
  for (Member& other : s.roster.members) other.alarm.Reset();
  s.patience = 1;
  WakeAll(s);
  if (s.options.retrain != RetrainRule::kAuto || s.paused) return;
  Retrain(s, {}, effects);
  s.next_retrain = std::max(s.outcomes + kLeastRowsApart, FirstPaidOff(s));  // and once more when more of the new is known
}

JsonObject JudgeOnBank(LoopState& s, const TrainRequest& request, const std::vector<double>& predictions) {
  const size_t outputs = s.options.outputs();
  const uint32_t newest = s.roster.lineages[request.lineage - 1].newest;
  std::vector<double> to_champion(request.bank.size(), kMissing), to_before(request.bank.size(), kMissing);
  for (size_t i = 0; i < request.bank.size(); ++i) {
    const BankRow& row = request.bank[i];
    if (std::isnan(predictions[i * outputs])) continue;  // the row is gone
    const double lost = s.loss.Of(predictions.data() + i * outputs, row.truth, kJudgedEpsilon);
    if (row.lost.front().first == s.roster.champion) to_champion[i] = row.lost.front().second - lost;
    if (const double* before = row.Of(newest)) to_before[i] = *before - lost;
  }
  const BankComparison served = CompareOnBank(request.bank, to_champion), before = CompareOnBank(request.bank, to_before);
  s.evidence.ScreenOnBank(request.lineage, served.block_means, served.rows, s.pending.next_row());
  LearnWhatItGained(s, request, before);
  const auto json = [](const BankComparison& c) {
    return c.rows == 0 ? Json(nullptr) : Json(JsonObject{{"rows", c.rows}, {"value", c.mean}, {"standard_error", c.standard_error}});
  };
  return {{"rows", request.bank.size()}, {"gain_over_champion", json(served)}, {"gain_over_model_before", json(before)}};
}

}  // namespace everlearn
