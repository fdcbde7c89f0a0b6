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
};

bool Needed(const Roster& roster, const Member& member) {
  return member.id == roster.champion || member.id == roster.former || member.id == roster.day_one || roster.LineageOf(member.id).baseline;
}

double Trust(const Blend& blend, uint32_t member) {
  for (const Blend::Expert& expert : blend.experts())
    if (expert.member == member) return expert.trust;
  return 0;
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
  double spent = 0;
  std::vector<Candidate> candidates;
  for (Member& member : s.roster.members) {
    const Lineage& lineage = s.roster.LineageOf(member.id);
    if (!member.alive || lineage.kind != MemberKind::kOnline || !member.Takes(from)) continue;
    const double units = UnitsToFit(s, lineage, kRowsOfFormula) / kRowsOfFormula;
    if (member.rests > 0 && from < member.wakes_at + kRouteEvery) continue;  // on trial, which nobody else shall pay for
    if (Needed(s.roster, member) || units <= kNextToNothing * s.options.row_units) spent += units;
    else candidates.push_back({&member, units, Trust(s.blend, member.id)});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.trust * b.units > b.trust * a.units; });
  for (const Candidate& candidate : candidates) {
    Member& member = *candidate.member;
    if (spent + candidate.units <= s.options.row_units) {
      spent += candidate.units;
      member.rests = 0;
      continue;
    }
    member.rests_from = from;
    member.wakes_at = from + (kFirstRest << std::min(member.rests, kMostDoublings));
    ++member.rests;
  }
}

void WakeAll(LoopState& s) {
  const uint64_t soon = s.pending.next_row() + kNotice;
  for (Member& member : s.roster.members) {
    if (member.rests == 0) continue;
    if (member.wakes_at > soon) member.wakes_at = std::max(soon, member.rests_from);
    member.rests = 1;
  }
}

}  // namespace everlearn
