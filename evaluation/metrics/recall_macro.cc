// Share of the rows of a class that are predicted as it, averaged over the classes that occur or are predicted
// (balanced_accuracy: over those that occur).
#include "evaluation/class_average.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) { return ClassAverage(scored, ClassesAveraged::kMacro, Recall); }

const bool registered =
    Metrics().Add("recall_macro", {.summary = "share of rows of a class that are predicted as it, averaged over the classes",
                                   .higher_is_better = true,
                                   .binary = true,
                                   .multiclass = true,
                                   .compute = Compute,
                                   .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
