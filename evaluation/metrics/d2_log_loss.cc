// Share of the log-loss of the class frequencies that the probabilities save. NaN where one class occurs or below two rows.
#include "evaluation/share_explained.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) { return ShareExplainedOfClasses(scored, RowLogLoss); }

const bool registered = Metrics().Add("d2_log_loss", {.summary = "share of the log-loss of the class frequencies that is saved",
                                                      .higher_is_better = true,
                                                      .binary = true,
                                                      .multiclass = true,
                                                      .compute = Compute,
                                                      .row_loss = RowLogLoss});

}  // namespace
}  // namespace everlearn
