// A column is a leak where three things hold on rows that were not learned from:
//   it alone leaves next to nothing of the target unexplained;
//   all other columns together leave several times as much;
//   beside it the others add no more than independent evidence would. An honest strong cause works together with the others and leaves the
//   more to them, the better it is measured; a copy of the target with errors of its own does not.
// Besides: a column that is filled in for some outcomes only, which no other column tells; and one of many values along which the classes
// stand in order.
// Thresholds are chosen so that no column of 42 public sets meets them (benchmarks/leaks.cc).
#include "guard/leaks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "guard/column_power.h"

namespace everlearn {
namespace {

constexpr size_t kMostRows = 6'000, kFewRows = 2'000;
constexpr size_t kMostValues = 600'000;
constexpr size_t kMostParts = 256;                                      // numbers of texts
constexpr double kUnexplainedClasses = 0.25, kUnexplainedValues = 0.1;  // at most, by the column alone
constexpr double kRatioClasses = 0.5, kRatioValues = 0.25;              // of that to what the others leave, at most
constexpr double kOthersAdd = 0.5;                                      // share that all leave of what the column leaves, at least
constexpr double kPerfect = 0.03;  // so good that the others are judged without all such columns, and need not be asked what they add
constexpr double kAlone = 0.01;    // demanded where there are not two other columns to compare with
constexpr size_t kMostSuspects = 10;
constexpr size_t kRowsPerRun = 10;                        // at least, where rows are in the order of classes,
constexpr double kUnordered = 0.6;                        // and no more is left unexplained
constexpr double kFewestMarks = 20, kLeastMarked = 0.01;  // rows that have a value, and that have none, where this tells the outcome
constexpr double kMarked = 0.06;                          // that the outcome leaves of it, at most: a bin lies across its end
constexpr double kLeastRest = 0.1, kMarksRatio = 4;       // that the other columns leave of it, at least; times what the outcome leaves

std::vector<uint32_t> SampleRows(size_t rows, size_t wanted) {
  std::vector<uint32_t> numbers(rows);
  for (size_t i = 0; i < rows; ++i) numbers[i] = static_cast<uint32_t>(i);
  Random random(1);
  const size_t count = std::min(rows, wanted);
  for (size_t i = 0; i < count; ++i) std::swap(numbers[i], numbers[i + random.Below(rows - i)]);
  numbers.resize(count);
  return numbers;
}

// Places in the order of the values, from 0 to 1: recoded and skewed targets look like the plain one.
std::vector<double> Ranks(const std::vector<double>& values) {
  std::vector<double> sorted = values, ranks;
  std::sort(sorted.begin(), sorted.end());
  for (const double value : values) {
    const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), value);
    ranks.push_back(static_cast<double>((low - sorted.begin()) + (high - sorted.begin())) / (2.0 * static_cast<double>(values.size())));
  }
  return ranks;
}

class LeakSearch {
 public:
  explicit LeakSearch(const GuardInput& input) : input_(input) {
    const auto is_part = [](const GuardColumn& column) { return column.is_part; };
    const auto parts = static_cast<size_t>(std::count_if(input.columns.begin(), input.columns.end(), is_part));
    size_t part = 0;
    for (const GuardColumn& column : input.columns)
      if (!column.is_part || part++ % (parts / kMostParts + 1) == 0) sources_.push_back(&column);
    const size_t wanted = std::clamp(kMostValues / std::max<size_t>(1, sources_.size()), kFewRows, kMostRows);
    rows_ = SampleRows(input.rows, wanted);
    columns_.resize(sources_.size());
    for (size_t j = 0; j < columns_.size(); ++j) {
      columns_[j].is_category = sources_[j]->is_category;
      for (const uint32_t i : rows_) columns_[j].values.push_back(sources_[j]->At(i));
      cells_.push_back(CellsOf(columns_[j]));
    }
  }

  std::vector<GuardFinding> Run() {
    PowerTarget target;
    target.classes = input_.classes;
    for (const uint32_t i : rows_) target.values.push_back(input_.target[i]);
    Search(target);
    if (input_.classes == 0) {
      target.values = Ranks(target.values);
      Search(target);
    }
    SearchMissing();
    return std::move(findings_);
  }

 private:
  void Search(const PowerTarget& target) {
    const double threshold = input_.classes > 0 ? kUnexplainedClasses : kUnexplainedValues;
    alone_.clear();
    for (size_t j = 0; j < cells_.size(); ++j) {
      alone_.push_back(UnexplainedByCells(cells_[j], target));
      if (alone_[j] <= kUnordered && InOrderOfClasses(j, target)) alone_[j] = std::min(alone_[j], kAlone);
    }
    best_first_.resize(columns_.size());
    std::iota(best_first_.begin(), best_first_.end(), size_t{0});
    std::stable_sort(best_first_.begin(), best_first_.end(), [&](size_t a, size_t b) { return alone_[a] < alone_[b]; });
    size_t judged = 0;
    for (const size_t j : best_first_)
      if (alone_[j] <= threshold && judged++ < kMostSuspects) Judge(j, target);
  }

  // The used columns of other names but those that are perfect themselves, the best first; `all`: and the suspect.
  std::vector<size_t> Others(size_t suspect, bool all) const {
    std::vector<size_t> others;
    const auto end = std::find_if(best_first_.begin(), best_first_.end(), [&](size_t j) { return alone_[j] > kPerfect; });
    for (const size_t j : best_first_) {
      const GuardColumn& column = *sources_[j];
      const bool perfect = std::any_of(best_first_.begin(), end, [&](size_t k) { return sources_[k]->name == column.name; });
      if (j == suspect ? all : column.used && column.name != sources_[suspect]->name && !perfect) others.push_back(j);
    }
    return others;
  }

  // Whether the rows in the order of a column of many values have hardly more than one run of each class. Bins say less: many lie across
  // the end of a run.
  bool InOrderOfClasses(size_t j, const PowerTarget& target) const {
    const std::vector<double>& values = columns_[j].values;
    if (target.classes == 0 || columns_[j].is_category || !cells_[j].levels.empty()) return false;
    std::vector<std::pair<double, double>> order;
    for (size_t i = 0; i < values.size(); ++i)
      if (!std::isnan(values[i])) order.emplace_back(values[i], target.values[i]);
    if (order.size() < values.size() - values.size() / 100) return false;
    std::sort(order.begin(), order.end());
    size_t changes = 0, most = 2 * target.classes;
    for (size_t i = 1; i < order.size() && changes <= most; ++i) changes += order[i].second != order[i - 1].second ? 1 : 0;
    return changes <= most && order.size() > kRowsPerRun * most;
  }

  // Columns whose being filled in is told by the outcome, as by no other column.
  void SearchMissing() {
    PowerColumn outcome{{}, input_.classes > 0};
    for (const uint32_t i : rows_) outcome.values.push_back(input_.target[i]);
    const PowerCells cells = CellsOf(outcome);
    std::vector<size_t> marks;
    std::vector<double> told;  // what the outcome leaves unexplained of each mark
    std::vector<PowerTarget> filled;
    alone_.assign(columns_.size(), 1.0);
    for (size_t j = 0; j < columns_.size(); ++j) {
      PowerTarget target{{}, 2};
      double missing = 0;
      for (const double x : columns_[j].values) {
        target.values.push_back(std::isnan(x) ? 1.0 : 0.0);
        missing += target.values.back();
      }
      const double least = std::max(kFewestMarks, kLeastMarked * static_cast<double>(rows_.size()));
      if (!sources_[j]->used || sources_[j]->is_part) continue;
      if (missing < least || static_cast<double>(rows_.size()) - missing < least) continue;
      const double unexplained = UnexplainedByCells(cells, target);
      if (unexplained > kMarked) continue;
      alone_[j] = 0;
      marks.push_back(j);
      told.push_back(unexplained);
      filled.push_back(std::move(target));
    }
    // Only what is no mark itself is asked.
    std::stable_sort(best_first_.begin(), best_first_.end(), [&](size_t a, size_t b) { return alone_[a] < alone_[b]; });
    for (size_t k = 0; k < std::min(marks.size(), kMostSuspects); ++k) {
      const GuardColumn& column = *sources_[marks[k]];
      if (IsFound(column)) continue;
      const double rest = std::min(1.0, ByAll(Others(marks[k], false), filled[k]));
      if (rest < std::max(kLeastRest, kMarksRatio * told[k])) continue;
      findings_.push_back({"leak", column.name,
                           fmt::format("column '{}' is filled in for some outcomes only (of whether it is, the outcome leaves {:.1f}% "
                                       "unexplained, all other columns {:.0f}%), so it is known only afterwards; leave it out with "
                                       "--ignore {}, unless a prediction can truly have it",
                                       column.name, 100 * told[k], 100 * rest, column.name)});
    }
  }

  bool IsFound(const GuardColumn& column) const {
    return std::any_of(findings_.begin(), findings_.end(), [&](const GuardFinding& f) { return f.column == column.name; });
  }

  double ByAll(const std::vector<size_t>& numbers, const PowerTarget& target) const {
    std::vector<const PowerColumn*> columns;
    for (const size_t j : numbers) columns.push_back(&columns_[j]);
    return UnexplainedByAll(columns, target);
  }

  void Judge(size_t suspect, const PowerTarget& target) {
    const GuardColumn& column = *sources_[suspect];
    const double unexplained = alone_[suspect], ratio = input_.classes > 0 ? kRatioClasses : kRatioValues;
    if (IsFound(column)) return;
    const std::vector<size_t> others = Others(suspect, false);
    if (others.size() < 2 && unexplained > kAlone) return;
    // All together tell no less than the best of them, which is known already.
    if (!others.empty() && unexplained > ratio * alone_[others.front()]) return;
    const double rest = std::min(1.0, ByAll(others, target));
    if (unexplained > ratio * rest) return;
    if (unexplained > kPerfect && ByAll(Others(suspect, true), target) < kOthersAdd * unexplained) return;
    findings_.push_back(Finding(suspect, rest, target));
  }

  GuardFinding Finding(size_t suspect, double rest, const PowerTarget& target) const {
    const GuardColumn& column = *sources_[suspect];
    const std::string figures = fmt::format("column '{}' alone leaves {:.1f}% of the target unexplained, all others together {:.0f}%",
                                            column.name, 100 * alone_[suspect], 100 * rest);
    if (!column.used) return {"id", column.name, figures + ": the rows are in an order that tells the target; it is left out"};
    PowerColumn missing;
    for (const double x : columns_[suspect].values) missing.values.push_back(std::isnan(x) ? 1.0 : 0.0);
    const bool by_missing = UnexplainedByColumn(missing, target) <= 1.2 * alone_[suspect];
    const std::string why = by_missing        ? "whether it is filled in tells the outcome, so it is known only afterwards"
                            : Counts(suspect) ? "it counts rows that are in the order of the target"
                                              : "it is made from the target, or known only after it";
    return {"leak", column.name,
            fmt::format("{}: {}; leave it out with --ignore {}, unless a prediction can truly have it", figures, why, column.name)};
  }

  // Whether it grows from row to row.
  bool Counts(size_t j) const {
    const GuardColumn& column = *sources_[j];
    if (column.is_category) return false;
    for (size_t i = 1; i < input_.rows; ++i)
      if (!(column.At(i) > column.At(i - 1))) return false;
    return true;
  }

  const GuardInput& input_;
  std::vector<const GuardColumn*> sources_;  // the columns that are looked at,
  std::vector<uint32_t> rows_;               // and their rows
  std::vector<PowerColumn> columns_;
  std::vector<PowerCells> cells_;
  std::vector<double> alone_;       // what each column leaves unexplained
  std::vector<size_t> best_first_;  // numbers of the columns
  std::vector<GuardFinding> findings_;
};

}  // namespace

std::vector<GuardFinding> FindLeaks(const GuardInput& input) { return LeakSearch(input).Run(); }

}  // namespace everlearn
