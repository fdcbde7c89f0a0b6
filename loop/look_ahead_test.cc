// Members taken ahead through a stretch say and learn what they would row by row: every served prediction is equal to the last bit, with
// and without delay, on one thread and on three, where a budget lets members rest, and in a whole replay.
#include "loop/look_ahead.h"

#include <gtest/gtest.h>

#include <bit>
#include <filesystem>

#include "base/random.h"
#include "loop/learners_test_support.h"
#include "loop/replay.h"
#include "loop/step.h"

namespace everlearn {
namespace {

constexpr size_t kRows = 3000, kFeatures = 2;

struct Stream {
  ScheduleInput schedule;
  std::vector<double> values, target;
};

Stream MakeStream(size_t classes, uint64_t delay, size_t rows = kRows) {
  Stream stream;
  Random random(5);
  stream.schedule.rows = rows;
  stream.schedule.delay_rows = delay;
  for (size_t row = 0; row < rows; ++row) {
    const double a = random.Uniform() - 0.5;
    stream.values.insert(stream.values.end(), {a, random.Normal()});
    stream.target.push_back(classes == 0 ? a + random.Normal() : random.Uniform() < 0.5 + a ? 1 : 0);
    stream.schedule.has_outcome.push_back(random.Below(10) > 0);
  }
  return stream;
}

LoopOptions Options(size_t classes) {
  LoopOptions options;
  options.metric = classes == 0 ? "rmse" : "log_loss";
  options.classes = classes;
  options.is_category.assign(kFeatures, false);
  options.roster = {"steady:rate=0.01", "follower:slope=1", "follower:rate=0.3;units=1", "blend"};
  options.retrain = RetrainRule::kNever;
  return options;
}

struct Served {
  std::vector<uint64_t> bits;  // of all predictions of all members, in the order of rows
  std::string state;           // at the end
  uint32_t rests = 0;          // of one member, at most
};

Served ServeAll(const Stream& stream, const LoopOptions& options, size_t history, int threads, bool ahead) {
  const Schedule schedule(stream.schedule);
  LoopState state(options);
  LookAhead look(schedule, stream.values, stream.target, history, threads);
  Served served;
  Effects effects;
  Event event;
  for (size_t item = 0, end = 0; item < schedule.size(); ++item) {
    if (ahead && item >= end) {
      look.Prepare(&state, item);
      end = look.end();
    }
    event.row = schedule.row(item);
    event.kind = schedule.is_outcome(item) ? EventKind::kOutcome : EventKind::kRow;
    event.truth = stream.target[event.row];
    event.features = stream.values.data() + event.row * kFeatures;
    event.history = event.row < history;
    Step(state, {.event = event, .ahead = ahead ? &look : nullptr}, &effects);
    if (effects.predicted == nullptr) continue;
    for (const uint32_t member : effects.predicted->members) served.bits.push_back(member);
    for (const double p : effects.predicted->predictions) served.bits.push_back(std::bit_cast<uint64_t>(p));
  }
  served.state = state.Save();
  for (const Member& member : state.roster.members) served.rests = std::max(served.rests, member.rests);
  return served;
}

TEST(LookAhead, ServesTheSameBitsAsRowByRow) {
  for (const size_t classes : {0, 2}) {
    for (const uint64_t delay : {0, 1, 40, 700}) {  // the last is longer than a stretch
      const Stream stream = MakeStream(classes, delay);
      const Served plain = ServeAll(stream, Options(classes), 0, 1, false);
      ASSERT_GT(plain.bits.size(), kRows);
      for (const int threads : {1, 3}) {
        const Served ahead = ServeAll(stream, Options(classes), 0, threads, true);
        ASSERT_EQ(ahead.bits, plain.bits) << classes << " classes, delay " << delay << ", threads " << threads;
        ASSERT_EQ(ahead.state, plain.state) << classes << " classes, delay " << delay << ", threads " << threads;
      }
    }
  }
}

TEST(LookAhead, HistoryIsLearntFromAndNotPredicted) {
  LoopOptions options = Options(2);
  options.roster = {"steady", "follower:slope=1"};
  for (const uint64_t delay : {0, 40}) {
    const Stream stream = MakeStream(2, delay);
    const Served plain = ServeAll(stream, options, 777, 1, false), ahead = ServeAll(stream, options, 777, 2, true);
    EXPECT_EQ(ahead.bits, plain.bits);
    EXPECT_EQ(ahead.state, plain.state);
  }
}

TEST(LookAhead, WhoRestsIsAskedNeitherWay) {
  LoopOptions options = Options(2);
  options.row_units = 0.1;
  LoopOptions all = options;
  all.row_units = 0;
  // Of the long delays, rows that lie in a rest still wait when the next one is decided: in the ring, and beside it.
  for (const auto& [delay, rows] : {std::pair<uint64_t, size_t>{20, 16'000}, {4500, 45'000}, {12'000, 55'000}}) {
    const Stream stream = MakeStream(2, delay, rows);
    const Served plain = ServeAll(stream, options, 0, 1, false), ahead = ServeAll(stream, options, 0, 2, true);
    EXPECT_EQ(ahead.bits, plain.bits) << delay;
    EXPECT_EQ(ahead.state, plain.state) << delay;
    EXPECT_GE(plain.rests, delay == 20 ? 1u : 2u);
    EXPECT_LT(plain.bits.size(), ServeAll(stream, all, 0, 1, false).bits.size()) << delay;  // somebody did rest
  }
}

TEST(LookAhead, FitsWhereEveryOutcomeIsLearntWhenItComes) {
  LoopOptions options = Options(2);
  options.most_waiting = 1000;
  ScheduleInput schedule{.rows = 5000};
  EXPECT_TRUE(LookAhead::Fits(options, schedule));
  schedule.delay_rows = 999;
  EXPECT_TRUE(LookAhead::Fits(options, schedule));
  schedule.delay_rows = 1000;  // rows are given up before their outcome comes
  EXPECT_FALSE(LookAhead::Fits(options, schedule));
  schedule.delay_rows = 0;
  schedule.delay_time = 1;  // any number of rows may come in between
  EXPECT_FALSE(LookAhead::Fits(options, schedule));
  schedule.rows = 900;
  EXPECT_TRUE(LookAhead::Fits(options, schedule));
  options.window_rows = 5000;
  EXPECT_FALSE(LookAhead::Fits(options, schedule));
  options.window_rows = 0;
  options.window_time = 1;
  EXPECT_FALSE(LookAhead::Fits(options, schedule));
}

// What a replay wrote into its ledger. A window that no outcome misses forces it to go row by row.
TEST(LookAhead, AReplayServesTheSameWithAndWithout) {
  const Stream stream = MakeStream(2, 0);
  ReplayInput input;
  input.task.target = "y";
  input.task.kind = TaskKind::kBinary;
  input.task.metric = "log_loss";
  input.task.labels = {"no", "yes"};
  input.values = stream.values;
  input.target = stream.target;
  input.schedule = stream.schedule;
  const auto folder = std::filesystem::temp_directory_path() / ("everlearn_look_ahead_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::vector<std::vector<uint64_t>> served;
  for (const uint64_t window : {0, 5000}) {
    ReplayOptions options;
    options.loop = Options(2);
    options.loop.window_rows = window;
    options.threads = 2;
    const EncodedRows encoded{.classes = 2, .is_category = options.loop.is_category, .values = input.values, .target = input.target};
    const auto trainer = MakeInlineTrainer(encoded);
    const auto ledger = OpenLedger((folder / std::to_string(window)).string(), {.durability = Durability::kProcess});
    RunReplay(input, options, *trainer, *ledger);
    std::vector<uint64_t>& bits = served.emplace_back();
    Event event;
    ledger->ReadEvents(1, ledger->last_event(), [&](uint64_t, std::string_view bytes) {
      DecodeEvent(bytes, 2, true, &event);
      if (event.kind == EventKind::kRow)
        for (const double p : event.predictions) bits.push_back(std::bit_cast<uint64_t>(p));
      return true;
    });
  }
  std::filesystem::remove_all(folder);
  ASSERT_EQ(served[0].size(), kRows * 4 * 2);
  EXPECT_EQ(served[0], served[1]);
}

}  // namespace
}  // namespace everlearn
