// Share of the absolute error of the median that is saved. Where the truth is constant: 1 when it is met exactly, else 0, as scikit-learn
// has it; NaN below two rows. Equal to scikit-learn's d2_pinball_score with alpha=0.5.
#include "evaluation/share_explained.h"
#include "evaluation/weighted_median.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) {
  const double median = WeightedMedian({scored.truth.begin(), scored.truth.end()}, scored.weights);
  return ShareExplained(scored, &median, AbsoluteError);
}

const bool registered = Metrics().Add("d2_absolute_error", {.summary = "share of the absolute error of the median that is saved",
                                                            .higher_is_better = true,
                                                            .regression = true,
                                                            .compute = Compute,
                                                            .row_loss = AbsoluteError,
                                                            .aim = {{"loss", "absolute"}}});

}  // namespace
}  // namespace everlearn
