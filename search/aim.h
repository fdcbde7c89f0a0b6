// The loss that a metric asks of a learner's fit: where the metric is not of squared errors, learners with a parameter `loss` are to
// minimise the metric's own (Metric::aim).
//
// Pure, safe from any thread.
#pragma once

#include <string>

#include "search/cross_validation.h"

namespace everlearn {

// Sets what aims at a metric in place of the default loss, and of one that estimates a quantile, which only a metric asks for: another
// search's metric, where the candidate comes from experience. Any other loss was chosen, and stays; so does what the learner does not have.
// `metric`: a registered metric's name; empty: none. Where leaves are to be monotone, nothing is aimed at: they must stay where they were
// grown, which not every loss lets them.
void TakeAim(const std::string& metric, bool monotone, Candidate* candidate);

}  // namespace everlearn
