// Tests of the measures: equal to scikit-learn's on stored cases (metric_cases.py), complete, and NaN where they are not defined.
#include "evaluation/metric.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "evaluation/running_score.h"

namespace everlearn {
namespace {

struct Case {
  std::string name;
  size_t classes;
  std::vector<double> truth, predictions, weights;
  JsonObject measures;

  Scored scored() const { return {truth, predictions, classes, weights}; }
  TaskKind kind() const { return classes == 0 ? TaskKind::kRegression : classes == 2 ? TaskKind::kBinary : TaskKind::kMulticlass; }
};

std::vector<double> Numbers(const Json& json) {
  std::vector<double> numbers;
  for (const Json& number : json.as_array()) numbers.push_back(number.to_number<double>());
  return numbers;
}

std::vector<Case> StoredCases() {
  const std::string path = EVERLEARN_SOURCE_DIR "/evaluation/metric_cases.json";
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  std::vector<Case> cases;
  const Json stored = ParseJson(text.str(), path);
  for (const Json& json : stored.as_array()) {
    cases.push_back({TextField(json, "name"), static_cast<size_t>(IntegerField(json, "classes")), Numbers(Field(json, "truth")),
                     Numbers(Field(json, "predictions")), Numbers(Field(json, "weights")), Field(json, "measures").as_object()});
  }
  return cases;
}

void ExpectEqual(double actual, const Json& expected, const std::string& what) {
  if (expected.is_null()) {
    EXPECT_TRUE(std::isnan(actual)) << what << " is " << actual;
  } else {
    const double value = expected.to_number<double>();
    EXPECT_NEAR(actual, value, 1e-12 * std::max(1.0, std::abs(value))) << what;
  }
}

TEST(Metrics, EqualScikitLearn) {
  const std::vector<Case> cases = StoredCases();
  ASSERT_EQ(cases.size(), 14u);
  for (const Case& stored : cases) {
    const JsonObject measures = AllMeasures(stored.scored(), stored.kind());
    EXPECT_EQ(measures.size(), stored.measures.size()) << stored.name;
    for (const auto& [metric, expected] : stored.measures) {
      ASSERT_TRUE(measures.contains(metric)) << metric;
      ExpectEqual(measures.at(metric).as_double(), expected, stored.name + ": " + std::string(metric));
    }
  }
}

TEST(Metrics, AreTheFilesOfTheirFolder) {
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(EVERLEARN_SOURCE_DIR "/evaluation/metrics")) {
    files.insert(entry.path().stem().string());
  }
  const std::vector<std::string> names = Metrics().Names();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()), files);
  for (const std::string& name : names) {
    const Metric& metric = Metrics().Get(name);
    EXPECT_FALSE(metric.summary.empty()) << name;
    EXPECT_TRUE(metric.binary || metric.multiclass || metric.regression) << name;
  }
}

TEST(Metrics, AreNotDefinedWithoutRows) {
  for (const std::string& name : Metrics().Names()) {
    const Metric& metric = Metrics().Get(name);
    for (const size_t classes : {0, 2, 3}) {
      if (metric.fits(classes == 0 ? TaskKind::kRegression : classes == 2 ? TaskKind::kBinary : TaskKind::kMulticlass)) {
        EXPECT_TRUE(std::isnan(metric.compute({{}, {}, classes}))) << name;
      }
    }
  }
}

TEST(Metrics, RowLossesAverageToTheMetric) {
  for (const Case& stored : StoredCases()) {
    for (const auto& [name, expected] : stored.measures) {
      const Metric& metric = Metrics().Get(name);
      if (!metric.row_loss || !stored.weights.empty()) continue;
      double sum = 0;
      for (size_t i = 0; i < stored.truth.size(); ++i) {
        sum += metric.row_loss(&stored.predictions[i * std::max<size_t>(stored.classes, 1)], stored.truth[i], stored.classes);
      }
      double mean = sum / static_cast<double>(stored.truth.size());
      if (name == "r2" || name.starts_with("d2_")) continue;  // relative to the loss of a constant
      if (name.ends_with("accuracy")) mean = 1 - mean;
      if (name == "rmse") mean = std::sqrt(mean);
      ExpectEqual(mean, expected, stored.name + ": " + std::string(name));
    }
  }
}

// Measures of the predicted class see a decision as if the probabilities had been multiplied by its weights; the others do not see it.
TEST(Metrics, OfTheClassObeyTheDecision) {
  const std::set<std::string> of_probabilities = {"auc",         "auc_ovo",  "auc_weighted", "average_precision", "brier",
                                                  "d2_log_loss", "d2_brier", "hinge",        "log_loss"};
  for (const Case& stored : StoredCases()) {
    if (stored.classes == 0) continue;
    Scored decided = stored.scored();
    std::vector<double> decision, multiplied = stored.predictions;
    for (size_t c = 0; c < stored.classes; ++c) decision.push_back(c % 2 == 0 ? 4 : 0.5);
    for (size_t i = 0; i < multiplied.size(); ++i) multiplied[i] *= decision[i % stored.classes];
    decided.decision = decision;
    const JsonObject plain = AllMeasures(stored.scored(), stored.kind());
    const JsonObject expected = AllMeasures({stored.truth, multiplied, stored.classes, stored.weights}, stored.kind());
    for (const auto& [name, value] : AllMeasures(decided, stored.kind())) {
      if (name == "calibration_error") continue;  // of the predicted class, but by its probability as it is
      const double same = (of_probabilities.contains(std::string(name)) ? plain : expected).at(name).as_double();
      ExpectEqual(value.as_double(), std::isnan(same) ? Json() : Json(same), stored.name + ": " + std::string(name));
    }
  }
}

TEST(Metrics, ChooseTheFirstOfTheLargest) {
  const double probabilities[] = {0.2, 0.4, 0.4};
  EXPECT_EQ(PredictedClass(probabilities, 3), 1u);
}

TEST(Metrics, HoldProbabilitiesAwayFromZeroAndOne) {
  const double certain[] = {0.0, 1.0};
  EXPECT_DOUBLE_EQ(LogLoss(certain, 0, 2), -std::log(1e-15));
  EXPECT_DOUBLE_EQ(LogLoss(certain, 1, 2), -std::log(1 - 1e-15));
}

TEST(RunningScore, EqualsTheBatchMeasures) {
  for (const Case& stored : StoredCases()) {
    if (!stored.weights.empty()) continue;
    RunningScore score(stored.classes);
    double before = std::nan("");
    for (size_t i = 0; i < stored.truth.size(); ++i) {
      score.Add(&stored.predictions[i * std::max<size_t>(stored.classes, 1)], stored.truth[i], before);
      before = stored.truth[i];
    }
    EXPECT_EQ(score.rows(), stored.truth.size());
    size_t known = 0;
    for (const auto& [metric, value] : AllMeasures(stored.scored(), stored.kind())) {
      if (!RunningScore::Knows(metric)) {
        EXPECT_TRUE(std::isnan(score.Value(metric)));
        continue;
      }
      ++known;
      ExpectEqual(score.Value(metric), std::isnan(value.as_double()) ? Json() : value, stored.name + ": " + std::string(metric));
    }
    EXPECT_EQ(known, 5u);
    EXPECT_EQ(score.ToJson().size(), stored.classes == 0 ? 3u : 4u);
  }
}

TEST(RunningScore, IsNotDefinedWithoutRows) {
  EXPECT_TRUE(std::isnan(RunningScore(2).Value("accuracy")));
  EXPECT_TRUE(std::isnan(RunningScore(0).Value("rmse")));
  EXPECT_TRUE(std::isnan(RunningScore(2).Value("rmse")));
  EXPECT_EQ(ToText(RunningScore(0).ToJson()), R"({"mae": null, "rmse": null, "r2": null})");
}

TEST(RunningScore, ContinuesBitForBitAfterLoading) {
  for (const Case& stored : StoredCases()) {
    RunningScore score(stored.classes);
    for (size_t i = 0; i < stored.truth.size(); ++i) {
      ByteWriter out;
      score.Save(&out);
      RunningScore loaded;
      ByteReader in(out.bytes());
      loaded.Load(&in);
      EXPECT_TRUE(in.done());
      const double* prediction = &stored.predictions[i * std::max<size_t>(stored.classes, 1)];
      score.Add(prediction, stored.truth[i], i == 0 ? std::nan("") : stored.truth[i - 1]);
      loaded.Add(prediction, stored.truth[i], i == 0 ? std::nan("") : stored.truth[i - 1]);
      ByteWriter one, other;
      score.Save(&one);
      loaded.Save(&other);
      ASSERT_EQ(one.bytes(), other.bytes());
    }
  }
}

}  // namespace
}  // namespace everlearn
