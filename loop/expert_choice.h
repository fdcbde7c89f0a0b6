// A mix of the experts and of what was blended of them by how often the class that each said was right, for outcomes that are late.
//
// A blend by log-loss is right in the mean, but outcomes that come a delay after their rows make it sure of what was true a delay ago, and
// it follows experts that are seldom sure where others are right more often. Here voices are mixed by hedging (Freund & Schapire, A
// decision-theoretic generalization of on-line learning, 1997) on hits and misses, in two layers: the blend and the experts at several
// rates, and the rates among each other, at a rate of their own. A step is rate / √((1 + delay) (V₀ + V)), V the sum so far of the variance
// of a miss among the voices: steps are shorter where voices often differ (Cesa-Bianchi, Mansour & Stoltz, Improved second-order bounds for
// prediction with expert advice, 2007), and the later outcomes are (Joulani, György & Szepesvári, Online learning under delayed feedback,
// 2013). A small share goes back to what was there at first, as in fixed share (Herbster & Warmuth, Tracking the best expert, 1998).
//
// One thread changes it, any number may call Predict meanwhile on a copy; no allocation a row.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace everlearn {

class ExpertChoice {
 public:
  static constexpr std::array<double, 3> kRates = {2, 4, 8};
  static constexpr size_t kSaid = 1 + kRates.size();  // numbers a row that Learn wants back

  explicit ExpertChoice(size_t classes);  // at least two

  // Experts are numbered as they were added. One that joins later begins with the share that it would have had at first.
  void AddExpert();

  // `blended`: a probability a class; `experts`: the same of each expert, null where it is silent. `out`: a probability a class.
  // `said`: kSaid numbers, the classes that the blend and each rate said.
  void Predict(const double* blended, std::span<const double* const> experts, double* out, double* said) const;
  // An outcome, `delay` rows after its row: what Predict put into `said`, and what the experts had said.
  void Learn(const double* said, std::span<const double* const> experts, double truth, double delay);

  // Of an expert in what is said.
  double Share(size_t expert) const { return MeanShare(expert + 1); }
  double BlendShare() const { return MeanShare(0); }
  size_t experts() const { return voices_.size() - 1; }

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);  // throws kDamaged

 private:
  using Shares = std::array<double, kRates.size()>;
  double MeanShare(size_t voice) const;
  double FirstShare(size_t voice) const;

  size_t classes_;
  double variance_ = 0;         // V
  Shares rates_;                // of the rates
  std::vector<Shares> voices_;  // of the blend, then the experts
};

}  // namespace everlearn
