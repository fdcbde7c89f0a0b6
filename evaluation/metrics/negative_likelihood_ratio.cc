// How much likelier class 0 is predicted for rows of class 1 than for others: misses ÷ rejections. Lower is better.
// NaN where one class is missing or class 0 is never predicted for its rows.
#include <limits>

#include "evaluation/confusion.h"

namespace everlearn {
namespace {

double LikelihoodRatio(const Scored& scored) {
  const Confusion confusion(scored);
  const double positives = confusion.truth[1], negatives = confusion.truth[0];
  const double misses = positives - confusion.right[1], rejections = confusion.right[0];
  if (positives == 0 || rejections == 0) return std::numeric_limits<double>::quiet_NaN();
  return (misses / positives) / (rejections / negatives);
}

const bool registered = Metrics().Add("negative_likelihood_ratio", {.summary = "misses of class 1 divided by the recall of class 0",
                                                                    .higher_is_better = false,
                                                                    .binary = true,
                                                                    .compute = LikelihoodRatio,
                                                                    .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
