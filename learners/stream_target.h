// What a linear model that learns row by row does with its target: the slopes of the loss by the scores, and scores as a prediction.
//
// Two classes have one score with the logistic loss, more share a softmax, and a value is standardised by its running mean and deviation,
// learnt with the squared loss and held inside the range that was seen, where one far from all others counts as less far
// (kernels/held_target.h). Belongs to one thread.
#pragma once

#include <limits>

#include "base/bytes.h"
#include "kernels/held_target.h"
#include "model/hashed_linear.h"

namespace everlearn {

class StreamTarget {
 public:
  explicit StreamTarget(size_t classes) : classes_(classes) {}

  size_t scores() const { return classes_ > 2 ? classes_ : 1; }
  Link link() const { return classes_ == 0 ? Link::kIdentity : classes_ == 2 ? Link::kSigmoid : Link::kSoftmax; }
  // The scores in `out`, which has room for the prediction, become the prediction.
  void Predict(double* out) const;
  // Learns the target, and turns the scores into the slopes of its loss by them.
  void Slopes(double target, double* scores);
  // The link of a model whose weights and biases, as they are here, are made those of predictions.
  void Complete(HashedLinearParameters* model) const;

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  size_t classes_;
  HeldTarget held_;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -std::numeric_limits<double>::infinity();
};

}  // namespace everlearn
