// Which of the online members learn: a budget of work a row is spent on the experts that pay.
//
// Where all of them together cost more units a row than LoopOptions::row_units, those that the blend trusts least for their cost rest: they
// neither predict nor learn. Each wakes after a while for a trial beyond the budget, later from one rest to the next (up to eight times),
// and all wake when a loss alarm says that the stream has changed. Costs are the learners' formulas, never measured, so that two runs are
// equal; what is decided holds from kNotice rows later, so that members may be taken through a stretch of rows ahead of the loop. The
// champion, the one before, the model of day one, baselines and what costs next to nothing never rest; and where no expert of the blend
// would be left, neither does the one that it trusts most.
#pragma once

#include "loop/state.h"

namespace everlearn {

constexpr uint64_t kRouteEvery = 4096;  // outcomes
constexpr uint64_t kNotice = 1024;      // rows; more than a stretch of loop/look_ahead.h

// After an outcome.
void Route(LoopState& s);
void WakeAll(LoopState& s);
// After a change of champion: a rest that had been decided ends or does not begin, as soon as members may be told.
void WakeChampion(LoopState& s);

// What fitting so many rows costs, in units, by the learner's formula.
double UnitsToFit(const LoopState& s, const Lineage& lineage, double rows);

}  // namespace everlearn
