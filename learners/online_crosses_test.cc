// The crosses against a plain table of products, what a linear model cannot learn, sparse columns, and the limit of a row's cost.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>

#include "base/random.h"
#include "learner/learner.h"
#include "learners/online_test_support.h"

namespace everlearn {
namespace {

std::unique_ptr<OnlineModel> Start(size_t classes, const std::vector<bool>& is_category,
                                   const std::map<std::string, std::string>& settings = {}) {
  return StartOnline("online_crosses", classes, is_category, settings, 0);
}

// Coin betting over named products, as the head of the learner's file says it: values divided by the root of their mean squared length.
class PlainCrosses {
 public:
  double Probability(const std::map<std::string, double>& values) const {
    double score = 0;
    for (const auto& [name, value] : values)
      if (const auto found = coins_.find(name); found != coins_.end()) score += value * found->second.Weight() / length();
    return 1 / (1 + std::exp(-score));
  }
  void Learn(const std::map<std::string, double>& values, double target) {
    double square = 0;
    for (const auto& [name, value] : values) square += value * value;
    mean_square_ += (square - mean_square_) / ++rows_;
    const double slope = Probability(values) - target;
    for (const auto& [name, value] : values)
      if (value != 0) coins_[name].Bet(slope * value, std::abs(value));
  }

 private:
  struct Coin {
    double won = 0, stakes = 0, reward = 0, largest = 0;
    double Weight() const { return largest > 0 ? won / (largest * (stakes + largest)) * (2 * largest + reward) : 0.0; }
    void Bet(double gradient, double possible) {
      reward = std::max(0.0, reward - gradient * Weight());
      largest = std::max({largest, std::abs(gradient), possible});
      won -= gradient;
      stakes += std::abs(gradient);
    }
  };
  double length() const { return std::sqrt(mean_square_); }

  std::map<std::string, Coin> coins_;
  double mean_square_ = 1, rows_ = 0;
};

TEST(OnlineCrosses, EqualsAPlainTableOfProducts) {
  const auto model = Start(2, {true, true, true}, {{"forgetting", "0"}});
  PlainCrosses plain;
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    std::array<double, 3> row;
    std::map<std::string, double> values{{"bias", 1}};
    for (size_t j = 0; j < 3; ++j) {
      row[j] = static_cast<double>(random.Below(4));
      values[std::to_string(j) + "=" + std::to_string(row[j])] = 1;
      for (size_t i2 = 0; i2 < j; ++i2)
        values[std::to_string(i2) + "=" + std::to_string(row[i2]) + "*" + std::to_string(j) + "=" + std::to_string(row[j])] = 1;
    }
    double p[2];
    model->Predict(row.data(), p);
    ASSERT_NEAR(p[1], plain.Probability(values), 1e-9) << "row " << i;
    const double target = (row[0] < 2) != (row[1] < 2) ? random.Uniform() < 0.9 : random.Uniform() < 0.1;
    model->Learn(row.data(), target, 1);
    plain.Learn(values, target);
  }
}

double LateAccuracy(const std::string& learner, double scale) {
  const LearnerInfo& info = Learners().Get(learner);
  const auto model = info.start({{false, false}, 2}, ParameterValues(info.parameters), 0);
  Random random(2);
  int right = 0;
  for (int i = 0; i < 6000; ++i) {
    const double row[2] = {scale * random.Normal(), random.Normal() + 100};
    const bool target = (row[0] > 0) != (row[1] > 100);
    double p[2];
    model->Predict(row, p);
    right += i >= 3000 && (p[1] > 0.5) == target ? 1 : 0;
    model->Learn(row, target, 1);
  }
  return right / 3000.0;
}

TEST(OnlineCrosses, LearnsWhatNoLinearModelDoes) {
  EXPECT_LT(LateAccuracy("online_linear", 1e3), 0.6);
  EXPECT_GT(LateAccuracy("online_crosses", 1e3), 0.95);
}

TEST(OnlineCrosses, TheSnapshotPredictsTheSame) {
  for (const size_t classes : {0, 2, 3}) {
    for (const char* crosses : {"4096", "3"}) {
      const auto model = Start(classes, {false, true, false, false}, {{"crosses", crosses}, {"bits", "10"}});
      Random random(4);
      std::vector<double> rows;
      double low = 1e9, high = -1e9;
      for (int i = 0; i < 600; ++i) {
        const double row[4] = {random.Normal(), static_cast<double>(random.Below(50)), i % 7 == 0 ? kMissing : random.Uniform(),
                               random.Uniform() < 0.8 ? 0 : random.Uniform() * 5};
        const double target = classes == 0 ? row[0] * 3 + row[1] * row[3] : static_cast<double>(static_cast<size_t>(row[1]) % classes);
        rows.insert(rows.end(), row, row + 4);
        model->Learn(row, target, 1);
        low = std::min(low, target);
        high = std::max(high, target);
      }
      const auto snapshot = model->Snapshot();
      for (int i = 0; i < 600; ++i) {
        double online[3], frozen[3];
        model->Predict(&rows[i * 4], online);
        snapshot->PredictRow(&rows[i * 4], frozen);
        if (classes == 0) frozen[0] = std::clamp(frozen[0], low, high);  // the model kind knows no range
        for (size_t k = 0; k < std::max<size_t>(classes, 1); ++k) EXPECT_NEAR(online[k], frozen[k], 1e-9);
      }
    }
  }
}

// Words of a text: of 300 columns, few are not 0. What is there twice in a row is one feature less.
TEST(OnlineCrosses, LearnsPairsOfWords) {
  const size_t words = 300;
  const auto model = Start(2, std::vector<bool>(words, false));
  Random random(5);
  int right = 0;
  std::vector<double> row(words);
  for (int i = 0; i < 4000; ++i) {
    std::fill(row.begin(), row.end(), 0.0);
    for (int w = 0; w < 20; ++w) row[2 + random.Below(words - 2)] = 1;
    row[0] = random.Uniform() < 0.5 ? 1 : 0;
    row[1] = random.Uniform() < 0.5 ? 1 : 0;
    const bool target = row[0] == row[1];
    double p[2];
    model->Predict(row.data(), p);
    right += i >= 3000 && (p[1] > 0.5) == target ? 1 : 0;
    model->Learn(row.data(), target, 1);
  }
  EXPECT_GT(right / 1000.0, 0.95);
}

TEST(OnlineCrosses, TheTableBoundsTheState) {
  const auto model = Start(2, std::vector<bool>(60, true), {{"bits", "10"}, {"crosses", "100"}});
  Random random(6);
  std::vector<double> row(60);
  for (int i = 0; i < 2000; ++i) {
    for (double& value : row) value = static_cast<double>(random.Below(1'000'000));
    model->Learn(row.data(), i % 2, 1);
  }
  EXPECT_LT(model->State().size(), 1024 * 45 + 1000);
}

}  // namespace
}  // namespace everlearn
