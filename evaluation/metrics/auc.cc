// Area under the receiver operating characteristic: the chance that a row of the class scores above one of the others, ties half. Of class
// 1; or the mean of each class against the rest, over the classes that occur.
#include "evaluation/thresholds.h"

namespace everlearn {
namespace {

const bool registered = Metrics().Add("auc", {.summary = "area under the ROC curve of class 1, or the mean of each class against the rest",
                                              .higher_is_better = true,
                                              .binary = true,
                                              .multiclass = true,
                                              .compute = [](const Scored& scored) { return OneAgainstRest(scored, AreaUnderRoc); },
                                              .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
