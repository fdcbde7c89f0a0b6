// Tests of experience: the file through crashes, strangers and several writers; descriptions of data.
#include "search/experience.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "base/error.h"
#include "base/random.h"
#include "search/experience_table.h"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

class ExperienceFile : public testing::Test {
 protected:
  ExperienceFile() : folder_(testing::TempDir() + "experience_" + std::to_string(getpid())) { std::filesystem::remove_all(folder_); }
  ~ExperienceFile() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/deep/experience.jsonl"; }
  std::string Text() const {
    std::ifstream file(path());
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::string folder_;
};

ExperienceRun MakeRun(const std::string& source, double loss) {
  ExperienceRun run{.source = source,
                    .kind = "binary",
                    .metric = "auc",
                    .data = {.rows = 1000, .features = 7, .classes = 2},
                    .constant_loss = 0.5,
                    .trials = {}};
  run.trials.push_back(
      {.learner = "linear", .parameters = {{"l2", 0.1}}, .fold_losses = {loss, kNaN, loss + 0.1}, .seconds = 2, .units = 150});
  run.trials.push_back({.learner = "trees", .parameters = {}, .fold_losses = {}, .seconds = 0, .units = 9, .status = "failed"});
  return run;
}

TEST_F(ExperienceFile, ARunIsReadBackAsItWas) {
  EXPECT_TRUE(Experience::Load(path()).runs().empty());
  EXPECT_EQ(Experience::Append(path(), MakeRun("a.csv", 0.25)), "");
  const Experience experience = Experience::Load(path());
  ASSERT_EQ(experience.runs().size(), 1U);
  const ExperienceRun& run = experience.runs()[0];
  EXPECT_EQ(ToText(ToJson(run)), ToText(ToJson(MakeRun("a.csv", 0.25))));
  EXPECT_DOUBLE_EQ(run.trials[0].loss(), 0.3);
  EXPECT_TRUE(std::isnan(run.trials[0].fold_losses[1]));
  EXPECT_TRUE(std::isnan(run.trials[1].loss()));
  EXPECT_EQ(run.data.features, 7);
}

TEST(ExperienceRuns, KeepBestDropsWhatIsWorseOrHasNoLoss) {
  ExperienceRun run = MakeRun("a.csv", 0.25);  // one with a loss of 0.3, one that failed
  for (const double loss : {0.4, 0.1}) run.trials.push_back({.learner = "linear", .parameters = {}, .fold_losses = {loss}});
  run.KeepBest(5);
  EXPECT_EQ(run.trials.size(), 4U);
  run.KeepBest(2);
  ASSERT_EQ(run.trials.size(), 2U);
  EXPECT_DOUBLE_EQ(run.trials[0].loss(), 0.1);
  EXPECT_DOUBLE_EQ(run.trials[1].loss(), 0.3);
}

TEST_F(ExperienceFile, DamagedLinesAreSkippedAndCounted) {
  Experience::Append(path(), MakeRun("a.csv", 0.25));
  const std::string good = Text();
  std::ofstream file(path());
  file << "not JSON\n" << good << "{}\n[1, 2]\n\n";
  // Values of the wrong type, not finite, below zero.
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"\"seconds\": 2", "\"seconds\": -2"},
                                                                                 {"\"units\": 150", "\"units\": \"x\""},
                                                                                 {"{\"l2\": 0.1}", "{\"l2\": [0.1]}"},
                                                                                 {"\"rows\": 1000", "\"rows\": null"},
                                                                                 {"\"fold_losses\": [0.25", "\"fold_losses\": [\"a\""}}) {
    std::string bad = good;
    ASSERT_NE(bad.find(from), std::string::npos) << from;
    file << bad.replace(bad.find(from), from.size(), to);
  }
  file << good.substr(0, good.size() / 2);  // a crash in the middle of a line
  file.close();
  const Experience experience = Experience::Load(path());
  EXPECT_EQ(experience.runs().size(), 1U);
  EXPECT_EQ(experience.damaged_lines(), 9U);
  EXPECT_EQ(Experience::Append(path(), MakeRun("b.csv", 0.3)), "");
  EXPECT_EQ(Experience::Load(path()).runs().size(), 2U);
}

TEST_F(ExperienceFile, ForgetRemovesWhatIsCalledSo) {
  for (const auto& name : {"phoneme.csv.gz", "phoneme2.csv", "phoneme", "other.parquet"}) Experience::Append(path(), MakeRun(name, 0.2));
  { std::ofstream(path(), std::ios::app) << "damaged\n"; }
  EXPECT_EQ(Experience::Forget(path(), "phoneme"), 2U);
  EXPECT_EQ(Experience::Forget(path(), "phoneme"), 0U);
  EXPECT_EQ(Experience::Forget(path(), "other.parquet"), 1U);
  EXPECT_EQ(Experience::Load(path()).runs().size(), 1U);
  EXPECT_EQ(Experience::Load(path()).damaged_lines(), 1U);
  EXPECT_EQ(Experience::Forget(path() + "none", "x"), 0U);
}

TEST_F(ExperienceFile, SeveralWritersLoseNothing) {
  Experience::Append(path(), MakeRun("first", 0.2));
  constexpr int kWriters = 4, kEach = 25;
  for (int w = 0; w < kWriters; ++w) {
    if (fork() == 0) {
      for (int i = 0; i < kEach; ++i) {
        if (!Experience::Append(path(), MakeRun("writer" + std::to_string(w), i)).empty()) _exit(1);
        if (i == kEach / 2 && w == 0) Experience::Forget(path(), "first");
      }
      _exit(0);
    }
  }
  int status = 0;
  for (int w = 0; w < kWriters; ++w) {
    wait(&status);
    EXPECT_EQ(status, 0);
  }
  const Experience experience = Experience::Load(path());
  EXPECT_EQ(experience.runs().size(), static_cast<size_t>(kWriters * kEach));
  EXPECT_EQ(experience.damaged_lines(), 0U);
}

TEST_F(ExperienceFile, WhatCannotBeWrittenIsSaidNotThrown) {
  EXPECT_NE(Experience::Append("/proc/no/experience.jsonl", MakeRun("a", 0.1)), "");
  EXPECT_NE(Experience::Append("", MakeRun("a", 0.1)), "");
}

TEST_F(ExperienceFile, TheHashIsThatOfTheContent) {
  Experience::Append(path(), MakeRun("a.csv", 0.25));
  const Experience first = Experience::Load(path());
  Experience same;
  same.Add(MakeRun("a.csv", 0.25));
  EXPECT_EQ(first.Hash(), same.Hash());
  same.Add(MakeRun("a.csv", 0.26));
  EXPECT_NE(first.Hash(), same.Hash());
  EXPECT_EQ(same.Without("a").Hash(), Experience().Hash());
  EXPECT_EQ(first.With(same).runs().size(), 3U);
}

TEST_F(ExperienceFile, ImportAddsWhatIsNew) {
  Experience::Append(path(), MakeRun("a.csv", 0.25));
  const std::string other = path() + ".exported";
  Experience exported = Experience::Load(path());
  exported.Add(MakeRun("b.csv", 0.3));
  { std::ofstream(other) << exported.Export(); }
  EXPECT_EQ(Experience::Import(other, path()), 1U);
  EXPECT_EQ(Experience::Import(other, path()), 0U);
  EXPECT_EQ(Experience::Load(path()).Hash(), exported.Hash());
  EXPECT_THROW(Experience::Import("/no/such/file", path()), Error);
}

TEST_F(ExperienceFile, ImportMakesTheFolder) {
  const std::string elsewhere = testing::TempDir() + "experience_from_" + std::to_string(getpid());
  ASSERT_EQ(Experience::Append(elsewhere, MakeRun("a.csv", 0.1)), "");
  EXPECT_EQ(Experience::Import(elsewhere, path()), 1U);
  std::filesystem::remove(elsewhere);
}

TEST_F(ExperienceFile, TheOldestRunsGoWhereTheFileIsLarge) {
  ExperienceRun large = MakeRun("large.csv", 0.1);
  while (ToText(ToJson(large)).size() < 9'000'000) large.trials.insert(large.trials.end(), 10'000, large.trials.front());
  for (const char* source : {"1", "2", "3", "4"}) {
    large.source = source;
    ASSERT_EQ(Experience::Append(path(), large), "");
  }
  const Experience left = Experience::Load(path());
  EXPECT_EQ(left.damaged_lines(), 0U);
  ASSERT_EQ(left.runs().size(), 1U);
  EXPECT_EQ(left.runs()[0].source, "4");
}

TEST(ExperienceTable, HoldsTheMeansOfWhatWorked) {
  Experience experience;
  experience.Add(MakeRun("a.csv", 0.25));
  experience.Add(MakeRun("b.csv", 0.123456));
  experience.Add(MakeRun("c.csv", kNaN));
  const Experience read = ExperienceFromTable(ExperienceTable(experience));
  ASSERT_EQ(read.runs().size(), 3U);
  ASSERT_EQ(read.runs()[1].trials.size(), 1U);
  EXPECT_EQ(read.runs()[1].trials[0].learner, "linear");
  EXPECT_EQ(ToText(read.runs()[1].trials[0].parameters), "{\"l2\": 0.1}");
  EXPECT_DOUBLE_EQ(read.runs()[0].trials[0].loss(), 0.3);
  EXPECT_DOUBLE_EQ(read.runs()[1].trials[0].loss(), 0.17346);
  EXPECT_EQ(read.runs()[1].trials[0].units, 150);
  EXPECT_EQ(ToText(read.runs()[2].data.ToJson()), ToText(experience.runs()[2].data.ToJson()));
  EXPECT_TRUE(read.runs()[2].trials.empty());
  EXPECT_EQ(ExperienceTable(read), ExperienceTable(ExperienceFromTable(ExperienceTable(read))));
}

TEST(ExperienceTable, DamageIsSaid) {
  EXPECT_THROW(ExperienceFromTable("{}"), Error);
  EXPECT_THROW(ExperienceFromTable("[]\n{\"source\": 1}"), Error);
  std::string text = ExperienceTable([] {
    Experience experience;
    experience.Add(MakeRun("a.csv", 0.25));
    return experience;
  }());
  text.replace(text.find("\"losses\": ["), 11, "\"losses\": [1, ");
  EXPECT_THROW(ExperienceFromTable(text), Error);
}

TEST(BuiltInExperience, CanBeRead) { EXPECT_EQ(Experience::BuiltIn().damaged_lines(), 0U); }

TEST(ExperienceNames, AreFilesWithoutFolderAndNeverSecrets) {
  EXPECT_EQ(ExperienceSource("/data/sets/adult.csv.gz"), "adult.csv.gz");
  EXPECT_EQ(ExperienceSource("-"), "standard input");
  EXPECT_EQ(ExperienceSource("postgresql://me:secret@host/db").find("secret"), std::string::npos);
  EXPECT_EQ(ExperienceSource("SELECT * FROM 'secret.csv'").find("secret"), std::string::npos);
  EXPECT_TRUE(IsSourceNamed("adult.csv.gz", "adult"));
  EXPECT_TRUE(IsSourceNamed("adult.csv.gz", "adult.csv"));
  EXPECT_FALSE(IsSourceNamed("adult.csv.gz", "adul"));
  EXPECT_FALSE(IsSourceNamed("adult.v2.csv", "adult"));
}

// 200 rows: a number that decides the class, a number with two values and missing ones, a category of 30.
Dataset Table(double missing_share) {
  Random random(1);
  std::vector<double> values, target;
  for (int i = 0; i < 200; ++i) {
    const double x = random.Normal();
    values.push_back(x);
    values.push_back(i < 200 * missing_share ? kNaN : i % 2);
    values.push_back(static_cast<double>(random.Below(30)));
    target.push_back(x > 1 ? 1 : 0);
  }
  return Dataset({false, false, true}, {0, 0, 30}, values, target, {}, 2);
}

TEST(DataDescription, SaysWhatTheTableIsLike) {
  const DataDescription data = DescribeData(Table(0.5));
  EXPECT_EQ(data.rows, 200);
  EXPECT_EQ(data.features, 3);
  EXPECT_EQ(data.classes, 2);
  EXPECT_DOUBLE_EQ(data.category_share, 1.0 / 3);
  EXPECT_EQ(data.largest_dictionary, 30);
  EXPECT_DOUBLE_EQ(data.missing_share, 0.5 / 3);
  EXPECT_DOUBLE_EQ(data.few_values_share, 0.5);
  EXPECT_NEAR(data.rarest_class_share, 0.16, 0.06);
  EXPECT_GT(data.strongest_feature, 0.6);
  EXPECT_EQ(ToText(DataDescription::FromJson(data.ToJson()).ToJson()), ToText(data.ToJson()));
}

TEST(DataDescription, AFeatureWithoutMeaningExplainsNothing) {
  Random random(2);
  std::vector<double> values, target;
  for (int i = 0; i < 1000; ++i) {
    values.push_back(static_cast<double>(random.Below(300)));  // many categories, few rows each
    target.push_back(random.Normal());
  }
  EXPECT_LT(DescribeData(Dataset({true}, {300}, values, target, {}, 0)).strongest_feature, 0.15);
}

TEST(DataDescription, TheSkewnessIsThatOfTheTarget) {
  // 0 nine times and 1 once: (1 - 2p) / √(p (1 - p)) with p = 0.1.
  std::vector<double> values(10, 1.0), target(10, 0.0);
  target[3] = 1;
  EXPECT_NEAR(DescribeData(Dataset({false}, {0}, values, target, {}, 0)).target_skew, 0.8 / 0.3, 1e-12);
}

TEST(DataDescription, LikeDataAreSimilar) {
  const DataDescription data = DescribeData(Table(0));
  DataDescription larger = data, other = data;
  larger.rows *= 1.3;
  other.classes = other.rarest_class_share = 0;
  EXPECT_DOUBLE_EQ(Similarity(data, data), 1);
  EXPECT_GT(Similarity(data, larger), 0.9);
  EXPECT_LT(Similarity(data, other), 0.35);
  EXPECT_GT(Similarity(data, other), 0);
}

TEST(DataDescription, EmptyTablesAreDescribed) {
  EXPECT_EQ(DescribeData(Dataset({}, {}, {}, {1, 2}, {}, 0)).features, 0);
  EXPECT_EQ(DescribeData(Dataset({false}, {0}, {}, {}, {}, 2)).rows, 0);
}

}  // namespace
}  // namespace everlearn
