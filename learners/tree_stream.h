// What every learner that grows trees on a stream keeps of the stream itself: how its columns and its target lie so far, and with them how
// wrong a prediction was, from 0 to 1. Belongs to one thread.
#pragma once

#include "base/bytes.h"
#include "kernels/held_target.h"
#include "learner/learner.h"
#include "model/stream_leaves.h"
#include "statistics/temperature_scaling.h"

namespace everlearn {

class TreeStream {
 public:
  explicit TreeStream(const StreamShape& shape);

  const StreamScale& scale() const { return scale_; }
  void Prepare(const double* row, PreparedRow* out) const { PrepareRow(scale_, row, classes_ == 0, out); }
  // A target far from all others counts as less far; classes stay. The target is learnt.
  double LearnTarget(double target);
  // True where an early value turned out to be absurd: then what trees have learnt so far is to be forgotten.
  bool LearnColumns(const PreparedRow& row, double held_target);
  // 1 for a wrong class; of a value the error, where 3 deviations of the target are 1.
  double ErrorOf(const double* said, double target) const;
  // 1 for a wrong class; of a value the squared error in deviations of the target, where an outlier counts as less.
  double LossOf(const double* said, double target) const;

  // By how what was said came true: the power to which probabilities are to be taken. `said`: as they were before that.
  double sharpness() const { return temperature_.Get(); }
  void LearnSharpness(const double* said, double target);

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  size_t classes_;
  StreamScale scale_;
  std::vector<double> count_, squares_;  // with scale_, the running moments of the columns
  std::vector<double> category_count_;   // one an effect
  EarlyMoments early_columns_;
  HeldTarget targets_;
  TemperatureScaling temperature_;
  std::vector<double> scores_, sharpened_, numbers_;
};

}  // namespace everlearn
