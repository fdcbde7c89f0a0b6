// How much likelier class 1 is predicted for rows of it than for others: recall ÷ false alarms.
// NaN where one class is missing or nothing is a false alarm.
#include <limits>

#include "evaluation/confusion.h"

namespace everlearn {
namespace {

double LikelihoodRatio(const Scored& scored) {
  const Confusion confusion(scored);
  const double positives = confusion.truth[1], negatives = confusion.truth[0];
  const double hits = confusion.right[1], false_alarms = negatives - confusion.right[0];
  if (positives == 0 || false_alarms == 0) return std::numeric_limits<double>::quiet_NaN();
  return (hits / positives) / (false_alarms / negatives);
}

const bool registered = Metrics().Add("positive_likelihood_ratio", {.summary = "recall of class 1 divided by its false alarms",
                                                                    .higher_is_better = true,
                                                                    .binary = true,
                                                                    .compute = LikelihoodRatio,
                                                                    .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
