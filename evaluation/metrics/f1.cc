// Harmonic mean of precision and recall: of class 1 where there are two classes, else averaged over the classes that occur or are
// predicted. 0 where none does, as scikit-learn has it.
#include "evaluation/class_average.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) {
  return ClassAverage(scored, ClassesAveraged::kPositive, [](const ClassCount& count) { return FBeta(count, 1); });
}

const bool registered = Metrics().Add("f1", {.summary = "harmonic mean of precision and recall of class 1, or averaged over the classes",
                                             .higher_is_better = true,
                                             .binary = true,
                                             .multiclass = true,
                                             .compute = Compute,
                                             .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
