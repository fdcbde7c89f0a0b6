// Share of the rows predicted as a class that are of it: of class 1 where there are two classes, else averaged over the classes that occur
// or are predicted.
#include "evaluation/class_average.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) { return ClassAverage(scored, ClassesAveraged::kPositive, Precision); }

const bool registered =
    Metrics().Add("precision", {.summary = "share of rows predicted as class 1 that are of it, or averaged over the classes",
                                .higher_is_better = true,
                                .binary = true,
                                .multiclass = true,
                                .compute = Compute,
                                .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
