// Every registered drift detector: few alarms on steady data, a prompt one after a change, save → load → continue, numbers that are none.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <regex>

#include "base/random.h"
#include "drift/drift_detector.h"

namespace everlearn {
namespace {

class DetectorConformance : public testing::TestWithParam<std::string> {
 protected:
  const DetectorInfo& info() const { return Detectors().Get(GetParam()); }
  // An error of rate `level`, or where the detector takes any number, every second run a number around `level`.
  double Draw(Random* random, double level, int run) const {
    if (info().errors_only || run % 2 == 0) return random->Uniform() < level ? 1 : 0;
    return std::clamp(level + 0.1 * random->Normal(), 0.0, 1.0);
  }
};

TEST_P(DetectorConformance, RaisesFewAlarmsOnSteadyData) {
  constexpr int kRuns = 20, kRows = 5000;
  int alarms = 0;
  for (int run = 0; run < kRuns; ++run) {
    Random random = Random::Derive(1, run);
    const auto detector = info().make();
    for (int i = 0; i < kRows; ++i) alarms += detector->Add(Draw(&random, 0.2, run)) ? 1 : 0;
  }
  EXPECT_LE(alarms, kRuns * kRows / info().false_alarm_rows);
}

TEST_P(DetectorConformance, NoticesAnAbruptChange) {
  for (int run = 0; run < 10; ++run) {
    Random random = Random::Derive(2, run);
    const auto detector = info().make();
    for (int i = 0; i < 1000; ++i) detector->Add(Draw(&random, 0.1, run));
    int rows = 1;
    while (rows < 1000 && !detector->Add(Draw(&random, 0.8, run))) ++rows;
    EXPECT_LE(rows, 300) << "run " << run;
  }
}

TEST_P(DetectorConformance, GoesOnBitForBitAfterLoading) {
  Random random(3);
  const auto whole = info().make();
  auto parts = info().make();
  int alarms = 0;
  for (int i = 0; i < 6000; ++i) {
    if (i % 37 == 0) {
      ByteWriter out;
      parts->Save(&out);
      parts = info().make();
      ByteReader in(out.bytes());
      parts->Load(&in);
      ASSERT_TRUE(in.done());
      ByteWriter again;
      parts->Save(&again);
      ASSERT_EQ(out.bytes(), again.bytes());
    }
    const double value = random.Uniform() < (i / 1500 % 2 == 0 ? 0.1 : 0.6) ? 1 : 0;
    const bool alarm = whole->Add(value);
    ASSERT_EQ(alarm, parts->Add(value)) << "row " << i;
    ASSERT_EQ(whole->warning(), parts->warning()) << "row " << i;
    alarms += alarm ? 1 : 0;
  }
  EXPECT_GT(alarms, 0);
}

TEST_P(DetectorConformance, PassesOverWhatIsNoNumber) {
  Random random(4);
  const auto plain = info().make(), disturbed = info().make();
  for (int i = 0; i < 3000; ++i) {
    for (const double none : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
      ASSERT_FALSE(disturbed->Add(i % 2 == 0 ? none : -none));
    const double value = random.Uniform() < (i < 1500 ? 0.1 : 0.6) ? 1 : 0;
    ASSERT_EQ(plain->Add(value), disturbed->Add(value)) << "row " << i;
  }
}

TEST_P(DetectorConformance, RefusesATruncatedState) {
  Random random(5);
  const auto detector = info().make();
  for (int i = 0; i < 500; ++i) detector->Add(random.Uniform() < 0.1 ? 1 : 0);
  ByteWriter out;
  detector->Save(&out);
  for (size_t size = 0; size < out.size(); ++size) {
    const std::string part = out.bytes().substr(0, size);
    ByteReader in(part);
    EXPECT_THROW(info().make()->Load(&in), Error) << size << " bytes";
  }
}

INSTANTIATE_TEST_SUITE_P(Detectors, DetectorConformance, testing::ValuesIn(Detectors().Names()),
                         [](const auto& name) { return name.param; });

TEST(RegisteredDetectors, NamesEqualTheFiles) {
  const std::regex registration("Detectors\\(\\)\\s*\\.Add\\(\\s*\"([^\"]*)\"");
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(EVERLEARN_SOURCE_DIR) / "drift")) {
    const std::string file = entry.path().filename().string();
    if (entry.path().extension() != ".cc" || file.ends_with("_test.cc")) continue;
    std::ifstream stream(entry.path());
    const std::string text((std::istreambuf_iterator<char>(stream)), {});
    for (std::sregex_iterator match(text.begin(), text.end(), registration), end; match != end; ++match) {
      EXPECT_EQ((*match)[1].str() + ".cc", file);
      names.push_back((*match)[1].str());
    }
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(Detectors().Names(), names);
  for (const std::string& name : names) {
    EXPECT_FALSE(Detectors().Get(name).summary.empty()) << name;
    EXPECT_FALSE(Detectors().Get(name).paper.empty()) << name;
  }
}

}  // namespace
}  // namespace everlearn
