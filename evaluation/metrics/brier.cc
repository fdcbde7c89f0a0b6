// Squared error of the probabilities (Brier 1950): of class 1 where there are two classes (in [0, 1]), summed over all classes where there
// are more (in [0, 2]). scikit-learn: brier_score_loss with scale_by_half="auto".
#include "evaluation/mean_loss.h"

namespace everlearn {
namespace {

const bool registered =
    Metrics().Add("brier", {.summary = "squared error of the probabilities: of class 1, or summed over more than two classes",
                            .higher_is_better = false,
                            .binary = true,
                            .multiclass = true,
                            .compute = [](const Scored& scored) { return MeanLoss(scored, RowBrier); },
                            .row_loss = RowBrier});

}  // namespace
}  // namespace everlearn
