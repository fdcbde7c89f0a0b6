// F-beta with beta 2, which leans to recall: of class 1 where there are two classes, else averaged over the classes that occur or are
// predicted.
#include "evaluation/class_average.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) {
  return ClassAverage(scored, ClassesAveraged::kPositive, [](const ClassCount& count) { return FBeta(count, 2); });
}

const bool registered = Metrics().Add("f2", {.summary = "f1 with recall weighing four times as much",
                                             .higher_is_better = true,
                                             .binary = true,
                                             .multiclass = true,
                                             .compute = Compute,
                                             .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
