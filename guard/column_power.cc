#include "guard/column_power.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_map>

namespace everlearn {
namespace {

constexpr double kPrior = 0.5;      // rows that a level or bin has of the average beforehand
constexpr size_t kRowsPerBin = 40;  // at least, but for the fewest bins
constexpr size_t kFewestBins = 8, kMostBins = 64;
constexpr size_t kMostLevels = 1000;  // of a number that is also looked at value by value,
constexpr size_t kRowsPerLevel = 5;   // where it has so many rows a value
constexpr double kLeastProbability = 1e-6;

// What is known of the rows of every bin or level: counts of classes, or straight lines.
class CellModel {
 public:
  CellModel(const PowerTarget& target, size_t cells, bool lines) : target_(target), cells_(cells), lines_(lines) {
    const size_t train = target.train();
    if (target.classes > 0) {
      counts_.assign(cells * target.classes, 0.0);
      base_.assign(target.classes, 0.0);
      for (size_t i = 0; i < train; ++i) base_[static_cast<size_t>(target.values[i])] += 1;
      for (double& share : base_) share = (share + 1) / static_cast<double>(train + target.classes);
    } else {
      for (size_t i = 0; i < train; ++i) mean_ += target.values[i] / static_cast<double>(train);
    }
  }

  void Add(size_t cell_number, double x, double y) {
    Cell& cell = cells_[cell_number];
    cell.rows += 1;
    if (target_.classes > 0) {
      counts_[cell_number * target_.classes + static_cast<size_t>(y)] += 1;
      return;
    }
    const double centred = y - mean_;
    cell.x += x;
    cell.y += centred;
    cell.xx += x * x;
    cell.xy += x * centred;
  }

  double Loss(size_t cell_number, double x, double y) const {
    const Cell& cell = cells_[cell_number];
    if (target_.classes > 0) {
      const auto klass = static_cast<size_t>(y);
      const double share = (counts_[cell_number * target_.classes + klass] + kPrior * base_[klass]) / (cell.rows + kPrior);
      return -std::log(std::max(share, kLeastProbability));
    }
    double guess = cell.y / (cell.rows + kPrior);
    if (lines_ && cell.rows > 2) {
      const double spread = cell.xx - cell.x * cell.x / cell.rows;
      if (spread > 1e-12 * cell.xx) guess += (x - cell.x / cell.rows) * (cell.xy - cell.x * cell.y / cell.rows) / spread;
    }
    const double error = y - mean_ - guess;
    return error * error;
  }

  // Of knowing nothing.
  double BaseLoss(double y) const {
    if (target_.classes > 0) return -std::log(base_[static_cast<size_t>(y)]);
    return (y - mean_) * (y - mean_);
  }

 private:
  struct Cell {
    double rows = 0, x = 0, y = 0, xx = 0, xy = 0;
  };
  const PowerTarget& target_;
  std::vector<Cell> cells_;
  std::vector<double> counts_;  // of classes, cell by cell
  bool lines_;
  std::vector<double> base_;
  double mean_ = 0;
};

double Unexplained(const PowerTarget& target, const std::vector<uint32_t>& cell_of, size_t cells, std::span<const double> x) {
  CellModel model(target, cells, !x.empty());
  const size_t train = target.train(), rows = target.values.size();
  for (size_t i = 0; i < train; ++i) model.Add(cell_of[i], x.empty() ? 0.0 : x[i], target.values[i]);
  double loss = 0, base = 0;
  for (size_t i = train; i < rows; ++i) {
    loss += model.Loss(cell_of[i], x.empty() ? 0.0 : x[i], target.values[i]);
    base += model.BaseLoss(target.values[i]);
  }
  return base > 0 ? loss / base : 1.0;
}

// Upper edges of bins of about equal weight of the training rows' values.
std::vector<double> Edges(const PowerColumn& column, size_t train, size_t bins) {
  std::vector<double> sorted;
  for (size_t i = 0; i < train; ++i)
    if (!std::isnan(column.values[i])) sorted.push_back(column.values[i]);
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> edges;
  for (size_t b = 1; b < bins && !sorted.empty(); ++b) {
    const double edge = sorted[b * sorted.size() / bins];
    if (edge < sorted.back() && (edges.empty() || edge > edges.back())) edges.push_back(edge);
  }
  return edges;
}

// The bin of each row; the one behind the last is for missing values.
std::vector<uint32_t> BinsOf(const PowerColumn& column, const std::vector<double>& edges) {
  std::vector<uint32_t> bins;
  for (const double x : column.values) {
    const auto place = std::lower_bound(edges.begin(), edges.end(), x) - edges.begin();
    bins.push_back(static_cast<uint32_t>(std::isnan(x) ? edges.size() + 1 : static_cast<size_t>(place)));
  }
  return bins;
}

// Numbers the levels of a column, 0 for missing values; false, and nothing, where there are more than `most`.
bool FindLevels(const PowerColumn& column, size_t most, PowerCells* cells) {
  std::unordered_map<double, uint32_t> numbers;
  std::vector<uint32_t> levels;
  for (const double x : column.values) {
    levels.push_back(std::isnan(x) ? 0 : numbers.emplace(x, static_cast<uint32_t>(numbers.size() + 1)).first->second);
    if (numbers.size() > most) return false;
  }
  cells->levels = std::move(levels);
  cells->level_count = numbers.size() + 1;
  return true;
}

}  // namespace

PowerCells CellsOf(const PowerColumn& column) {
  const size_t rows = column.values.size(), train = rows / 2;
  PowerCells cells;
  if (column.is_category) {
    FindLevels(column, rows, &cells);
    return cells;
  }
  const std::vector<double> edges = Edges(column, train, std::clamp(train / kRowsPerBin, kFewestBins, kMostBins));
  cells.bins = BinsOf(column, edges);
  cells.bin_count = edges.size() + 2;
  FindLevels(column, std::min(kMostLevels, rows / kRowsPerLevel), &cells);
  // Centred, so that the sums of squares keep their digits.
  double sum = 0, present = 0;
  for (const double x : column.values)
    if (std::isfinite(x)) sum += x, present += 1;
  for (const double x : column.values) cells.x.push_back(std::isfinite(x) ? x - sum / std::max(present, 1.0) : 0.0);
  return cells;
}

double UnexplainedByCells(const PowerCells& cells, const PowerTarget& target) {
  double least = 1e300;
  if (!cells.bins.empty())
    least = Unexplained(target, cells.bins, cells.bin_count,
                        target.classes == 0 ? std::span<const double>(cells.x) : std::span<const double>());
  if (!cells.levels.empty()) least = std::min(least, Unexplained(target, cells.levels, cells.level_count, {}));
  return least;
}

double UnexplainedByColumn(const PowerColumn& column, const PowerTarget& target) { return UnexplainedByCells(CellsOf(column), target); }

namespace {

constexpr int kDepth = 4;
constexpr size_t kTreeBins = 32;
constexpr size_t kMostRounds = 80, kFewestRounds = 10;
constexpr double kAllRates = 16;                     // learning rate times rounds,
constexpr double kLeastRate = 0.2, kMostRate = 0.5;  // within these
constexpr double kWork = 5e7;                        // additions, about
constexpr size_t kFirstColumns = 8;                  // that every tree may use,
constexpr size_t kColumnsPerTree = 32;               // and so many in all, the others by turns

// Boosting on binned columns: one tree a score and round, all nodes of a level split alike.
class ObliviousBoosting {
 public:
  ObliviousBoosting(const std::vector<const PowerColumn*>& columns, const PowerTarget& target)
      : target_(target), rows_(target.values.size()), train_(target.train()), scores_(target.classes > 2 ? target.classes : 1) {
    for (const PowerColumn* column : columns) AddColumn(*column);
    values_.assign(scores_ * rows_, 0.0);
  }

  double Run() {
    SetBase();
    const double one_round = static_cast<double>(scores_ * train_ * std::min(bins_.size(), kColumnsPerTree) * kDepth);
    const auto rounds = static_cast<size_t>(
        std::clamp(kWork / std::max(one_round, 1.0), static_cast<double>(kFewestRounds), static_cast<double>(kMostRounds)));
    rate_ = std::clamp(kAllRates / static_cast<double>(rounds), kLeastRate, kMostRate);
    const double base = Loss();
    double best = base;
    for (size_t round = 0; round < rounds && !bins_.empty(); ++round) {
      ChooseColumns(round);
      AddRound();
      best = std::min(best, Loss());
    }
    return base > 0 ? best / base : 1.0;
  }

 private:
  // A category becomes the smoothed mean of the target of its levels, so that splits are by what they tell.
  void AddColumn(const PowerColumn& column) {
    PowerColumn ordered{column.values, false};
    if (column.is_category) {
      constexpr double kSmoothing = 10;
      std::unordered_map<double, std::pair<double, double>> levels;
      double mean = 0;
      for (size_t i = 0; i < train_; ++i) mean += target_.values[i] / static_cast<double>(train_);
      for (size_t i = 0; i < train_; ++i) {
        auto& [sum, count] = levels[column.values[i]];
        if (std::isnan(column.values[i])) continue;
        sum += target_.values[i] - mean;
        count += 1;
      }
      for (double& x : ordered.values) {
        if (std::isnan(x)) continue;
        const auto found = levels.find(x);
        x = found == levels.end() ? 0.0 : found->second.first / (found->second.second + kSmoothing);
      }
    }
    const std::vector<uint32_t> bins = BinsOf(ordered, Edges(ordered, train_, kTreeBins - 2));
    bins_.emplace_back(bins.begin(), bins.end());
  }

  void ChooseColumns(size_t round) {
    chosen_.clear();
    const size_t columns = bins_.size(), first = columns <= kColumnsPerTree ? columns : kFirstColumns;
    for (size_t j = 0; j < first; ++j) chosen_.push_back(j);
    if (first == columns) return;
    constexpr size_t kByTurns = kColumnsPerTree - kFirstColumns;
    for (size_t k = 0; k < kByTurns; ++k) chosen_.push_back(first + (round * kByTurns + k) % (columns - first));
  }

  void SetBase() {
    if (target_.classes == 0) {
      for (size_t i = 0; i < train_; ++i) mean_ += target_.values[i] / static_cast<double>(train_);
      return;
    }
    std::vector<double> share(target_.classes, 1.0);
    for (size_t i = 0; i < train_; ++i) share[static_cast<size_t>(target_.values[i])] += 1;
    for (size_t k = 0; k < scores_; ++k)
      std::fill_n(values_.begin() + static_cast<std::ptrdiff_t>(k * rows_), rows_,
                  scores_ == 1 ? std::log(share[1] / share[0]) : std::log(share[k] / static_cast<double>(train_)));
  }

  double Loss() const {
    double loss = 0;
    for (size_t i = train_; i < rows_; ++i) {
      const double y = target_.values[i];
      if (target_.classes == 0) {
        const double error = y - mean_ - values_[i];
        loss += error * error;
      } else if (scores_ == 1) {
        loss += std::log1p(std::exp(y > 0 ? -values_[i] : values_[i]));
      } else {
        loss += std::log(SumOfExponentials(i)) - values_[static_cast<size_t>(y) * rows_ + i];
      }
    }
    return loss;
  }

  double SumOfExponentials(size_t i) const {
    double sum = 0;
    for (size_t k = 0; k < scores_; ++k) sum += std::exp(values_[k * rows_ + i]);
    return sum;
  }

  void AddRound() {
    std::vector<double> sums(rows_, 1.0);
    if (scores_ > 1)
      for (size_t i = 0; i < train_; ++i) sums[i] = SumOfExponentials(i);
    gradients_.resize(train_);
    hessians_.assign(train_, 1.0);
    std::vector<double> after = values_;
    for (size_t k = 0; k < scores_; ++k) {
      for (size_t i = 0; i < train_; ++i) {
        const double value = values_[k * rows_ + i], y = target_.values[i];
        if (target_.classes == 0) {
          gradients_[i] = y - mean_ - value;
          continue;
        }
        const double p = scores_ == 1 ? 1 / (1 + std::exp(-value)) : std::exp(value) / sums[i];
        gradients_[i] = (y == static_cast<double>(scores_ == 1 ? 1 : k) ? 1.0 : 0.0) - p;
        hessians_[i] = std::max(p * (1 - p), 1e-6);
      }
      AddTree(after.data() + k * rows_);
    }
    values_ = std::move(after);
  }

  void AddTree(double* values) {
    std::vector<uint8_t> leaf(rows_, 0);
    for (int level = 0; level < kDepth; ++level) {
      const size_t leaves = size_t{1} << level;
      double best = 0;
      size_t best_column = 0, best_bin = 0;
      bool found = false;
      for (const size_t j : chosen_) {
        const auto [gain, bin] = BestSplit(bins_[j], leaf, leaves);
        if (gain <= best) continue;
        best = gain;
        best_column = j;
        best_bin = bin;
        found = true;
      }
      if (!found) break;
      for (size_t i = 0; i < rows_; ++i) leaf[i] = static_cast<uint8_t>(leaf[i] * 2 + (bins_[best_column][i] > best_bin ? 1 : 0));
    }
    constexpr size_t kLeaves = size_t{1} << kDepth;
    double gradient[kLeaves] = {}, hessian[kLeaves] = {};
    for (size_t i = 0; i < train_; ++i) {
      gradient[leaf[i]] += gradients_[i];
      hessian[leaf[i]] += hessians_[i];
    }
    for (size_t i = 0; i < rows_; ++i) values[i] += rate_ * gradient[leaf[i]] / (hessian[leaf[i]] + kRidge);
  }

  std::pair<double, size_t> BestSplit(const std::vector<uint8_t>& bins, const std::vector<uint8_t>& leaf, size_t leaves) {
    sums_.assign(leaves * kTreeBins * 2, 0.0);
    for (size_t i = 0; i < train_; ++i) {
      double* sum = &sums_[(leaf[i] * kTreeBins + bins[i]) * 2];
      sum[0] += gradients_[i];
      sum[1] += hessians_[i];
    }
    double gains[kTreeBins] = {};
    for (size_t l = 0; l < leaves; ++l) {
      const double* sums = &sums_[l * kTreeBins * 2];
      double gradient = 0, hessian = 0;
      for (size_t b = 0; b < kTreeBins; ++b) gradient += sums[b * 2], hessian += sums[b * 2 + 1];
      const double whole = gradient * gradient / (hessian + kRidge);
      double left_gradient = 0, left_hessian = 0;
      for (size_t b = 0; b + 1 < kTreeBins; ++b) {
        left_gradient += sums[b * 2];
        left_hessian += sums[b * 2 + 1];
        const double right_gradient = gradient - left_gradient, right_hessian = hessian - left_hessian;
        gains[b] +=
            left_gradient * left_gradient / (left_hessian + kRidge) + right_gradient * right_gradient / (right_hessian + kRidge) - whole;
      }
    }
    const size_t bin = static_cast<size_t>(std::max_element(gains, gains + kTreeBins) - gains);
    return {gains[bin], bin};
  }

  static constexpr double kRidge = 1.0;
  const PowerTarget& target_;
  size_t rows_, train_, scores_;
  std::vector<std::vector<uint8_t>> bins_;
  std::vector<double> values_, gradients_, hessians_, sums_;
  std::vector<size_t> chosen_;  // columns of the trees of this round
  double mean_ = 0, rate_ = kLeastRate;
};

}  // namespace

double UnexplainedByAll(const std::vector<const PowerColumn*>& columns, const PowerTarget& target) {
  return ObliviousBoosting(columns, target).Run();
}

}  // namespace everlearn
