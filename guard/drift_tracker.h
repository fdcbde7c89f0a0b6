// Drift of the inputs: each column's values in the newest window against a reference, and what that should do to the loss.
//
// The reference are the first 10,000 rows (or the history, where that is shorter and long enough). Bins are fixed on its first rows
// (column_bins.h). After it one row in four, drawn by the hash of its number, is counted; each 2,500 counted rows are a window, windows do
// not overlap, and each is tested once, when it is complete. A column's p-value is twice the smaller one of Kolmogorov–Smirnov and chi²
// (with a bin for missing values), corrected for rows that come in clumps (two_samples.h), then by Holm for the number of columns; the
// whole table's is Cauchy's combination. An alarm needs p up to half the level of a look — window / rows between false alarms, so that
// looking for ever is paid for — and a change of at least so much population stability that it matters. It is given once an episode,
// which ends with the first window that is no longer remarkable.
//
// The level is that of rows whose dependence does not reach beyond some hundred rows; slower cycles (seasons) are drift like any other.
// Deterministic; one thread; memory bounded by kMostColumns; about 10 ns a column and counted row.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "guard/column_bins.h"

namespace everlearn {

struct DriftOptions {
  double rows_between_false_alarms = 1'000'000;  // at least, in the mean, where nothing drifts
  double minimum_psi = 0.1;                      // of a column for an alarm; of the columns' mean for one of the whole: half of it
};

// A column in the newest complete window.
struct ColumnDrift {
  double ks = 0;  // 0 for categories
  double chi_squared = 0;
  double wasserstein = 0;     // in units of the column; 0 for categories
  double jensen_shannon = 0;  // distance, 0 to 1
  double psi = 0;
  double missing = 0, reference_missing = 0;  // shares
  double p = 1;                               // corrected for the number of columns
  double effect = 0;  // on the mean loss: sum over bins of the change of share × (mean loss of served rows in the bin − mean loss)
  bool drifting = false;
};

struct TableDrift {
  double p = 1;
  double psi = 0;  // mean of the columns
  bool drifting = false;
};

class DriftTracker {
 public:
  static constexpr size_t kMostColumns = 256;  // what lies behind them is not watched

  explicit DriftTracker(const std::vector<bool>& is_category, const DriftOptions& options = {});

  // A row, by its number and features (as many as the columns given at first). True when a window became complete: what follows is then
  // new.
  bool AddRow(uint64_t row, const double* features);
  // The loss of a served row whose outcome came; finite.
  void AddLoss(uint64_t row, const double* features, double loss);
  // History ends here: it is the reference, where it is long enough.
  void EndHistory();
  // Makes the coming rows the reference: what is normal has changed.
  void BeginReference();

  const std::vector<ColumnDrift>& columns() const { return drift_; }
  const TableDrift& table() const { return table_; }
  // Episodes that the newest window began: columns by their estimated effect, and whether the whole table's.
  const std::vector<size_t>& begun() const { return begun_; }
  bool table_begun() const { return table_begun_; }
  // Columns by the size of their estimated effect on the loss, then by psi.
  std::vector<size_t> Ranked() const;
  uint64_t windows() const { return windows_; }                // complete ones since the reference
  uint64_t reference_rows() const { return reference_rows_; }  // 0 while it is not complete
  static constexpr uint64_t window_rows() { return kWindowRows; }

  // Takes a row's values out of what is kept of single rows; true where there were some.
  bool Forget(uint64_t row);

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  static constexpr uint64_t kFirstRows = 2000;       // on which bins are fixed
  static constexpr uint64_t kBlockRows = 500;        // of the reference: the reach of dependence that is corrected for
  static constexpr uint64_t kLeastReference = 2500;  // rows of a history that is shorter than
  static constexpr uint64_t kMostReference = 10'000;
  static constexpr uint64_t kWindowRows = 2500;  // counted ones,
  static constexpr uint64_t kSampleEvery = 4;    // of so many

  enum class Phase : uint8_t { kFirstRows, kReference, kWatching };
  using Counts = std::array<uint32_t, ColumnBins::kBins>;
  using Sums = std::array<double, ColumnBins::kBins>;
  struct Column {
    ColumnBins bins;
    Counts reference = {}, recent = {};              // recent: the growing window, or the growing block of the reference
    Sums reference_values = {}, recent_values = {};  // sums
    Sums squares = {};                               // of the blocks' counts
    Sums loss = {};                                  // mean of the bin's newest rows
    Counts loss_rows = {};
    double clumping = 1;
  };

  static bool Sampled(uint64_t row);
  void Count(const double* features);
  void FixBins();
  void EndBlock();
  void EndReference();
  void EndWindow();
  ColumnDrift Measure(const Column& column, double mean_loss) const;
  void Decide(const std::vector<double>& p);

  std::vector<bool> is_category_;
  DriftOptions options_;
  Phase phase_ = Phase::kFirstRows;
  std::vector<double> first_;  // rows × columns, before the bins are fixed
  std::vector<uint64_t> first_numbers_;
  std::vector<Column> columns_;
  std::vector<ColumnDrift> drift_;
  TableDrift table_;
  std::vector<size_t> begun_;  // follows from the step that completes a window; not kept
  bool table_begun_ = false;
  uint64_t growing_rows_ = 0;    // of the block or window that grows
  uint64_t reference_rows_ = 0;  // complete blocks'
  uint64_t windows_ = 0;
};

}  // namespace everlearn
