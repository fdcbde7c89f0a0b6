// Area under the ROC curve of each pair of classes that occur, on their rows alone, averaged over pairs and over which of the two is sought
// (Hand and Till 2001): insensitive to how frequent the classes are.
#include <cmath>
#include <vector>

#include "evaluation/thresholds.h"

namespace everlearn {
namespace {

// Of `a` sought among the rows of `a` and `b`; NaN where one of them does not occur.
double PairArea(const Scored& scored, const std::vector<std::vector<size_t>>& rows, size_t a, size_t b) {
  std::vector<double> truth, predictions, weights;
  for (const size_t c : {a, b}) {
    for (const size_t i : rows[c]) {
      truth.push_back(c == a ? 1 : 0);
      predictions.insert(predictions.end(), {0, scored.predictions[i * scored.classes + a]});
      weights.push_back(scored.weight(i));
    }
  }
  return OneAgainstRest({truth, predictions, 2, weights}, AreaUnderRoc);
}

double Compute(const Scored& scored) {
  std::vector<std::vector<size_t>> rows(scored.classes);
  for (size_t i = 0; i < scored.rows(); ++i) rows[static_cast<size_t>(scored.truth[i])].push_back(i);
  double sum = 0;
  size_t count = 0;
  for (size_t a = 0; a < scored.classes; ++a) {
    for (size_t b = 0; b < scored.classes; ++b) {
      if (a == b || rows[a].empty() || rows[b].empty()) continue;
      const double area = PairArea(scored, rows, a, b);
      if (std::isnan(area)) continue;  // all rows of one have no weight
      sum += area;
      ++count;
    }
  }
  return sum / static_cast<double>(count);
}

const bool registered = Metrics().Add("auc_ovo", {.summary = "area under the ROC curve, the mean over pairs of classes",
                                                  .higher_is_better = true,
                                                  .multiclass = true,
                                                  .compute = Compute,
                                                  .row_loss = nullptr});

}  // namespace
}  // namespace everlearn
