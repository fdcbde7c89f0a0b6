#include "loop/router.h"

#include <algorithm>

namespace everlearn {
namespace {

constexpr uint64_t kFirstRest = 8192;    // rows
constexpr uint32_t kMostDoublings = 3;   // of the rest
constexpr double kNextToNothing = 0.02;  // of the budget
constexpr double kRowsOfFormula = 1000;  // formulas have a part that does not grow with the rows

struct Candidate {
  Member* member;
  double units, trust;
  bool expert;  // of the blend
};

bool Needed(const Roster& roster, const Member& member) {
  return member.id == roster.champion || member.id == roster.former || member.id == roster.day_one || roster.LineageOf(member.id).baseline;
}

double Trust(const Blend& blend, uint32_t member) {
  for (const Blend::Expert& expert : blend.experts())
    if (expert.member == member) return expert.trust;
  return 0;
}

// Members of a task that may be sent to rest, as the budget sees them.
struct Roll {
  std::vector<Candidate> candidates;
  double spent = 0;     // by those that never rest
  bool expert = false;  // one of them speaks to the blend
};

Roll CallRoll(LoopState& s, uint64_t from) {
  Roll roll;
  for (Member& member : s.roster.members) {
    const Lineage& lineage = s.roster.LineageOf(member.id);
    if (!member.alive || !member.Takes(from)) continue;
    const bool expert = s.blend.HasExpert(member.id);
    if (lineage.kind != MemberKind::kOnline) {
      roll.expert = roll.expert || expert;
      continue;
    }
    const double units = UnitsToFit(s, lineage, kRowsOfFormula) / kRowsOfFormula;
    const bool on_trial = member.rests > 0 && from < member.resting.back().wakes + kRouteEvery;  // which nobody else shall pay for
    if (on_trial || Needed(s.roster, member) || units <= kNextToNothing * s.options.row_units) {
      roll.spent += on_trial ? 0 : units;
      roll.expert = roll.expert || expert;
    } else {
      roll.candidates.push_back({&member, units, Trust(s.blend, member.id), expert});
    }
  }
  return roll;
}

void LetRest(Member* member, uint64_t from, uint64_t first_waiting) {
  std::erase_if(member->resting, [&](const Rest& rest) { return rest.wakes <= first_waiting; });
  member->resting.push_back({from, from + (kFirstRest << std::min(member->rests, kMostDoublings))});
  ++member->rests;
}

void WakeAt(Member* member, uint64_t soon) {
  if (member->resting.empty()) return;
  Rest& rest = member->resting.back();
  if (rest.wakes > soon) rest.wakes = std::max(soon, rest.from);
}

}  // namespace

double UnitsToFit(const LoopState& s, const Lineage& lineage, double rows) {
  const LearnerInfo& learner = Learners().Get(lineage.learner);
  const auto values =
      ParameterValues::FromJson(lineage.learner, learner.parameters, ParseJson(lineage.parameters, "the parameters of " + lineage.learner));
  const auto features = static_cast<double>(s.options.is_category.size());
  return learner.cost_units(rows, features, static_cast<double>(s.options.outputs()), values);
}

void Route(LoopState& s) {
  if (!(s.options.row_units > 0) || s.outcomes % kRouteEvery != 0) return;
  const uint64_t from = s.pending.next_row() + kNotice;
  Roll roll = CallRoll(s, from);
  const auto most_trusted = std::max_element(roll.candidates.begin(), roll.candidates.end(),
                                             [](const Candidate& a, const Candidate& b) { return a.trust < b.trust; });
  if (!roll.expert && most_trusted != roll.candidates.end() && most_trusted->expert) {
    roll.spent += most_trusted->units;
    most_trusted->member->rests = 0;
    roll.candidates.erase(most_trusted);
  }
  std::stable_sort(roll.candidates.begin(), roll.candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.trust * b.units > b.trust * a.units; });
  for (const Candidate& candidate : roll.candidates) {
    if (roll.spent + candidate.units <= s.options.row_units) {
      roll.spent += candidate.units;
      candidate.member->rests = 0;
    } else {
      LetRest(candidate.member, from, s.pending.first_waiting());
    }
  }
}

void WakeAll(LoopState& s) {
  const uint64_t soon = s.pending.next_row() + kNotice;
  for (Member& member : s.roster.members) {
    if (member.rests == 0) continue;
    WakeAt(&member, soon);
    member.rests = 1;
  }
}

void WakeChampion(LoopState& s) {
  Member& champion = s.roster.Get(s.roster.champion);
  WakeAt(&champion, s.pending.next_row() + kNotice);
  champion.rests = 0;
}

}  // namespace everlearn
