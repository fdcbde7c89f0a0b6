// ALMA against the paper's algorithm written down plainly, its calibration, and its accuracy on a stream beside River's.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <filesystem>

#include "base/random.h"
#include "data/reader.h"
#include "learner/learner.h"

namespace everlearn {
namespace {

std::unique_ptr<OnlineModel> Start(size_t classes, const std::vector<bool>& is_category) {
  const LearnerInfo& info = Learners().Get("alma");
  return info.start({is_category, classes}, ParameterValues(info.parameters), 0);
}

// Gentile 2001, figure 2, p = 2, over two standardised numbers and a constant.
class PlainAlma {
 public:
  void Learn(const std::array<double, 2>& row, double side) {
    rows_.push_back(row);
    const std::array<double, 3> x = Standardised(row);
    const double gamma = 1 / 0.9 / std::sqrt(k_), eta = std::sqrt(2 / k_);
    if (side * Dot(x) > (1 - 0.9) * gamma) return;
    double square = 0;
    for (size_t i = 0; i < 3; ++i) w_[i] += eta * side * x[i], square += w_[i] * w_[i];
    for (double& w : w_) w /= std::max(1.0, std::sqrt(square));
    ++k_;
  }
  double Margin(const std::array<double, 2>& row) const { return Dot(Standardised(row)); }

 private:
  std::array<double, 3> Standardised(const std::array<double, 2>& row) const {
    std::array<double, 3> x{0, 0, 1};
    for (size_t j = 0; j < 2; ++j) {
      double mean = 0, squares = 0;
      for (const auto& r : rows_) mean += r[j] / static_cast<double>(rows_.size());
      for (const auto& r : rows_) squares += (r[j] - mean) * (r[j] - mean) / static_cast<double>(rows_.size());
      x[j] = (row[j] - mean) / (squares > 0 ? std::sqrt(squares) : 1.0);
    }
    return x;
  }
  double Dot(const std::array<double, 3>& x) const { return x[0] * w_[0] + x[1] * w_[1] + x[2] * w_[2]; }

  std::vector<std::array<double, 2>> rows_;
  std::array<double, 3> w_{};
  double k_ = 1;
};

// The log-odds of a frozen model are a line over the margins of the plain algorithm.
TEST(Alma, LearnsTheMarginsOfThePaper) {
  Random random(1);
  PlainAlma plain;
  const auto model = Start(2, {false, false});
  for (int i = 0; i < 600; ++i) {
    const std::array<double, 2> row = {std::clamp(random.Normal(), -2.0, 2.0), 5 + 3 * random.Uniform()};
    const bool positive = row[0] + row[1] - 6.5 + 0.5 * random.Normal() > 0;
    model->Learn(row.data(), positive ? 1 : 0, 1);
    plain.Learn(row, positive ? 1 : -1);
  }
  const auto log_odds = [&](const std::array<double, 2>& row) {
    double p[2];
    model->Predict(row.data(), p);
    return std::log(p[1] / p[0]);
  };
  const std::array<double, 2> first = {0, 6.5}, second = {1, 7.5};
  const double slope = (log_odds(second) - log_odds(first)) / (plain.Margin(second) - plain.Margin(first));
  EXPECT_GT(slope, 0);
  for (int i = 0; i < 50; ++i) {
    const std::array<double, 2> row = {2 * random.Uniform() - 1, 5 + 3 * random.Uniform()};
    EXPECT_NEAR(log_odds(row) - log_odds(first), slope * (plain.Margin(row) - plain.Margin(first)), 1e-7);
  }
}

TEST(Alma, ItsProbabilitiesComeTrue) {
  for (const size_t classes : {2, 4}) {
    Random random(2);
    const auto model = Start(classes, {false, false});
    std::array<double, 10> expected{}, happened{}, count{};
    std::vector<double> p(classes);
    for (int i = 0; i < 40000; ++i) {
      const double row[2] = {random.Normal(), random.Normal()};
      const double noisy[2] = {row[0] + random.Normal(), row[1] + random.Normal()};
      const size_t target = classes == 2 ? noisy[0] > 0 : (noisy[0] > 0) + 2 * (noisy[1] > 0);
      model->Predict(row, p.data());
      for (size_t k = 0; k < classes && i >= 10000; ++k) {
        const auto bin = std::min<size_t>(static_cast<size_t>(10 * p[k]), 9);
        expected[bin] += p[k];
        happened[bin] += target == k ? 1 : 0;
        count[bin] += 1;
      }
      model->Learn(row, static_cast<double>(target), 1);
    }
    double error = 0, all = 0;
    for (size_t bin = 0; bin < 10; ++bin) {
      error += std::abs(expected[bin] - happened[bin]);
      all += count[bin];
    }
    EXPECT_LT(error / all, 0.05) << classes << " classes";
  }
}

TEST(Alma, TheSnapshotPredictsTheSame) {
  for (const size_t classes : {2, 3}) {
    const auto model = Start(classes, {false, true, false});
    Random random(3);
    std::vector<double> rows;
    for (int i = 0; i < 500; ++i) {
      const double row[3] = {random.Normal(), static_cast<double>(random.Below(50)), i % 7 == 0 ? kMissing : random.Uniform()};
      rows.insert(rows.end(), row, row + 3);
      model->Learn(row, static_cast<double>(static_cast<size_t>(row[1]) % classes), 1);
    }
    const auto snapshot = model->Snapshot();
    for (int i = 0; i < 500; ++i) {
      double online[3], frozen[3];
      model->Predict(&rows[i * 3], online);
      snapshot->PredictRow(&rows[i * 3], frozen);
      for (size_t k = 0; k < classes; ++k) EXPECT_NEAR(online[k], frozen[k], 1e-12);
    }
  }
}

// River's ALMAClassifier after a StandardScaler reaches 0.9065 on this stream.
TEST(Alma, IsAsAccurateAsRiverOnElectricity) {
  const std::string path = EVERLEARN_SOURCE_DIR "/../shared/data/streams/elec2.csv.gz";
  // The data sets are not part of the project; a developer's machine has them beside it.
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not on this machine";
  const Table table = ReadTable(path, {});
  const size_t features = table.columns.size() - 1;  // the class is last, the rest are numbers
  const auto model = Start(2, std::vector<bool>(features, false));
  std::vector<double> row(features);
  int right = 0;
  for (size_t i = 0; i < table.rows; ++i) {
    for (size_t j = 0; j < features; ++j) row[j] = std::stod(table.columns[j].TextAt(i));
    const double target = table.columns.back().TextAt(i) == "UP";
    double p[2];
    model->Predict(row.data(), p);
    right += (p[1] > 0.5) == (target > 0.5);
    model->Learn(row.data(), target, 1);
  }
  EXPECT_GE(right / static_cast<double>(table.rows), 0.9065);
}

}  // namespace
}  // namespace everlearn
