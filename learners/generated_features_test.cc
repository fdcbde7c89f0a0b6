// Which features are generated: those that truly explain more, none where there is nothing, none of constrained ones.
#include "learners/generated_features.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/random.h"
#include "model/constant.h"

namespace everlearn {
namespace {

using enum GeneratedFeature::Kind;
constexpr size_t kRows = 4000;

// Three numbers and a category of four, and a target of them.
class GeneratedFeaturesTest : public testing::Test {
 protected:
  template <typename Target>
  void Make(const Target& target, size_t classes = 0) {
    Random random(3);
    std::vector<double> values, targets;
    for (size_t i = 0; i < kRows; ++i) {
      const auto category = static_cast<double>(random.Below(4));
      const double row[] = {1 + random.Uniform(), 1 + random.Uniform(), 3 * category + random.Normal(), category};
      values.insert(values.end(), std::begin(row), std::end(row));
      targets.push_back(target(row, &random));
    }
    data_ = std::make_unique<Dataset>(std::vector<bool>{false, false, false, true}, std::vector<size_t>{0, 0, 0, 4}, std::move(values),
                                      std::move(targets), std::vector<double>(), classes);
    training_.resize(kRows - 100);
    std::iota(training_.begin(), training_.end(), 0u);
    validation_.resize(100);
    std::iota(validation_.begin(), validation_.end(), kRows - 100);
  }
  GeneratedFeatures Generate(GeneratedFeaturesOptions options = {}) const {
    return GeneratedFeatures({data_.get(), training_}, validation_, options);
  }
  std::unique_ptr<Dataset> data_;
  std::vector<uint32_t> training_, validation_;
};

TEST_F(GeneratedFeaturesTest, FindsARatio) {
  Make([](const double* row, Random*) { return std::sin(9 * row[0] / row[1]); });
  const GeneratedFeatures generated = Generate();
  ASSERT_FALSE(generated.empty());
  const GeneratedFeature& first = generated.chosen().front();
  EXPECT_EQ(first.kind, kRatio);
  EXPECT_EQ(std::min(first.a, first.b), 0U);
  EXPECT_EQ(std::max(first.a, first.b), 1U);
}

TEST_F(GeneratedFeaturesTest, FindsADifferenceThatTellsClasses) {
  Make([](const double* row, Random*) { return row[0] > row[1] ? 1.0 : 0.0; }, 2);
  const GeneratedFeatures generated = Generate({.most = 1});
  ASSERT_EQ(generated.chosen().size(), 1U);
  EXPECT_TRUE(generated.chosen()[0].kind == kDifference || generated.chosen()[0].kind == kRatio);
}

TEST_F(GeneratedFeaturesTest, FindsTheDistanceFromTheMeanOfACategory) {
  Make([](const double* row, Random*) { return std::abs(row[2] - 3 * row[3]); });
  const GeneratedFeatures generated = Generate({.most = 1});
  ASSERT_EQ(generated.chosen().size(), 1U);
  EXPECT_EQ(generated.chosen()[0].kind, kFromGroupMean);
  EXPECT_EQ(generated.chosen()[0].a, 2U);
  ASSERT_EQ(generated.chosen()[0].group_means.size(), 4U);
  for (size_t c = 0; c < 4; ++c) EXPECT_NEAR(generated.chosen()[0].group_means[c], 3 * static_cast<double>(c), 0.2);
}

TEST_F(GeneratedFeaturesTest, FindsNothingInNoiseNorInASumOfCurves) {
  Make([](const double*, Random* random) { return random->Normal(); });
  EXPECT_TRUE(Generate().empty());
  Make([](const double*, Random* random) { return random->Uniform() < 0.5 ? 1.0 : 0.0; }, 2);
  EXPECT_TRUE(Generate().empty());
}

TEST_F(GeneratedFeaturesTest, ConstrainedFeaturesMakeNoOthers) {
  Make([](const double* row, Random*) { return row[0] / row[1]; });
  const int8_t monotone[] = {1, 0, 0, 0};
  const GeneratedFeatures generated = Generate({.monotone = monotone});
  for (const GeneratedFeature& feature : generated.chosen()) EXPECT_TRUE(feature.a != 0 && feature.b != 0);
}

TEST_F(GeneratedFeaturesTest, RowsHaveTheirFeaturesBehindTheirOwn) {
  Make([](const double* row, Random*) { return std::sin(9 * row[0] / row[1]); });
  const GeneratedFeatures generated = Generate();
  ASSERT_FALSE(generated.empty());
  const Dataset& extended = *generated.training().data;
  ASSERT_EQ(extended.features(), 4 + generated.chosen().size());
  ASSERT_EQ(generated.validation().size(), 100U);
  for (size_t i = 0; i < 100; ++i) {
    const double *from = data_->row(validation_[i]), *to = extended.row(generated.validation()[i]);
    for (size_t j = 0; j < 4; ++j) EXPECT_EQ(from[j], to[j]);
    for (size_t g = 0; g < generated.chosen().size(); ++g) EXPECT_EQ(to[4 + g], generated.chosen()[g].Of(from));
    EXPECT_EQ(extended.target()[generated.validation()[i]], data_->target()[validation_[i]]);
  }
  const auto model = generated.Wrap(MakeConstantModel(extended.features(), {7}));
  double out = 0;
  model->PredictRow(data_->row(0), &out);
  EXPECT_EQ(out, 7);
  EXPECT_EQ(model->features(), 4U);
}

TEST_F(GeneratedFeaturesTest, FewRowsHaveNoneAndHugeTargetsAreSurvived) {
  Make([](const double* row, Random*) { return row[0] * 1e300; });
  Generate();
  training_.resize(20);
  EXPECT_TRUE(Generate().empty());
}

}  // namespace
}  // namespace everlearn
