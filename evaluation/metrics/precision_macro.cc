// Share of the rows predicted as a class that are of it, averaged over the classes that occur or are predicted.
#include "evaluation/class_average.h"

namespace everlearn {
namespace {

double Compute(const Scored& scored) { return ClassAverage(scored, ClassesAveraged::kMacro, Precision); }

const bool registered =
    Metrics().Add("precision_macro", {.summary = "share of rows predicted as a class that are of it, averaged over the classes",
                                      .higher_is_better = true,
                                      .binary = true,
                                      .multiclass = true,
                                      .compute = Compute,
                                      .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
