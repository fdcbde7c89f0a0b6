// In rows that stand in order of time, a column may be the target of a row below, or a mean of some of them: such a column tells the target
// of later rows perfectly, and far better than it tells the row's own or the one before. Rows without such an order show nothing of it.
#include "guard/future_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "guard/column_power.h"

namespace everlearn {
namespace {

constexpr size_t kMostRows = 2'000;
constexpr double kUnexplained = 0.1, kRatio = 0.25;
constexpr size_t kLeads[] = {1, 2, 3};
constexpr size_t kSpans[] = {3, 7};  // of rows below, whose mean it may be
constexpr size_t kReach = 8;

class FutureSearch {
 public:
  explicit FutureSearch(const GuardInput& input) : input_(input) {
    const size_t room = input.rows - 2 * kReach, step = std::max<size_t>(1, room / kMostRows);
    // Rows of every part of the table, in turn, so that both halves of the sample are alike.
    for (size_t i = 0; i + step <= room && rows_.size() < kMostRows; i += step) rows_.push_back(kReach + i);
    std::vector<size_t> mixed;
    for (const size_t first : {size_t{0}, size_t{1}})
      for (size_t i = first; i < rows_.size(); i += 2) mixed.push_back(rows_[i]);
    rows_ = std::move(mixed);
    for (const size_t lead : kLeads)
      leads_.push_back({Shifted(static_cast<int>(lead)), fmt::format("the target {} row{} later", lead, lead == 1 ? "" : "s")});
    if (input.classes == 0 || input.classes == 2)
      for (const size_t span : kSpans) leads_.push_back({MeanBelow(span), fmt::format("the mean target of the next {} rows", span)});
    now_ = Shifted(0);
    before_ = Shifted(-1);
  }

  void Look(const GuardColumn& column, std::vector<GuardFinding>* findings) const {
    PowerColumn values;
    values.is_category = column.is_category;
    for (const size_t i : rows_) values.values.push_back(column.At(i));
    const PowerCells cells = CellsOf(values);
    double past = -1;
    for (const auto& [target, what] : leads_) {
      const double ahead = UnexplainedByCells(cells, target);
      if (ahead > kUnexplained) continue;
      if (past < 0) past = std::min(UnexplainedByCells(cells, now_), UnexplainedByCells(cells, before_));
      if (ahead > kRatio * std::min(past, 1.0)) continue;
      findings->push_back({"leak", column.name,
                           fmt::format("column '{}' tells {} (unexplained: {:.1f}%; of the row's own: {:.0f}%), which is not known "
                                       "yet; leave it out with --ignore {}",
                                       column.name, what, 100 * ahead, 100 * std::min(past, 1.0), column.name)});
      return;
    }
  }

 private:
  PowerTarget Shifted(int by) const {
    PowerTarget target{{}, input_.classes};
    for (const size_t i : rows_) target.values.push_back(input_.target[static_cast<size_t>(static_cast<int64_t>(i) + by)]);
    return target;
  }
  PowerTarget MeanBelow(size_t span) const {
    PowerTarget target;
    for (const size_t i : rows_) {
      double sum = 0;
      for (size_t k = 1; k <= span; ++k) sum += input_.target[i + k];
      target.values.push_back(sum / static_cast<double>(span));
    }
    return target;
  }

  const GuardInput& input_;
  std::vector<size_t> rows_;
  std::vector<std::pair<PowerTarget, std::string>> leads_;
  PowerTarget now_, before_;
};

}  // namespace

std::vector<GuardFinding> FindFutureValues(const GuardInput& input) {
  std::vector<GuardFinding> findings;
  if (input.rows < 100) return findings;
  const FutureSearch search(input);
  for (const GuardColumn& column : input.columns)
    if (column.used && !column.is_part) search.Look(column, &findings);
  return findings;
}

}  // namespace everlearn
