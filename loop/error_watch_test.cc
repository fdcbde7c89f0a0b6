// The loop's watch over errors by drift detectors: alarms, units, refusals, going on after loading.
#include "loop/error_watch.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"

namespace everlearn {
namespace {

TEST(ErrorWatch, AlarmsWhenClassesGoWrong) {
  ErrorWatch watch({"ddm", "kswin"}, 2);
  Random random(1);
  std::vector<std::string> early, late;
  for (int i = 0; i < 4000; ++i) {
    const bool wrong = random.Uniform() < (i < 2000 ? 0.1 : 0.6);
    const double prediction[2] = {wrong ? 0.3 : 0.8, wrong ? 0.7 : 0.2};
    for (const std::string& name : watch.Add(prediction, 0)) (i < 2000 ? early : late).push_back(name);
  }
  EXPECT_LE(early.size(), 1u);
  EXPECT_NE(std::find(late.begin(), late.end(), "ddm"), late.end());
  EXPECT_NE(std::find(late.begin(), late.end(), "kswin"), late.end());
}

TEST(ErrorWatch, AlarmsWhenErrorsOfValuesGrowWhateverTheirUnit) {
  for (const double unit : {1e-6, 1.0, 1e9}) {
    ErrorWatch watch({"e_detector"}, 0);
    Random random(2);
    int first = -1;
    for (int i = 0; i < 6000; ++i) {
      const double prediction = unit * (i < 3000 ? 1 : 5) * random.Normal();
      if (!watch.Add(&prediction, 0).empty() && first < 0) first = i;
    }
    EXPECT_GE(first, 3000) << unit;
    EXPECT_LE(first, 3500) << unit;
  }
}

TEST(ErrorWatch, RefusesWhatCannotWatch) {
  EXPECT_THROW(ErrorWatch({"no_such_detector"}, 2), Error);
  EXPECT_THROW(ErrorWatch({"ddm"}, 0), Error);
}

TEST(ErrorWatch, GoesOnAfterLoading) {
  ErrorWatch whole({"e_detector", "page_hinkley"}, 0), parts({"e_detector", "page_hinkley"}, 0);
  Random random(3);
  for (int i = 0; i < 500; ++i) {
    const double prediction = random.Normal();
    whole.Add(&prediction, 0);
    parts.Add(&prediction, 0);
    ByteWriter out;
    parts.Save(&out);
    ErrorWatch loaded({"e_detector", "page_hinkley"}, 0);
    ByteReader in(out.bytes());
    loaded.Load(&in);
    parts = std::move(loaded);
  }
  ByteWriter a, b;
  whole.Save(&a);
  parts.Save(&b);
  EXPECT_EQ(a.bytes(), b.bytes());
}

}  // namespace
}  // namespace everlearn
