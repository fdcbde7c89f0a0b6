#include "guard/training_check.h"

#include <algorithm>
#include <iterator>

#include "guard/duplicate_rows.h"
#include "guard/entities.h"
#include "guard/future_values.h"
#include "guard/leaks.h"
#include "guard/target_means.h"
#include "guard/time_order.h"

namespace everlearn {
namespace {

constexpr size_t kFewestRows = 50;

}  // namespace

std::vector<GuardFinding> CheckTraining(const GuardInput& input) {
  if (input.rows < kFewestRows || input.classes == 1) return {};
  if (std::all_of(input.target.begin(), input.target.end(), [&](double y) { return y == input.target[0]; })) return {};
  std::vector<GuardFinding> findings;
  const auto add = [&](std::vector<GuardFinding> more) {
    // One finding a column: the first check that sees something says it best.
    for (GuardFinding& finding : more) {
      const bool known = !finding.column.empty() && std::any_of(findings.begin(), findings.end(),
                                                                [&](const GuardFinding& other) { return other.column == finding.column; });
      if (!known) findings.push_back(std::move(finding));
    }
  };
  add(FindTargetMeans(input));
  add(FindFutureValues(input));
  add(FindEntities(input));
  add(FindLeaks(input));
  add(FindTimeOrder(input));
  add(FindDuplicateRows(input));
  add(FindTestRowsInTrain(input));
  std::stable_partition(findings.begin(), findings.end(), [](const GuardFinding& finding) { return finding.code == "leak"; });
  return findings;
}

}  // namespace everlearn
