// Share of the rows predicted as a class that are of it, averaged by the rows of the class.
#include "evaluation/class_average.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) { return ClassAverage(scored, ClassesAveraged::kWeighted, Precision); }

const bool registered = Metrics().Add(
    "precision_weighted", {.summary = "share of rows predicted as a class that are of it, averaged over the classes by their rows",
                           .higher_is_better = true,
                           .binary = true,
                           .multiclass = true,
                           .compute = Compute,
                           .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
