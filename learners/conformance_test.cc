// The conformance suite: every check over every registered learner, once for each kind of task that it supports (design.md, contract 2).
//
// A learner that cannot pass a check says so in its own file: LearnerInfo::exceptions, "check: reason", where the check is the name of
// one of the tests below.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "base/random.h"
#include "learner/learner.h"

namespace everlearn {
namespace {

constexpr double kHuge = 1e308;

struct Subject {
  std::string learner;
  size_t classes;
  std::string style = "";  // a boolean parameter that is on, and makes a model of another kind
};

std::string SubjectName(const Subject& subject) {
  return subject.learner + (subject.style.empty() ? "" : "_" + subject.style) +
         (subject.classes == 0   ? "_regression"
          : subject.classes == 2 ? "_binary"
                                 : "_multiclass");
}
void PrintTo(const Subject& subject, std::ostream* out) { *out << SubjectName(subject); }

std::vector<Subject> AllSubjects() {
  std::vector<Subject> subjects;
  for (const std::string& name : Learners().Names())
    for (const size_t classes : {0, 2, 3})
      if (Learners().Get(name).supports(classes)) subjects.push_back({name, classes});
  for (const size_t classes : {0, 2, 3}) subjects.push_back({"gradient_boosting", classes, "linear_leaves"});
  return subjects;
}

// Rows of two numbers that matter, one that is noise and partly missing, and a category that matters.
struct Rows {
  std::vector<bool> is_category{false, false, false, true};
  std::vector<size_t> dictionary_sizes{0, 0, 0, 6};
  std::vector<double> values, target, weights;
  size_t classes = 0;

  size_t count() const { return target.size(); }
  Dataset Data() const { return Dataset(is_category, dictionary_sizes, values, target, weights, classes); }
};

Rows MakeRows(size_t count, size_t classes, uint64_t seed = 1) {
  Rows rows;
  rows.classes = classes;
  Random random(seed);
  for (size_t i = 0; i < count; ++i) {
    const double a = random.Normal(), b = random.Uniform(), noise = random.Uniform() < 0.2 ? kMissing : random.Normal();
    const auto category = static_cast<double>(random.Below(6));
    const double score = 2 * a - 3 * (b - 0.5) + (category >= 3 ? 1.5 : -1.5) + 0.3 * random.Normal();
    rows.values.insert(rows.values.end(), {a, b, noise, category});
    rows.target.push_back(classes == 0 ? 10 + score : classes == 2 ? (score > 0) : (score > -1) + (score > 1));
  }
  return rows;
}

class Conformance : public testing::TestWithParam<Subject> {
 protected:
  void SetUp() override {
    const std::string check = testing::UnitTest::GetInstance()->current_test_info()->name();
    const std::string name = check.substr(0, check.find('/'));
    for (const std::string& exception : info().exceptions)
      if (exception.substr(0, exception.find(':')) == name) GTEST_SKIP() << exception;
  }

  const LearnerInfo& info() const { return Learners().Get(GetParam().learner); }
  size_t classes() const { return GetParam().classes; }
  size_t outputs() const { return std::max<size_t>(classes(), 1); }
  ParameterValues Defaults() const {
    ParameterValues values(info().parameters);
    if (!GetParam().style.empty()) values.Set(GetParam().learner, GetParam().style, "true");
    return values;
  }

  std::shared_ptr<const Model> Fit(const Rows& rows, int threads = 1) const {
    const Dataset data = rows.Data();
    std::vector<uint32_t> all(data.rows());
    std::iota(all.begin(), all.end(), 0u);
    FitOptions options;
    options.seed = 42;
    options.threads = threads;
    return FitLearner(GetParam().learner, {&data, all}, Defaults(), options);
  }

  std::vector<double> Predict(const Model& model, const Rows& rows) const {
    std::vector<double> out(rows.count() * outputs(), kMissing);
    model.Predict({rows.values.data(), rows.count(), rows.is_category.size()}, out.data());
    return out;
  }

  // Finite, and probabilities of classes: inside [0, 1], with sum 1.
  void ExpectValid(const std::vector<double>& predictions) const {
    for (size_t i = 0; i < predictions.size(); i += outputs()) {
      double sum = 0;
      for (size_t k = 0; k < outputs(); ++k) {
        ASSERT_TRUE(std::isfinite(predictions[i + k])) << "row " << i / outputs();
        sum += predictions[i + k];
        if (classes() > 0) {
          ASSERT_GE(predictions[i + k], 0);
          ASSERT_LE(predictions[i + k], 1);
        }
      }
      if (classes() > 0) {
        ASSERT_NEAR(sum, 1, 1e-9) << "row " << i / outputs();
      }
    }
  }

  static std::string Bytes(const Model& model) {
    ArrayFileWriter file;
    file.SetText("parameters", ToText(model.Save("model.", &file)));
    return file.Bytes();
  }

  static void ExpectNear(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance * std::max(1.0, std::abs(a[i]))) << "number " << i;
  }

  StreamShape Shape(const Rows& rows) const { return {rows.is_category, classes()}; }
  static const double* Row(const Rows& rows, size_t i) { return rows.values.data() + i * rows.is_category.size(); }
};

// Mean absolute error, or share of wrong classes.
double ErrorOf(const std::vector<double>& predictions, const Rows& rows) {
  double error = 0;
  for (size_t i = 0; i < rows.count(); ++i) {
    const double* p = predictions.data() + i * std::max<size_t>(rows.classes, 1);
    error += rows.classes == 0 ? std::abs(p[0] - rows.target[i])
                               : static_cast<double>(std::max_element(p, p + rows.classes) - p) != rows.target[i];
  }
  return error / static_cast<double>(rows.count());
}

TEST_P(Conformance, PredictsValidNumbers) {
  const Rows rows = MakeRows(300, classes());
  const auto model = Fit(rows);
  EXPECT_EQ(model->features(), rows.is_category.size());
  EXPECT_EQ(model->outputs(), outputs());
  ExpectValid(Predict(*model, rows));
}

TEST_P(Conformance, BeatsTheConstant) {
  if (info().baseline) GTEST_SKIP() << "is a baseline";
  const Rows train = MakeRows(1000, classes()), test = MakeRows(500, classes(), 2);
  std::vector<double> constant;
  const double mean = std::accumulate(train.target.begin(), train.target.end(), 0.0) / static_cast<double>(train.count());
  for (size_t i = 0; i < test.count(); ++i)
    for (size_t k = 0; k < outputs(); ++k)
      constant.push_back(classes() == 0 ? mean : static_cast<double>(std::count(train.target.begin(), train.target.end(), k)));
  EXPECT_LT(ErrorOf(Predict(*Fit(train), test), test), 0.6 * ErrorOf(constant, test));
}

TEST_P(Conformance, SavedAndLoadedPredictsTheSame) {
  const Rows rows = MakeRows(300, classes());
  const auto model = Fit(rows);
  ArrayFileWriter writer;
  const Json parameters = model->Save("model.", &writer);
  const auto file = ArrayFile::Parse(writer.Bytes(), "the test's model");
  const ModelKind& kind = ModelKinds().Get(std::string(model->kind()));
  const auto loaded = kind.load(ParseJson(ToText(parameters), "the test's model"), "model.", *file, rows.is_category.size(), outputs());
  EXPECT_EQ(Predict(*model, rows), Predict(*loaded, rows));
  EXPECT_EQ(Bytes(*model), Bytes(*loaded));
}

TEST_P(Conformance, SameSeedSameModel) {
  const Rows rows = MakeRows(300, classes());
  EXPECT_EQ(Bytes(*Fit(rows)), Bytes(*Fit(rows)));
}

TEST_P(Conformance, ThreadsDoNotMatter) {
  const Rows rows = MakeRows(600, classes());
  EXPECT_EQ(Bytes(*Fit(rows, 1)), Bytes(*Fit(rows, 2)));
}

TEST_P(Conformance, ColumnOrderDoesNotMatter) {
  const Rows rows = MakeRows(300, classes());
  const std::vector<size_t> order{2, 3, 1, 0};
  Rows permuted = rows;
  for (size_t j = 0; j < order.size(); ++j) {
    permuted.is_category[j] = rows.is_category[order[j]];
    permuted.dictionary_sizes[j] = rows.dictionary_sizes[order[j]];
    for (size_t i = 0; i < rows.count(); ++i) permuted.values[i * 4 + j] = rows.values[i * 4 + order[j]];
  }
  ExpectNear(Predict(*Fit(rows), rows), Predict(*Fit(permuted), permuted), 1e-9);
}

TEST_P(Conformance, BatchEqualsRowByRow) {
  const Rows rows = MakeRows(300, classes());
  const auto model = Fit(rows);
  std::vector<double> single(rows.count() * outputs());
  for (size_t i = 0; i < rows.count(); ++i) model->PredictRow(Row(rows, i), single.data() + i * outputs());
  ExpectNear(Predict(*model, rows), single, 1e-9);
}

TEST_P(Conformance, MissingAndUnseenValues) {
  const Rows rows = MakeRows(300, classes());
  const auto model = Fit(rows);
  Rows strange = rows;
  for (size_t i = 0; i < strange.values.size(); ++i)
    if (i % 3 == 0) strange.values[i] = kMissing;
  for (size_t i = 1; i < strange.count(); i += 2) strange.values[i * 4 + 3] = i % 4 == 1 ? 6 : 100000;
  ExpectValid(Predict(*model, strange));
  ExpectValid(Predict(*Fit(strange), strange));
}

TEST_P(Conformance, ColumnsWithoutInformation) {
  Rows rows = MakeRows(300, classes());
  for (size_t i = 0; i < rows.count(); ++i) {
    rows.values[i * 4] = kMissing;
    rows.values[i * 4 + 1] = 7;
    rows.values[i * 4 + 3] = kMissing;
  }
  ExpectValid(Predict(*Fit(rows), rows));
  ExpectValid(Predict(*Fit(rows), MakeRows(300, classes())));
}

TEST_P(Conformance, ConstantTarget) {
  Rows rows = MakeRows(300, classes());
  std::fill(rows.target.begin(), rows.target.end(), 1.0);
  const auto predictions = Predict(*Fit(rows), rows);
  ExpectValid(predictions);
  EXPECT_LT(ErrorOf(predictions, rows), 1e-6);
}

TEST_P(Conformance, OneRowAndTwoRows) {
  for (const size_t count : {1, 2}) {
    const Rows rows = MakeRows(count, classes());
    const auto model = Fit(rows);
    ExpectValid(Predict(*model, rows));
    ExpectValid(Predict(*model, MakeRows(20, classes())));
  }
}

TEST_P(Conformance, AClassThatIsAbsent) {
  Rows rows = MakeRows(300, classes());
  for (double& target : rows.target) target = std::min(target, 1.0);
  ExpectValid(Predict(*Fit(rows), rows));
}

TEST_P(Conformance, HugeValues) {
  const Rows rows = MakeRows(300, classes());
  Rows huge = rows;
  for (size_t i = 0; i < huge.count(); i += 10) huge.values[i * 4] = i % 20 == 0 ? kHuge : -kHuge;
  ExpectValid(Predict(*Fit(rows), huge));
  ExpectValid(Predict(*Fit(huge), huge));
}

TEST_P(Conformance, OnlyTheRatioOfWeightsMatters) {
  if (!info().weights) GTEST_SKIP() << "takes no weights";
  Rows rows = MakeRows(500, classes());
  for (size_t i = 0; i < rows.count(); ++i) rows.weights.push_back(i % 2 == 0 ? 1 : 3);
  const auto once = Predict(*Fit(rows), rows);
  for (double& weight : rows.weights) weight *= 2;
  ExpectNear(once, Predict(*Fit(rows), rows), 0.02);
}

TEST_P(Conformance, WeightsMatter) {
  if (!info().weights) GTEST_SKIP() << "takes no weights";
  Rows rows = MakeRows(500, classes());
  for (const double target : rows.target) rows.weights.push_back(target >= (classes() == 0 ? 10 : 1) ? 10 : 1);
  const auto weighted = Predict(*Fit(rows), rows);
  rows.weights.clear();
  const auto plain = Predict(*Fit(rows), rows);
  double gain = 0;
  for (size_t i = 0; i < rows.count(); ++i)
    gain += classes() == 0 ? weighted[i] - plain[i] : plain[i * classes()] - weighted[i * classes()];
  EXPECT_GT(gain, 0);
}

TEST_P(Conformance, CostIsPositiveAndGrowsWithRows) {
  ASSERT_TRUE(info().cost_units);
  double before = 0;
  for (const double rows : {1.0, 1e3, 1e6, 1e8}) {
    const double cost = info().cost_units(rows, 10, static_cast<double>(outputs()), Defaults());
    EXPECT_TRUE(std::isfinite(cost));
    EXPECT_GT(cost, before);
    before = cost;
  }
}

TEST_P(Conformance, OnlineGoesOnBitForBit) {
  if (!info().online()) GTEST_SKIP() << "is not online";
  const Rows rows = MakeRows(600, classes());
  const auto whole = info().start(Shape(rows), Defaults(), 42);
  auto parts = info().start(Shape(rows), Defaults(), 42);
  std::vector<double> a(outputs()), b(outputs());
  for (size_t i = 0; i < rows.count(); ++i) {
    if (i % 150 == 75 || i == 0) {
      const std::string state = parts->State();
      parts = info().resume(Shape(rows), Defaults(), state);
      ASSERT_EQ(parts->State(), state) << "row " << i;
    }
    whole->Predict(Row(rows, i), a.data());
    parts->Predict(Row(rows, i), b.data());
    ASSERT_EQ(a, b) << "row " << i;
    ExpectValid(a);
    whole->Learn(Row(rows, i), rows.target[i], 1);
    parts->Learn(Row(rows, i), rows.target[i], 1);
  }
  EXPECT_EQ(whole->State(), parts->State());
  EXPECT_EQ(Bytes(*whole->Snapshot()), Bytes(*parts->Snapshot()));
}

TEST_P(Conformance, OnlineRefusesATruncatedState) {
  if (!info().online()) GTEST_SKIP() << "is not online";
  const Rows rows = MakeRows(50, classes());
  const auto model = info().start(Shape(rows), Defaults(), 42);
  for (size_t i = 0; i < rows.count(); ++i) model->Learn(Row(rows, i), rows.target[i], 1);
  const std::string state = model->State();
  for (const size_t size : {size_t{0}, state.size() / 2, state.size() - 1})
    EXPECT_THROW(info().resume(Shape(rows), Defaults(), state.substr(0, size)), Error) << size << " bytes";
}

TEST_P(Conformance, OnlineStandsHugeAndMissingValues) {
  if (!info().online()) GTEST_SKIP() << "is not online";
  Rows rows = MakeRows(600, classes());
  Random random(3);
  for (double& value : rows.values) {
    const double draw = random.Uniform();
    if (draw < 0.05) value = kMissing;
    if (draw > 0.97) value = draw > 0.985 ? kHuge : -kHuge;
  }
  if (classes() == 0) rows.target[50] = kHuge;
  const auto model = info().start(Shape(rows), Defaults(), 42);
  std::vector<double> out(outputs());
  for (size_t i = 0; i < rows.count(); ++i) {
    model->Predict(Row(rows, i), out.data());
    ExpectValid(out);
    model->Learn(Row(rows, i), rows.target[i], i % 5 == 0 ? 3 : 1);
  }
  ExpectValid(Predict(*model->Snapshot(), rows));
}

TEST_P(Conformance, OnlinePredictsBeforeTheFirstRow) {
  if (!info().online()) GTEST_SKIP() << "is not online";
  const Rows rows = MakeRows(1, classes());
  const auto model = info().start(Shape(rows), Defaults(), 42);
  std::vector<double> out(outputs());
  model->Predict(Row(rows, 0), out.data());
  ExpectValid(out);
  for (const double v : out) EXPECT_DOUBLE_EQ(v, classes() == 0 ? 0.0 : 1.0 / static_cast<double>(classes()));
}

// A table may have one class only, and then one output.
TEST_P(Conformance, OnlineKnowsTheOnlyClass) {
  // Values have no classes, and a second kind of classes would repeat this one: the shape is made here.
  if (!info().online() || classes() != 2) GTEST_SKIP() << "is not online, or not asked for classes";
  Rows rows = MakeRows(300, 2);
  StreamShape shape = Shape(rows);
  shape.classes = 1;
  const auto model = info().start(shape, Defaults(), 42);
  constexpr double kUntouched = -7;
  std::vector<double> out{0, kUntouched};
  for (size_t i = 0; i < rows.count(); ++i) {
    model->Predict(Row(rows, i), out.data());
    ASSERT_NEAR(out[0], 1, 1e-12);
    ASSERT_EQ(out[1], kUntouched);
    model->Learn(Row(rows, i), 0, 1);
  }
  const std::string state = model->State();
  EXPECT_EQ(info().resume(shape, Defaults(), state)->State(), state);
  model->Snapshot()->PredictRow(Row(rows, 0), out.data());
  EXPECT_NEAR(out[0], 1, 1e-12);
  EXPECT_EQ(out[1], kUntouched);
}

INSTANTIATE_TEST_SUITE_P(Learners, Conformance, testing::ValuesIn(AllSubjects()),
                         [](const auto& subject) { return SubjectName(subject.param); });

TEST(ConformanceExceptions, NameAnExistingCheckAndAReason) {
  std::vector<std::string> checks;
  const testing::UnitTest& unit = *testing::UnitTest::GetInstance();
  for (int s = 0; s < unit.total_test_suite_count(); ++s) {
    const testing::TestSuite& suite = *unit.GetTestSuite(s);
    if (std::string(suite.name()) != "Learners/Conformance") continue;
    for (int t = 0; t < suite.total_test_count(); ++t) {
      const std::string name = suite.GetTestInfo(t)->name();
      checks.push_back(name.substr(0, name.find('/')));
    }
  }
  for (const std::string& learner : Learners().Names()) {
    for (const std::string& exception : Learners().Get(learner).exceptions) {
      const size_t colon = exception.find(": ");
      ASSERT_NE(colon, std::string::npos) << learner << ": " << exception;
      EXPECT_GT(exception.size(), colon + 2) << learner;
      EXPECT_NE(std::find(checks.begin(), checks.end(), exception.substr(0, colon)), checks.end()) << learner << ": " << exception;
    }
  }
}

}  // namespace
}  // namespace everlearn
