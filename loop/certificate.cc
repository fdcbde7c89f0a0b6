#include "loop/certificate.h"

#include "base/timestamp.h"
#include "ledger/sha256.h"
#include "loop/recompute.h"
#include "loop/records.h"

namespace everlearn {

JsonObject CertificateJson(const Ledger& ledger) {
  ledger.VerifyChain();
  const Task task = TaskOf(ledger);
  const Recomputation all = RecomputeAll(ledger);
  const LoopState& state = *all.state;
  const Interval gain = state.evidence.GainSinceDayOne();
  const Roster& roster = state.roster;
  Json day_one;
  if (roster.day_one != 0) {
    const Member& member = roster.Get(roster.day_one);
    day_one = JsonObject{{"name", member.name}, {"hash", member.model_hash}};
  }
  const bool measured = state.evidence.rows_since_day_one() > 0;
  return {{"rows", state.evidence.rows_since_day_one()},
          {"gain", JsonObject{{"value", measured ? Json(gain.value) : Json(nullptr)}, {"lower", gain.lower}, {"upper", gain.upper}}},
          {"task", JsonObject{{"target", task.target}, {"kind", TaskKindName(task.kind)}}},
          {"metric", state.options.metric},
          {"compared_loss", state.loss.name()},
          {"champion", roster.champion == 0 ? Json(nullptr) : Json(roster.Get(roster.champion).name)},
          {"day_one", day_one},
          {"since", all.since == kNoTime ? Json(nullptr) : Json(TimestampText(all.since))},
          {"predictions", state.predicted},
          {"outcomes", state.outcomes},
          {"decisions", state.decisions},
          {"chain", HexText(ledger.ChainHead())},
          {"events", state.events},
          {"recomputed_equal", all.difference.empty()}};
}

}  // namespace everlearn
