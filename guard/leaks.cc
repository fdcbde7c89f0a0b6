// A column is a leak where three things hold on rows that were not learned from:
//   it alone leaves next to nothing of the target unexplained;
//   all other columns together leave several times as much;
//   beside it the others add no more than independent evidence would. An honest strong cause works together with the others and leaves the
//   more to them, the better it is measured; a copy of the target with errors of its own does not.
// Thresholds are chosen so that no column of 42 public sets meets them (benchmarks/leaks.cc).
#include "guard/leaks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "guard/column_power.h"

namespace everlearn {
namespace {

constexpr size_t kMostRows = 6'000, kFewRows = 2'000;
constexpr size_t kMostValues = 600'000;
constexpr double kUnexplainedClasses = 0.25, kUnexplainedValues = 0.1;  // at most, by the column alone
constexpr double kRatioClasses = 0.5, kRatioValues = 0.25;              // of that to what the others leave, at most
constexpr double kOthersAdd = 0.5;                                      // share that all leave of what the column leaves, at least
constexpr double kPerfect = 0.03;  // so good that the others are judged without all such columns, and need not be asked what they add
constexpr double kAlone = 0.01;    // demanded where there are not two other columns to compare with
constexpr size_t kMostSuspects = 20;

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

struct Suspect {
  size_t column;
  double unexplained;
};

class LeakSearch {
 public:
  explicit LeakSearch(const GuardInput& input) : input_(input) {
    const size_t wanted = std::clamp(kMostValues / std::max<size_t>(1, input.columns.size()), kFewRows, kMostRows);
    rows_ = SampleRows(input.rows, wanted);
    columns_.resize(input.columns.size());
    for (size_t j = 0; j < columns_.size(); ++j) {
      columns_[j].is_category = input.columns[j].is_category;
      for (const uint32_t i : rows_) columns_[j].values.push_back(input.columns[j].At(i));
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
    return std::move(findings_);
  }

 private:
  void Search(const PowerTarget& target) {
    const double threshold = input_.classes > 0 ? kUnexplainedClasses : kUnexplainedValues;
    std::vector<Suspect> suspects;
    for (size_t j = 0; j < columns_.size(); ++j) {
      const double unexplained = UnexplainedByColumn(columns_[j], target);
      if (unexplained <= threshold) suspects.push_back({j, unexplained});
    }
    std::stable_sort(suspects.begin(), suspects.end(), [](const Suspect& a, const Suspect& b) { return a.unexplained < b.unexplained; });
    if (suspects.size() > kMostSuspects) suspects.resize(kMostSuspects);
    for (const Suspect& suspect : suspects) Judge(suspect, suspects, target);
  }

  // The used columns of other names but those that are perfect themselves; `all`: and the suspect.
  std::vector<const PowerColumn*> Others(const Suspect& suspect, const std::vector<Suspect>& suspects, bool all) const {
    std::vector<const PowerColumn*> others;
    for (size_t j = 0; j < columns_.size(); ++j) {
      const bool perfect = std::any_of(suspects.begin(), suspects.end(), [&](const Suspect& other) {
        return input_.columns[other.column].name == input_.columns[j].name && other.unexplained <= kPerfect;
      });
      const bool itself = input_.columns[j].name == input_.columns[suspect.column].name;
      if (all && j == suspect.column) others.push_back(&columns_[j]);
      else if (input_.columns[j].used && !itself && !perfect) others.push_back(&columns_[j]);
    }
    return others;
  }

  void Judge(const Suspect& suspect, const std::vector<Suspect>& suspects, const PowerTarget& target) {
    const GuardColumn& column = input_.columns[suspect.column];
    if (std::any_of(findings_.begin(), findings_.end(), [&](const GuardFinding& f) { return f.column == column.name; })) return;
    const std::vector<const PowerColumn*> others = Others(suspect, suspects, false);
    if (others.size() < 2 && suspect.unexplained > kAlone) return;
    const double rest = std::min(1.0, UnexplainedByAll(others, target));
    if (suspect.unexplained > rest * (input_.classes > 0 ? kRatioClasses : kRatioValues)) return;
    if (suspect.unexplained > kPerfect && UnexplainedByAll(Others(suspect, suspects, true), target) < kOthersAdd * suspect.unexplained)
      return;
    findings_.push_back(Finding(suspect, rest, target));
  }

  GuardFinding Finding(const Suspect& suspect, double rest, const PowerTarget& target) const {
    const GuardColumn& column = input_.columns[suspect.column];
    const std::string figures = fmt::format("column '{}' alone leaves {:.1f}% of the target unexplained, all others together {:.0f}%",
                                            column.name, 100 * suspect.unexplained, 100 * rest);
    if (!column.used) return {"id", column.name, figures + ": the rows are in an order that tells the target; it is left out"};
    PowerColumn missing;
    for (const double x : columns_[suspect.column].values) missing.values.push_back(std::isnan(x) ? 1.0 : 0.0);
    const bool by_missing = UnexplainedByColumn(missing, target) <= 1.2 * suspect.unexplained;
    const std::string why = by_missing               ? "whether it is filled in tells the outcome, so it is known only afterwards"
                            : Counts(suspect.column) ? "it counts rows that are in the order of the target"
                                                     : "it is made from the target, or known only after it";
    return {"leak", column.name,
            fmt::format("{}: {}; leave it out with --ignore {}, unless a prediction can truly have it", figures, why, column.name)};
  }

  // Whether it grows from row to row.
  bool Counts(size_t j) const {
    const GuardColumn& column = input_.columns[j];
    if (column.is_category) return false;
    for (size_t i = 1; i < input_.rows; ++i)
      if (!(column.At(i) > column.At(i - 1))) return false;
    return true;
  }

  const GuardInput& input_;
  std::vector<uint32_t> rows_;
  std::vector<PowerColumn> columns_;
  std::vector<GuardFinding> findings_;
};

}  // namespace

std::vector<GuardFinding> FindLeaks(const GuardInput& input) { return LeakSearch(input).Run(); }

}  // namespace everlearn
