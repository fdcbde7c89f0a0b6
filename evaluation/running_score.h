// Test-then-train scores of one member of the roster as outcomes arrive: sums only, a few dozen nanoseconds a row.
//
// One thread. Kappa-temporal compares with predicting the outcome that was last known when the prediction was made (Žliobaitė et al. 2015).
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"

namespace everlearn {

class RunningScore {
 public:
  explicit RunningScore(size_t classes = 0) : classes_(classes), predicted_(classes), true_(classes) {}

  // `prediction`: a probability for each class, or a value. `no_change`: the class (or value) that was last known when the prediction was
  // made; NaN where none was, and then the row is left out of kappa_temporal.
  void Add(const double* prediction, double truth, double no_change);

  // A row that was added with `old_truth` counts with `truth` instead. kappa_temporal stays as it was: it depends on the order of outcomes.
  void Correct(const double* prediction, double old_truth, double truth);

  uint64_t rows() const { return rows_; }
  // What the outcomes were so far, as a prediction: the shares of the classes, one added to each, or the mean; of two probabilities the
  // first is what the second leaves, as in stored ones.
  void Usual(double* prediction) const;
  // By metric name: log_loss, brier, accuracy, kappa, kappa_temporal; mae, rmse, mse, r2, mape. NaN where it is not among them or not
  // defined.
  double Value(std::string_view metric) const;
  static bool Knows(std::string_view metric);
  // accuracy, kappa, kappa_temporal, log_loss; or mae, rmse, r2.
  JsonObject ToJson() const;

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  double Kappa() const;

  size_t classes_;
  uint64_t rows_ = 0;
  double log_loss_ = 0, brier_ = 0;
  uint64_t right_ = 0;
  uint64_t compared_ = 0, compared_right_ = 0, no_change_right_ = 0;  // of the rows where an earlier outcome was known
  std::vector<uint64_t> predicted_, true_;                            // by class
  // A sum that keeps what is small beside something huge, which may be taken back again (Neumaier, 1974).
  struct Sum {
    double value = 0, rest = 0;
    void Add(double x);
    double Get() const { return value + rest; }
  };
  Sum absolute_, squared_, relative_;
  double first_truth_ = 0, truth_mean_ = 0, truth_spread_ = 0;  // Welford, on distances from the first truth to keep digits
};

}  // namespace everlearn
