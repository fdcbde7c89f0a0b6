// Tests of calibration: equal to scikit-learn's and SciPy's on stored cases (calibration_cases.py), chosen where it helps and only there.
#include "search/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "base/random.h"
#include "evaluation/metric.h"

namespace everlearn {
namespace {

using Method = Calibration::Method;

std::vector<double> Numbers(const Json& json) {
  std::vector<double> numbers;
  for (const Json& item : json.as_array()) {
    if (item.is_array()) {
      for (const double number : Numbers(item)) numbers.push_back(number);
    } else {
      numbers.push_back(item.to_number<double>());
    }
  }
  return numbers;
}

TEST(FitCalibration, EqualsScikitLearn) {
  const std::string path = EVERLEARN_SOURCE_DIR "/search/calibration_cases.json";
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  const Json stored = ParseJson(text.str(), path);
  size_t curves = 0;
  for (const Json& json : ArrayField(stored, "cases")) {
    const std::vector<double> truth = Numbers(Field(json, "truth")), predictions = Numbers(Field(json, "predictions")),
                              weights = Numbers(Field(json, "weights"));
    const CalibrationData data{truth, predictions, weights, predictions.size() / truth.size()};
    EXPECT_NEAR(FitCalibration(Method::kTemperature, data).slope[0], NumberField(json, "temperature"), 1e-5);
    if (data.classes > 2) continue;
    ++curves;
    const std::vector<double> platt = Numbers(Field(json, "platt")), at = Numbers(Field(json, "at")),
                              isotonic = Numbers(Field(json, "isotonic"));
    const Calibration line = FitCalibration(Method::kPlatt, data), curve = FitCalibration(Method::kIsotonic, data);
    EXPECT_NEAR(line.slope[0], platt[0], 1e-3);
    EXPECT_NEAR(line.offset[0], platt[1], 1e-3);
    for (size_t i = 0; i < at.size(); ++i) {
      const double p[2] = {1 - at[i], at[i]};
      double out[2];
      curve.Apply(p, out);
      EXPECT_NEAR(out[1], isotonic[i], 1e-9) << at[i];
    }
  }
  EXPECT_EQ(curves, 2);
}

struct Rows {
  std::vector<double> truth, predictions;
  size_t classes = 2;
  CalibrationData data() const { return {truth, predictions, {}, classes}; }
  double LogLossOf(const Calibration& calibration) const {
    std::vector<double> out(classes);
    double sum = 0;
    for (size_t i = 0; i < truth.size(); ++i) {
      calibration.Apply(&predictions[i * classes], out.data());
      sum += LogLoss(out.data(), static_cast<size_t>(truth[i]), classes);
    }
    return sum / static_cast<double>(truth.size());
  }
};

// Class 1 happens with probability `meant`(stated log-odds).
template <typename Meant>
Rows Binary(size_t count, uint64_t seed, const Meant& meant) {
  Rows rows;
  Random random(seed);
  for (size_t i = 0; i < count; ++i) {
    const double z = 2 * random.Normal(), p = 1 / (1 + std::exp(-z));
    rows.predictions.insert(rows.predictions.end(), {1 - p, p});
    rows.truth.push_back(random.Uniform() < meant(z) ? 1 : 0);
  }
  return rows;
}

double Sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

TEST(ChooseCalibration, FindsTheShapeThatIsMeant) {
  const auto overconfident = [](double z) { return Sigmoid(0.4 * z); };
  const auto shifted = [](double z) { return Sigmoid(z - 1.5); };
  const auto steps = [](double z) { return z < -1 ? 0.3 : z < 1.5 ? 0.35 : 0.95; };
  const Calibration temperature = ChooseCalibration(Binary(8'000, 1, overconfident).data(), false, 1);
  EXPECT_NE(temperature.method, Method::kNone);
  const Calibration platt = ChooseCalibration(Binary(8'000, 2, shifted).data(), false, 1);
  EXPECT_EQ(platt.method, Method::kPlatt);
  EXPECT_NEAR(platt.offset[0], -1.5, 0.1);
  EXPECT_EQ(ChooseCalibration(Binary(8'000, 3, steps).data(), false, 1).method, Method::kIsotonic);
  EXPECT_EQ(ChooseCalibration(Binary(8'000, 1, overconfident).data(), false, 1, [] { return true; }).method, Method::kNone);
  EXPECT_NE(ChooseCalibration(Binary(8'000, 3, steps).data(), true, 1).method, Method::kIsotonic);
  // And it helps on rows that nothing was fitted on.
  const Rows fresh = Binary(50'000, 4, overconfident);
  EXPECT_LT(fresh.LogLossOf(temperature), fresh.LogLossOf({.classes = 2}) - 0.05);
}

TEST(ChooseCalibration, LeavesWhatIsCalibrated) {
  int kept = 0;
  for (uint64_t seed = 0; seed < 40; ++seed)
    kept += ChooseCalibration(Binary(2'000, 100 + seed, Sigmoid).data(), false, seed).method == Method::kNone ? 1 : 0;
  EXPECT_GE(kept, 37);
  EXPECT_EQ(ChooseCalibration(Binary(20, 5, [](double) { return 0.5; }).data(), false, 1).method, Method::kNone);
}

TEST(ChooseCalibration, SeveralClassesAndRowsWithoutPrediction) {
  Rows rows;
  rows.classes = 3;
  Random random(6);
  for (int i = 0; i < 5'000; ++i) {
    double p[3], flat[3], sum = 0, flat_sum = 0;
    for (double& value : p) sum += value = std::exp(2 * random.Normal());
    for (int k = 0; k < 3; ++k) flat_sum += flat[k] = std::sqrt(p[k] / sum);
    const double u = random.Uniform() * flat_sum;
    rows.truth.push_back(u < flat[0] ? 0 : u < flat[0] + flat[1] ? 1 : 2);
    for (const double value : p) rows.predictions.push_back(i % 10 == 0 ? std::nan("") : value / sum);
  }
  const Calibration chosen = ChooseCalibration(rows.data(), false, 1);
  EXPECT_EQ(chosen.method, Method::kTemperature);
  EXPECT_NEAR(chosen.slope[0], 0.5, 0.03);
  EXPECT_EQ(ChooseCalibration(rows.data(), true, 1).method, Method::kNone);
}

}  // namespace
}  // namespace everlearn
