// The blend: prediction with expert advice by fixed share (Herbster & Warmuth, Tracking the best expert, 1998), refined by pools
// (expert_pools.h).
//
// Classification mixes probabilities with Bayes weights (log-loss, learning rate 1); regression mixes values with the weights of Gaussian
// errors whose variance is the mix's own recent squared error. A small share of all weight is spread evenly after every outcome, so that
// a change of the best expert is followed: over T outcomes the mix's cumulative log-loss exceeds that of any sequence of experts with k
// changes by at most (k+1) ln n + k ln(1/share) + (T−k−1) ln(1/(1−share)), the blend's that of the mix by the bound in expert_pools.h.
// One thread changes it, any number may call Predict meanwhile on a copy; no allocation a row.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "loop/expert_pools.h"
#include "loop/pending.h"

namespace everlearn {

class Blend {
 public:
  explicit Blend(size_t classes) : classes_(classes), pools_(classes) {}

  // Experts are members of the roster; a new one begins with the average weight.
  void AddExpert(uint32_t member);
  // Another member of the same lineage takes an expert's place and its weights.
  void ReplaceExpert(uint32_t member, uint32_t by);
  bool HasExpert(uint32_t member) const;
  size_t size() const { return experts_.size(); }

  // Mixes the experts' predictions of this row (those of `members`, outputs numbers each) into `out`; false when none of them predicted.
  bool Predict(const std::vector<uint32_t>& members, const std::vector<double>& predictions, double* out) const;

  // An outcome: weights follow what the experts had predicted on that row.
  void Learn(const PendingRow& row, double truth);

  struct Expert {
    uint32_t member;
    double weight;
  };
  const std::vector<Expert>& experts() const { return experts_; }
  const ExpertPools& pools() const { return pools_; }

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);

 private:
  size_t outputs() const { return classes_ == 0 ? 1 : classes_; }
  // The experts' predictions (null: none) and their mix; false when none of them predicted.
  bool Mix(const std::vector<uint32_t>& members, const std::vector<double>& predictions, std::vector<const double*>* advice,
           std::vector<double>* mix) const;

  size_t classes_;
  double variance_ = 0;  // of the mix's error, regression
  double variance_rows_ = 0;
  std::vector<Expert> experts_;
  ExpertPools pools_;
};

}  // namespace everlearn
