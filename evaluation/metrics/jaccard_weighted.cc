// Rows of a class and predicted as it, as a share of those that are either (Jaccard 1901), averaged by the rows of the class.
#include "evaluation/class_average.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) {
  return ClassAverage(scored, ClassesAveraged::kWeighted,
                      [](const ClassCount& count) { return count.right / (count.truth + count.predicted - count.right); });
}

const bool registered = Metrics().Add(
    "jaccard_weighted", {.summary = "rows of and predicted as a class among those that are either, averaged over the classes by their rows",
                         .higher_is_better = true,
                         .binary = true,
                         .multiclass = true,
                         .compute = Compute,
                         .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
