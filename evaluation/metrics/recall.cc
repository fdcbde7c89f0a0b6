// Share of the rows of a class that are predicted as it: of class 1 where there are two classes, else averaged over the classes that occur
// or are predicted.
#include "evaluation/class_average.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) { return ClassAverage(scored, ClassesAveraged::kPositive, Recall); }

const bool registered =
    Metrics().Add("recall", {.summary = "share of rows of class 1 that are predicted as it, or averaged over the classes",
                             .higher_is_better = true,
                             .binary = true,
                             .multiclass = true,
                             .compute = Compute,
                             .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
