// constant: predicts the shares of the classes, or the mean; knows nothing of the features. The model that exists as soon as the data is
// read, and the reference that every other learner has to beat.
//
// Shares are estimated with half a row added to each class, so that a class that the rows lack is not impossible: Krichevsky & Trofimov,
// The performance of universal encoding, 1981. A row of weight 2 counts as two rows.
#include "learners/constant.h"

#include "model/constant.h"

namespace everlearn {

std::shared_ptr<const Model> FitConstant(const TrainingRows& training) {
  const Dataset& data = *training.data;
  if (data.classes() == 0) {
    double weights = 0, mean = 0;
    for (const uint32_t row : training.rows) {
      const double weight = data.weight(row);
      if (!(weight > 0)) continue;
      weights += weight;
      const double share = weight / weights;
      mean += data.target()[row] * share - mean * share;  // their difference might overflow
    }
    return MakeConstantModel(data.features(), {mean});
  }
  constexpr double kPriorRows = 0.5;
  std::vector<double> shares(data.classes(), kPriorRows);
  double sum = kPriorRows * static_cast<double>(data.classes());
  for (const uint32_t row : training.rows) {
    shares[static_cast<size_t>(data.target()[row])] += data.weight(row);
    sum += data.weight(row);
  }
  for (double& share : shares) share /= sum;
  return MakeConstantModel(data.features(), shares);
}

namespace {

const bool registered = Learners().Add(
    "constant",
    LearnerInfo{
        .summary = "Predicts the shares of the classes or the mean of the target; the reference that others have to beat.",
        .paper =
            "Krichevsky, R. and Trofimov, V. (1981). The performance of universal encoding. IEEE Transactions on Information Theory 27(2).",
        .binary = true,
        .multiclass = true,
        .regression = true,
        .weights = true,
        .baseline = true,
        .quick = true,
        // A pass over the targets: 3 ns a row.
        .cost_units = [](double rows, double, double, const ParameterValues&) { return 3e-7 * rows; },
        .fit = [](const TrainingRows& training, const ParameterValues&, const FitOptions&) { return FitConstant(training); }});

}  // namespace

}  // namespace everlearn
