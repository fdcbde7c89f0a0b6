// The registered learners are exactly the files: each learners/*.cc that registers does so once, under its own name.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "learner/learner.h"

namespace everlearn {
namespace {

TEST(Registered, NamesEqualTheFiles) {
  const std::regex registration("Learners\\(\\)\\s*\\.Add\\(\\s*\"([^\"]*)\"");
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(EVERLEARN_SOURCE_DIR) / "learners")) {
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
  EXPECT_EQ(Learners().Names(), names);
}

TEST(Registered, EveryLearnerSaysWhatItIs) {
  for (const std::string& name : Learners().Names()) {
    const LearnerInfo& info = Learners().Get(name);
    EXPECT_FALSE(info.summary.empty()) << name;
    EXPECT_FALSE(info.paper.empty()) << name;
    EXPECT_TRUE(info.binary || info.multiclass || info.regression) << name;
    EXPECT_TRUE(info.fit || info.start) << name;
    EXPECT_EQ(info.start == nullptr, info.resume == nullptr) << name;
    for (const Parameter& parameter : info.parameters) {
      EXPECT_FALSE(parameter.doc.empty()) << name << '.' << parameter.name;
      if (parameter.type == ParameterType::kNumber || parameter.type == ParameterType::kInteger) {
        EXPECT_LE(parameter.low, parameter.value) << name << '.' << parameter.name;
        EXPECT_GE(parameter.high, parameter.value) << name << '.' << parameter.name;
        EXPECT_TRUE(parameter.scale == ParameterScale::kLinear || parameter.low > 0) << name << '.' << parameter.name;
      }
    }
  }
}

}  // namespace
}  // namespace everlearn
