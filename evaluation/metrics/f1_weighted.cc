// Harmonic mean of precision and recall of each class, averaged by the rows of the class.
#include "evaluation/class_average.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) {
  return ClassAverage(scored, ClassesAveraged::kWeighted, [](const ClassCount& count) { return FBeta(count, 1); });
}

const bool registered =
    Metrics().Add("f1_weighted", {.summary = "harmonic mean of precision and recall, averaged over the classes by their rows",
                                  .higher_is_better = true,
                                  .binary = true,
                                  .multiclass = true,
                                  .compute = Compute,
                                  .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
