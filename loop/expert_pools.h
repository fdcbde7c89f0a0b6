// Pools that refine a mix of experts: they learn weights of any sign and size, so they also calibrate, where a mix only averages.
//
// Classes: log-linear pools (Genest & Zidek, Combining probability distributions, 1986; weights learned online as in Mattern, Mixing
// strategies in data compression, 2012): the score of class k is w0·ln p_mix(k) + Σ w_e·ln p_e(k) + b_k, begun at the mix itself, one pool
// a step size. Numbers: least squares of the mix's error on what the experts deviate from it, with forgetting and a ridge towards the mix.
//
// What is given is a mixture, by fixed share, of the mix and the pools: its cumulative log-loss is at most that of the mix, or of any pool,
// plus ln N + T·ln(1/(1−share)) over T outcomes, N the number of parties. One thread changes it, any number may call Predict meanwhile on a
// copy; no allocation a row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace everlearn {

class ExpertPools {
 public:
  explicit ExpertPools(size_t classes);  // 0: regression

  // Experts are numbered as they were added.
  void AddExpert();

  // `experts`: each one's prediction, null where it has none. `mix` and `out`: one number a class, or one.
  void Predict(const double* mix, std::span<const double* const> experts, double* out) const;
  // An outcome: a class, or a number; `variance` is that of the mix's error (numbers).
  void Learn(const double* mix, std::span<const double* const> experts, double truth, double variance);

  size_t experts() const { return experts_; }
  // Shares of the mix and of the pools; they sum to 1.
  std::span<const double> shares() const { return shares_; }

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  size_t outputs() const { return classes_ == 0 ? 1 : classes_; }
  size_t inputs() const { return experts_ + 1; }  // of a pool: the mix and the experts; numbers: the experts and a constant
  struct Row;
  static Row& RowAtHand();
  void PredictAll(const double* mix, std::span<const double* const> experts, Row* row) const;
  void LearnClasses(double truth, Row* row);
  void LearnNumber(const double* mix, double truth, double variance, Row* row);
  void Solve();

  size_t classes_;
  size_t experts_ = 0;
  std::vector<double> shares_;
  std::vector<double> weights_;          // pools × inputs
  std::vector<double> bias_;             // pools × classes
  std::vector<double> moments_, cross_;  // numbers: inputs × inputs and inputs, with forgetting
};

}  // namespace everlearn
