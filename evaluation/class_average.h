// Measures of single classes (precision, recall and what is made of them), averaged over the classes as scikit-learn does.
#pragma once

#include <limits>

#include "evaluation/confusion.h"

namespace everlearn {

struct ClassCount {
  double right = 0, truth = 0, predicted = 0;  // weighted rows: of the class and predicted; of the class; predicted
};

enum class ClassesAveraged {
  kPositive,  // class 1 alone where there are two classes, else as kMacro
  kMacro,     // every class that occurs or is predicted, alike
  kWeighted,  // every class by the weight of its rows
};

// `measure`(ClassCount) is asked only of classes that occur or are predicted. 0 where there is none of those, NaN without rows.
template <typename Measure>
double ClassAverage(const Scored& scored, ClassesAveraged averaged, const Measure& measure) {
  const Confusion confusion(scored);
  if (confusion.total == 0) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0, shares = 0;
  for (size_t c = averaged == ClassesAveraged::kPositive && scored.classes == 2 ? 1 : 0; c < scored.classes; ++c) {
    const ClassCount count{confusion.right[c], confusion.truth[c], confusion.predicted[c]};
    if (count.truth + count.predicted == 0) continue;
    const double share = averaged == ClassesAveraged::kWeighted ? count.truth : 1;
    sum += share * measure(count);
    shares += share;
  }
  return shares == 0 ? 0 : sum / shares;
}

// 0 where the class is never predicted, or never occurs.
inline double Precision(const ClassCount& count) { return count.predicted == 0 ? 0 : count.right / count.predicted; }
inline double Recall(const ClassCount& count) { return count.truth == 0 ? 0 : count.right / count.truth; }

// Harmonic mean of precision and recall, recall weighing beta² times as much (van Rijsbergen, Information Retrieval, 1979).
inline double FBeta(const ClassCount& count, double beta) {
  return (1 + beta * beta) * count.right / (beta * beta * count.truth + count.predicted);
}

}  // namespace everlearn
