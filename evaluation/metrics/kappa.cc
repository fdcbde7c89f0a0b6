// Cohen's kappa: accuracy above that of predictions with the same frequencies drawn by chance. NaN where chance is always right.
#include <limits>

#include "evaluation/confusion.h"

namespace everlearn {
namespace {

double Kappa(const Scored& scored) {
  const Confusion confusion(scored);
  double chance = 0;
  for (size_t c = 0; c < scored.classes; ++c) chance += confusion.truth[c] * confusion.predicted[c];
  const double wrong_by_chance = confusion.total * confusion.total - chance;
  if (!(wrong_by_chance > 0)) return std::numeric_limits<double>::quiet_NaN();
  return 1 - (confusion.total - confusion.all_right) * confusion.total / wrong_by_chance;
}

const bool registered = Metrics().Add("kappa", {.summary = "Cohen's kappa: accuracy above chance with the same class frequencies",
                                                .higher_is_better = true,
                                                .binary = true,
                                                .multiclass = true,
                                                .compute = Kappa,
                                                .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
