// The blend: prediction with expert advice by fixed share (Herbster & Warmuth, Tracking the best expert, 1998).
//
// Classification mixes probabilities with Bayes weights (log-loss, learning rate 1); regression mixes values with the weights of Gaussian
// errors whose variance is the blend's own recent squared error. A small share of all weight is spread evenly after every outcome, so that
// a change of the best expert is followed. One thread; no allocation a row.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "loop/pending.h"

namespace everlearn {

class Blend {
 public:
  explicit Blend(size_t classes) : classes_(classes) {}

  // Experts are members of the roster; a new one begins with the average weight.
  void AddExpert(uint32_t member);
  void RemoveExpert(uint32_t member);
  bool HasExpert(uint32_t member) const;
  size_t size() const { return experts_.size(); }

  // Mixes the experts' predictions of this row (those of `members`, outputs numbers each) into `out`; false when none of them predicted.
  bool Predict(const std::vector<uint32_t>& members, const std::vector<double>& predictions, double* out) const;

  // An outcome: weights follow what the experts had predicted on that row, `self` is what the blend had predicted (null where it had not).
  void Learn(const PendingRow& row, double truth, const double* self);

  struct Expert {
    uint32_t member;
    double weight;
  };
  const std::vector<Expert>& experts() const { return experts_; }

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);

 private:
  size_t outputs() const { return classes_ == 0 ? 1 : classes_; }
  size_t classes_;
  double variance_ = 0;  // of the blend's error, regression
  double variance_rows_ = 0;
  std::vector<Expert> experts_;
};

}  // namespace everlearn
