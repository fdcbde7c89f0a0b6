// The loop under simulated time, with crashes, delays, disorder and missing outcomes: whatever happens, the result is that of the calm run,
// and every decision can be recomputed from the ledger.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/random.h"
#include "data/folds.h"
#include "loop/records.h"
#include "loop/replay.h"

namespace everlearn {
namespace {

struct Crash {};

// A stream of two numbers and a category whose concept changes in the middle, with outcomes of random delay, some of which never come.
ReplayInput MakeStream(uint64_t seed, size_t rows, bool timed, size_t start, TaskKind kind) {
  Random random(seed);
  ReplayInput input;
  input.task.target = "y";
  input.task.kind = kind;
  input.task.metric = kind == TaskKind::kRegression ? "rmse" : "log_loss";
  if (kind != TaskKind::kRegression) input.task.labels = {"no", "yes"};
  Table table;
  table.rows = rows;
  table.columns.resize(3);
  for (int c = 0; c < 3; ++c) {
    Column& column = table.columns[static_cast<size_t>(c)];
    column.name = std::string(1, static_cast<char>('a' + c));
    column.type = c == 2 ? ColumnType::kCategory : ColumnType::kNumber;
    if (c == 2) column.dictionary = {"p", "q", "r"};
    ColumnSchema described;
    described.name = column.name;
    described.type = column.type;
    described.kind = ColumnTypeName(column.type);
    input.schema.columns.push_back(described);
  }
  int64_t now = 0;
  for (size_t i = 0; i < rows; ++i) {
    const double a = random.Normal(), b = random.Normal();
    table.columns[0].numbers.push_back(random.Below(50) == 0 ? kMissing : a);
    table.columns[1].numbers.push_back(b);
    table.columns[2].codes.push_back(static_cast<int32_t>(i < 3 ? i : random.Below(3)));
    const double z = (i < rows / 2 ? a + b : b - 2 * a) + 0.3 * random.Normal();
    const bool known = random.Below(20) != 0;
    input.target.push_back(!known ? kMissing : kind == TaskKind::kRegression ? z : z > 0 ? 1 : 0);
    input.schedule.has_outcome.push_back(known);
    now += static_cast<int64_t>(random.Below(60'000'000));
    if (!timed) continue;
    input.schedule.times.push_back(now);
    input.schedule.outcome_times.push_back(random.Below(30) == 0 ? kNoTime : now + static_cast<int64_t>(random.Below(3'600'000'000)));
  }
  input.schedule.rows = rows;
  input.space = FeatureSpace::Build(table, input.schema, input.task, false);
  input.values = input.space.Encode(table);
  input.start = start;
  return input;
}

ReplayOptions OptionsFor(const ReplayInput& input, bool window) {
  ReplayOptions options;
  options.loop.metric = input.task.metric;
  options.loop.classes = input.task.labels.size();
  for (const Feature& feature : input.space.features()) options.loop.is_category.push_back(feature.is_category());
  options.loop.history = input.start > 0;
  if (window) options.loop.window_time = 1'800'000'000;
  options.loop.retrain = RetrainRule::kEveryRows;
  options.loop.retrain_every = 900;
  options.loop.budget_units = 20;
  options.keeps_ledger = true;
  return options;
}

// What must be equal: all but the seconds of CPU.
std::string Comparable(JsonObject result) {
  for (Json& member : result["members"].as_array()) member.as_object().erase("cpu_seconds");
  return ToText(result);
}

JsonObject RunOn(const ReplayInput& input, const ReplayOptions& options, const std::string& path) {
  const EncodedRows encoded = input.Encoded();
  const auto trainer = MakeInlineTrainer(encoded);
  const auto ledger = OpenLedger(path, {.durability = Durability::kProcess});
  return RunReplay(input, options, *trainer, *ledger);
}

struct Case {
  const char* name;
  bool timed, window;
  size_t start;
  TaskKind kind;
};

class Simulation : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("everlearn_simulation_" + std::to_string(::getpid()) + GetParam().name);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  std::filesystem::path folder_;
};

constexpr size_t kRows = 12'000;

TEST_P(Simulation, CrashesLeaveNoTrace) {
  const Case& c = GetParam();
  const ReplayInput input = MakeStream(3, kRows, c.timed, c.start, c.kind);
  const std::string calm = Comparable(RunOn(input, OptionsFor(input, c.window), Path("calm.db")));
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    Random random(seed);
    const std::string path = Path("rough" + std::to_string(seed) + ".db");
    std::string rough;
    for (int attempt = 0; rough.empty() && attempt < 100; ++attempt) {
      // The crash loses whatever was not committed: the ledger object goes without a commit.
      ReplayOptions options = OptionsFor(input, c.window);
      uint64_t left = 1 + random.Below(4000);
      if (attempt < 6) {
        options.stop = [&left] {
          if (--left == 0) throw Crash();
          return false;
        };
      }
      try {
        rough = Comparable(RunOn(input, options, path));
      } catch (const Crash&) {
      }
    }
    EXPECT_EQ(rough, calm) << "seed " << seed;
  }
}

TEST_P(Simulation, EveryDecisionIsRecomputedFromTheLedger) {
  const Case& c = GetParam();
  const ReplayInput input = MakeStream(4, kRows, c.timed, c.start, c.kind);
  RunOn(input, OptionsFor(input, c.window), Path("decisions.db"));
  const auto ledger = OpenLedger(Path("decisions.db"), {.read_only = true});
  const auto decisions = ledger->Decisions();
  // The frozen model of day one must lose after the change.
  if (c.start > 0) {
    EXPECT_FALSE(decisions.empty());
  }
  for (const LedgerDecision& decision : decisions) {
    const JsonObject explained = ExplainDecision(*ledger, decision.number);
    EXPECT_TRUE(explained.at("recomputed_equal").as_bool()) << ToText(explained);
  }
  const auto state = StateOf(*ledger);
  EXPECT_EQ(state->pending.next_row(), kRows);
}

TEST_P(Simulation, AFinishedReplayAnswersAgain) {
  const Case& c = GetParam();
  const ReplayInput input = MakeStream(5, 3000, c.timed, c.start > 0 ? 1500 : 0, c.kind);
  const ReplayOptions options = OptionsFor(input, c.window);
  const std::string first = ToText(RunOn(input, options, Path("again.db")));
  EXPECT_EQ(ToText(RunOn(input, options, Path("again.db"))), first);
  ReplayOptions other = options;
  other.loop.seed = 99;
  EXPECT_THROW(RunOn(input, other, Path("again.db")), Error);
}

INSTANTIATE_TEST_SUITE_P(Loop, Simulation,
                         testing::Values(Case{"Untimed", false, false, 0, TaskKind::kBinary},
                                         Case{"UntimedStart", false, false, 2000, TaskKind::kBinary},
                                         Case{"Timed", true, false, 2000, TaskKind::kBinary},
                                         Case{"Window", true, true, 2000, TaskKind::kBinary},
                                         Case{"Regression", true, true, 2000, TaskKind::kRegression}),
                         [](const auto& chosen) { return chosen.param.name; });

TEST(Leakage, ShuffledOutcomesArePredictedAsChance) {
  ReplayInput input = MakeStream(6, 6000, false, 0, TaskKind::kBinary);
  Random random(1);
  for (double& y : input.target)
    if (!std::isnan(y)) y = random.Uniform() < 0.5 ? 1 : 0;
  const JsonObject result = RunOn(input, OptionsFor(input, false), "");
  EXPECT_NEAR(NumberField(result.at("served"), "accuracy"), 0.5, 0.025);
}

// A label that is its predecessor's says nothing while that predecessor is not known.
TEST(Leakage, DelayedOutcomesAreNotUsedBeforeTheyAreKnown) {
  ReplayInput input = MakeStream(7, 6000, false, 0, TaskKind::kBinary);
  Random random(2);
  double label = 0;
  for (size_t i = 0; i < input.target.size(); ++i) {
    if (random.Uniform() < 0.05) label = 1 - label;
    input.target[i] = label;
    input.schedule.has_outcome[i] = true;
  }
  const double now = NumberField(RunOn(input, OptionsFor(input, false), "").at("served"), "accuracy");
  input.schedule.delay_rows = 200;
  const double later = NumberField(RunOn(input, OptionsFor(input, false), "").at("served"), "accuracy");
  EXPECT_GT(now, 0.85);
  EXPECT_LT(later, 0.6);
}

}  // namespace
}  // namespace everlearn
