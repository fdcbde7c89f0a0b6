// Turns stated probabilities into true ones by what happened: a line over the log-odds, learnt one outcome at a time.
//
// Platt, Probabilistic outputs for support vector machines (1999), fitted by one Newton step an outcome with forgetting (recursive least
// squares on the logistic loss), so that it follows a model whose confidence changes. Starts as the identity. Value type; one thread.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace everlearn {

class PlattScaling {
 public:
  // The probability that is meant by a stated p in [0, 1].
  double Of(double p) const;
  void Add(double p, bool happened);
  // The same for a score that is taken for log-odds, finite and of a size of about 1.
  double OfLogOdds(double x) const;
  void AddLogOdds(double x, bool happened);
  // OfLogOdds(x) is the logistic function of slope() · x + offset().
  double slope() const { return slope_; }
  double offset() const { return offset_; }

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  static constexpr double kPrior = 10;  // curvature of the identity, as of some dozen outcomes
  double slope_ = 1, offset_ = 0;
  double slope_slope_ = kPrior, slope_offset_ = 0, offset_offset_ = kPrior;  // curvature of the forgetting sum of losses
};

}  // namespace everlearn
