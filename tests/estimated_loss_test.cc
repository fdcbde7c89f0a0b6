// The estimated loss on real streams with late outcomes: its band against what came, computed here from the rows themselves; the coverage
// of the intervals of a regression; and a drift of inputs that reaches the ledger's notices. Streams that this machine lacks are skipped.
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <filesystem>

#include "base/random.h"
#include "cli/replay_input.h"
#include "loop/step.h"

namespace everlearn {
namespace {

constexpr const char* kData = EVERLEARN_SOURCE_DIR "/../shared/data/";

struct RealStream {
  const char* file;
  const char* target;
  const char* kind;
  uint64_t delay;
};

// Bands, each given when the last one's rows had all matured; of rows that were all still waiting.
struct Coverage {
  int bands = 0, covered = 0;
};

Coverage RunStream(const RealStream& stream, LoopState* state, const ReplayInput& input) {
  struct Open {
    EstimatedLoss given;
    uint64_t first, end;  // rows
    double sum = 0;
  };
  Coverage coverage;
  std::optional<Open> open;
  Effects effects;
  Event event;
  const size_t width = state->options.is_category.size();
  const auto finish = [&] {
    const double realised = open->sum / static_cast<double>(open->end - open->first);
    ++coverage.bands;
    coverage.covered += open->given.lower <= realised && realised <= open->given.upper;
    open.reset();
  };
  for (uint64_t row = 0; row < input.schedule.rows; ++row) {
    event = {};
    event.row = row;
    event.features = input.values.data() + row * width;
    Step(*state, {.event = event}, &effects);
    if (row < stream.delay) continue;
    const uint64_t due = row - stream.delay;
    const double truth = input.target[due];
    if (open && due >= open->first && due < open->end)
      open->sum += state->loss.Of(state->pending.Find(due)->predictions.data(), truth, 1e-15);
    event.kind = EventKind::kOutcome;
    event.row = due;
    event.truth = truth;
    Step(*state, {.event = event}, &effects);
    if (open && due + 1 == open->end) finish();
    if (open) continue;
    const EstimatedLoss now = state->monitor.Estimated();
    EXPECT_LE(now.rows, stream.delay);
    if (!std::isnan(now.lower)) open = Open{now, due + 1, row + 1};
  }
  return coverage;
}

class RealStreams : public testing::TestWithParam<RealStream> {};

TEST_P(RealStreams, TheBandCoversTheLossThatComesAndTheIntervalsTheOutcomes) {
  const RealStream& stream = GetParam();
  const std::string source = std::string(kData) + stream.file;
  if (!std::filesystem::exists(source)) GTEST_SKIP() << source << " is not on this machine";
  TaskFlags flags;
  flags.task.target = stream.target;
  flags.task.kind = stream.kind;
  LoopFlags loop;
  loop.roster = {"online_linear"};
  loop.retrain = "never";
  LoopOptions options = ToLoopOptions(loop, flags, 1);
  CommonOptions common;
  common.quiet = true;
  std::vector<SchemaWarning> warnings;
  const ReplayInput input = ReadReplayInput(source, flags, loop, common, &options, &warnings);
  LoopState state(options);
  const Coverage bands = RunStream(stream, &state, input);
  const double share = bands.covered / static_cast<double>(bands.bands);
  std::printf("%s, outcomes %lu rows late: %d of %d bands hold the loss that came (%.3f, 0.95 asked)\n", stream.file,
              static_cast<unsigned long>(stream.delay), bands.covered, bands.bands, share);
  ASSERT_GE(bands.bands, 30);
  // Three deviations of a share of so many bands, and some for drift: what the first bands did not know of.
  EXPECT_GT(share, 0.95 - 3 * std::sqrt(0.95 * 0.05 / bands.bands) - 0.05);
  if (state.options.classes > 0) return;
  const double held = static_cast<double>(state.interval.covered()) / static_cast<double>(state.interval.rows());
  std::printf("  intervals hold %.3f of the outcomes (%.2f asked), half-width %.4g at the end\n", held, state.interval.coverage(),
              state.interval.Get());
  EXPECT_NEAR(held, state.interval.coverage(), 0.05);
}

std::string NameOf(const std::string& file) {
  const std::string name = file.substr(file.find('/') + 1);
  return name.substr(0, name.find('.'));
}

INSTANTIATE_TEST_SUITE_P(Loop, RealStreams,
                         testing::Values(RealStream{"streams/elec2.csv.gz", "class", "binary", 500},
                                         RealStream{"tabular/adult.csv.gz", "income", "binary", 500},
                                         RealStream{"streams/noaa_weather.csv.gz", "target", "binary", 300},
                                         RealStream{"streams/powersupply.csv.gz", "class", "multiclass", 400},
                                         RealStream{"tabular/covertype_100k.csv.gz", "cover_type", "multiclass", 1000},
                                         RealStream{"streams/metro_traffic.csv.gz", "traffic_volume", "regression", 300},
                                         RealStream{"tabular/bike_hour.csv.gz", "count", "regression", 200},
                                         RealStream{"tabular/california_housing.csv.gz", "median_house_value", "regression", 200}),
                         [](const auto& chosen) { return NameOf(chosen.param.file); });

LoopOptions TwoColumns(size_t classes) {
  LoopOptions options;
  options.metric = classes == 0 ? "rmse" : "log_loss";
  options.classes = classes;
  options.is_category = {false, true};
  options.columns = {"size", "colour"};
  options.roster = {"online_linear"};
  options.retrain = RetrainRule::kNever;
  return options;
}

TEST(Drift, AnAlarmIsOneNoticeWithItsColumnMeasuresAndEffect) {
  LoopState state(TwoColumns(2));
  Effects effects;
  Random random(1);
  std::vector<JsonObject> alarms;
  for (uint64_t row = 0; row < 60'000; ++row) {
    const bool changed = row >= 25'000;
    const double features[] = {random.Normal() + (changed ? 1.5 : 0), static_cast<double>(random.Below(4))};
    Event event;
    event.row = row;
    event.features = features;
    Step(state, {.event = event}, &effects);
    for (const LoopNotice& notice : effects.notices) {
      ASSERT_EQ(notice.kind, "drift");
      alarms.push_back(notice.detail);
    }
    event.kind = EventKind::kOutcome;
    // Small sizes are certain, large ones chance.
    event.truth = features[0] > 1 ? static_cast<double>(random.Below(2)) : features[1] > 1 ? 1 : 0;
    Step(state, {.event = event}, &effects);
  }
  ASSERT_EQ(alarms.size(), 2u) << "the column and the whole table, each once";
  EXPECT_EQ(alarms[0].at("column"), "size");
  EXPECT_GT(alarms[0].at("effect").as_double(), 0.05);
  EXPECT_GT(alarms[0].at("psi").as_double(), 0.25);
  EXPECT_TRUE(alarms[1].at("column").is_null());
  const JsonArray ranked = state.monitor.DriftJson(1);
  ASSERT_EQ(ranked.size(), 1u);
  EXPECT_EQ(ranked[0].at("column"), "size");
}

// Saved in the middle, the state goes on to the same bytes; for both kinds of task, before and after the reference is complete.
TEST(Drift, TheStateGoesOnFromACheckpoint) {
  for (const size_t classes : {0, 2}) {
    for (const uint64_t at : {900u, 14'000u}) {
      LoopState one(TwoColumns(classes)), two(TwoColumns(classes));
      Effects effects;
      Random random(2);
      const auto feed = [&](LoopState* state, uint64_t row, const double* features, double truth) {
        Event event;
        event.row = row;
        event.features = features;
        Step(*state, {.event = event}, &effects);
        if (row < 50) return;
        event.kind = EventKind::kOutcome;
        event.row = row - 50;
        event.truth = truth;
        Step(*state, {.event = event}, &effects);
      };
      for (uint64_t row = 0; row < 30'000; ++row) {
        const double features[] = {random.Normal(), static_cast<double>(random.Below(4))};
        const double truth = features[0] + random.Normal() > 0 ? 1 : 0;
        feed(&one, row, features, truth);
        if (row == at) two.Load(one.Save(), [](const std::string&) { return nullptr; });
        if (row > at) feed(&two, row, features, truth);
      }
      EXPECT_EQ(one.Save(), two.Save()) << classes << " classes, saved at row " << at;
      EXPECT_GT(one.monitor.drift().windows(), 0u);
      EXPECT_EQ(one.monitor.Estimated().rows, 50u);
    }
  }
}

}  // namespace
}  // namespace everlearn
