// Rows of a class and predicted as it, as a share of those that are either (Jaccard 1901): of class 1 where there are two classes, else
// averaged over the classes that occur or are predicted.
#include "evaluation/class_average.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) {
  return ClassAverage(scored, ClassesAveraged::kPositive,
                      [](const ClassCount& count) { return count.right / (count.truth + count.predicted - count.right); });
}

const bool registered =
    Metrics().Add("jaccard", {.summary = "rows of and predicted as class 1 among those that are either, or averaged over the classes",
                              .higher_is_better = true,
                              .binary = true,
                              .multiclass = true,
                              .compute = Compute,
                              .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
