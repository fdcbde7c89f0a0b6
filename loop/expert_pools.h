// Pools that refine a mix of experts: they learn weights of any sign and size, so they also calibrate, where a mix only averages.
//
// Classes: log-linear pools (Genest & Zidek, Combining probability distributions, 1986; weights learned online as in Mattern, Mixing
// strategies in data compression, 2012): the score of class k is w0·ln p_mix(k) + Σ w_e·ln p_e(k) + b_k, begun at the mix itself, one pool
// a step size. Numbers: least squares of the mix's error on what the experts deviate from it, with forgetting and a ridge towards the mix.
//
// One thread changes it, any number may call Predict meanwhile on a copy; no allocation a row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace everlearn {

class ExpertPools {
 public:
  explicit ExpertPools(size_t classes);  // 0: regression

  size_t pools() const { return pools_; }
  size_t experts() const { return experts_; }
  void AddExpert();  // experts are numbered as they were added

  // `experts`: each one's prediction, null where it has none. `mix`: one number a class, or one; `out`: so many a pool.
  void Predict(const double* mix, std::span<const double* const> experts, double* out) const;
  // An outcome: a class, or a number; `variance` is that of the mix's error (numbers); steps are `rate` times as long as usual (classes).
  void Learn(const double* mix, std::span<const double* const> experts, double truth, double variance, double rate);

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  size_t inputs() const { return experts_ + 1; }  // of a pool: the mix and the experts; numbers: a constant and the experts
  void ReadInputs(const double* mix, std::span<const double* const> experts, double* values) const;
  void PredictFrom(const double* mix, const double* values, double* out) const;
  void LearnClasses(std::span<const double* const> experts, const double* values, double truth, double rate, double* predictions);
  void LearnNumber(double error, double scale, double* values);
  void Solve();

  size_t classes_, pools_;
  size_t experts_ = 0;
  std::vector<double> weights_;          // pools × inputs
  std::vector<double> bias_;             // pools × classes
  std::vector<double> moments_, cross_;  // numbers: inputs × inputs and inputs, with forgetting
};

}  // namespace everlearn
