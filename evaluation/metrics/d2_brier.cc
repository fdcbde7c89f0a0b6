// Share of the Brier score of the class frequencies that the probabilities save (Brier skill score). NaN where one class occurs or below
// two rows.
#include "evaluation/share_explained.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) { return ShareExplainedOfClasses(scored, RowBrier); }

const bool registered = Metrics().Add("d2_brier", {.summary = "share of the Brier score of the class frequencies that is saved",
                                                   .higher_is_better = true,
                                                   .binary = true,
                                                   .multiclass = true,
                                                   .compute = Compute,
                                                   .row_loss = RowBrier});

}  // namespace
}  // namespace everlearn
