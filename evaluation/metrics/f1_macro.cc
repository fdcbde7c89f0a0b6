// Harmonic mean of precision and recall of each class, averaged over the classes that occur or are predicted.
#include "evaluation/class_average.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) {
  return ClassAverage(scored, ClassesAveraged::kMacro, [](const ClassCount& count) { return FBeta(count, 1); });
}

const bool registered =
    Metrics().Add("f1_macro", {.summary = "harmonic mean of precision and recall, averaged over the classes, two as well",
                               .higher_is_better = true,
                               .binary = true,
                               .multiclass = true,
                               .compute = Compute,
                               .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
