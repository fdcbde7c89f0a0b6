// Whom or what a row is about: a column with many values, several rows each, whose rows all have nearly the same target. Random folds put
// rows of one in both parts, where it is enough to recognise it. A number is one only where neighbouring values tell nothing of each
// other's target, as numbers of patients do and ages do not.
#include "guard/entities.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_set>

#include "base/random.h"

namespace everlearn {
namespace {

constexpr size_t kFewestValues = 30;
constexpr double kFewestRows = 2, kMostRows = 200;  // a value, on average
constexpr double kShared = 0.9;                     // of the variance of the target, by rows of one value, at least
constexpr double kNeighbours = 0.3;                 // of it, by the values beside it, at most
constexpr size_t kEnoughRows = 50'000;
constexpr double kBeside = 8;  // integers that are taken, or left, together

// Whether a column can have as many values as it must, from a part of its rows.
bool HasManyValues(const GuardInput& input, const GuardColumn& column) {
  constexpr size_t kLook = 5'000;
  const size_t step = std::max<size_t>(1, input.rows / kLook);
  std::unordered_set<double> values;
  size_t looked = 0;
  for (size_t i = 0; i < input.rows; i += step, ++looked) {
    const double x = column.At(i);
    if (!std::isnan(x) && !column.is_category && x != std::floor(x)) return false;
    values.insert(x);
  }
  const size_t needed = std::max(kFewestValues, static_cast<size_t>(static_cast<double>(input.rows) / kMostRows));
  return values.size() * 4 >= std::min(needed, looked);
}

struct Value {
  double rows = 0, low = 0, high = 0;
  std::vector<double> sums;  // of the target, or one a class
};

class EntityCheck {
 public:
  EntityCheck(const GuardInput& input, const GuardColumn& column) : outputs_(std::max<size_t>(input.classes, 1)) {
    totals_.assign(outputs_, 0.0);
    double before = std::nan("");
    for (const auto& [x, i] : SomeRows(input, column)) {
      const double y = input.target[i], counted = input.classes > 0 ? 1.0 : y;
      const size_t output = input.classes > 0 ? static_cast<size_t>(y) : 0;
      if (x != before) values_.push_back({0, y, y, std::vector<double>(outputs_, 0.0)});
      before = x;
      Value& value = values_.back();
      value.rows += 1;
      value.low = std::min(value.low, y);
      value.high = std::max(value.high, y);
      value.sums[output] += counted;
      targets_.insert(y);
      rows_ += 1;
      totals_[output] += counted;
      squares_ += counted * counted;
    }
  }

  bool Plausible() const {
    const double per_value = rows_ / static_cast<double>(std::max<size_t>(1, values_.size()));
    // As many values as there are classes, or a value for each of the target's: no name of anyone, but the target in other words.
    if (values_.size() <= 2 * outputs_ || IsTarget()) return false;
    return values_.size() >= kFewestValues && per_value >= kFewestRows && per_value <= kMostRows;
  }

  // Whether each value goes with one of the target, and the other way round.
  bool IsTarget() const {
    return std::all_of(values_.begin(), values_.end(), [](const Value& value) { return value.low == value.high; }) &&
           targets_.size() == values_.size();
  }

  // Share of the variance that belongs to the values: the intraclass correlation of a one-way analysis of variance (Fisher, 1925).
  double SharedByValue() const {
    const double k = static_cast<double>(values_.size());
    double between = -Square(totals_) / rows_, even = 0;
    for (const Value& value : values_) {
      between += Square(value.sums) / value.rows;
      even += value.rows * value.rows;
    }
    const double total = squares_ - Square(totals_) / rows_;
    const double mean_between = between / (k - 1), mean_within = std::max(0.0, total - between) / std::max(1.0, rows_ - k);
    const double size = (rows_ - even / rows_) / (k - 1);
    const double spread = mean_between + (size - 1) * mean_within;
    return spread > 0 ? (mean_between - mean_within) / spread : 0.0;
  }

  // Correlation of the means of neighbouring values.
  double SharedByNeighbours() const {
    std::vector<double> average;
    for (const double total : totals_) average.push_back(total / rows_);
    double together = 0, alone = 0;
    const Value* before = nullptr;
    for (const Value& value : values_) {
      for (size_t k = 0; k < outputs_; ++k) {
        const double away = value.sums[k] / value.rows - average[k];
        alone += away * away;
        if (before != nullptr) together += away * (before->sums[k] / before->rows - average[k]);
      }
      before = &value;
    }
    return alone > 0 ? together / alone : 0.0;
  }

  size_t values() const { return values_.size(); }

 private:
  static double Square(const std::vector<double>& sums) {
    double square = 0;
    for (const double sum : sums) square += sum * sum;
    return square;
  }

  // Rows by value; of many rows those of some values, each with those beside it.
  static std::vector<std::pair<double, uint32_t>> SomeRows(const GuardInput& input, const GuardColumn& column) {
    const uint64_t step = std::max<uint64_t>(1, input.rows / kEnoughRows);
    std::vector<std::pair<double, uint32_t>> rows;
    for (size_t i = 0; i < input.rows; ++i) {
      const double x = column.At(i);
      if (std::isnan(x) || (step > 1 && MixBits(std::bit_cast<uint64_t>(std::floor(x / kBeside) + 0.5)) % step != 0)) continue;
      rows.emplace_back(x, static_cast<uint32_t>(i));
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  size_t outputs_;
  std::vector<Value> values_;  // in their order
  std::unordered_set<double> targets_;
  double rows_ = 0, squares_ = 0;
  std::vector<double> totals_;
};

}  // namespace

std::vector<GuardFinding> FindEntities(const GuardInput& input) {
  std::vector<GuardFinding> findings;
  if (input.grouped || input.time_ordered) return findings;
  for (const GuardColumn& column : input.columns) {
    if (!column.used || column.is_part || column.is_time || !HasManyValues(input, column)) continue;
    const EntityCheck check(input, column);
    if (!check.Plausible()) continue;
    const double shared = check.SharedByValue();
    if (shared < kShared || (!column.is_category && check.SharedByNeighbours() > kNeighbours)) continue;
    findings.push_back({"groups", column.name,
                        fmt::format("rows with the same '{}' ({} values) have nearly the same target ({:.0f}% of its variance lies between "
                                    "values), and folds put them on both sides; if later rows bring new values, use --group {}",
                                    column.name, check.values(), 100 * shared, column.name)});
  }
  return findings;
}

}  // namespace everlearn
