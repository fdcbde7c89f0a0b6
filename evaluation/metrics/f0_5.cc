// F-beta with beta 0.5, which leans to precision: of class 1 where there are two classes, else averaged over the classes that occur or are
// predicted.
#include "evaluation/class_average.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) {
  return ClassAverage(scored, ClassesAveraged::kPositive, [](const ClassCount& count) { return FBeta(count, 0.5); });
}

const bool registered = Metrics().Add("f0_5", {.summary = "f1 with precision weighing four times as much",
                                               .higher_is_better = true,
                                               .binary = true,
                                               .multiclass = true,
                                               .compute = Compute,
                                               .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
