// Tasks that are served, under simulated time: what every status of an outcome means, and that a crash at any moment leaves exactly what
// was committed, with the same state, learnt again from the ledger.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "loop/live_task.h"
#include "loop/recompute.h"
#include "loop/records.h"
#include "tests/live_world.h"

namespace everlearn {
namespace {

class LiveTest : public testing::Test {
 protected:
  LiveTest() : folder_(std::filesystem::temp_directory_path() / ("live_test_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~LiveTest() override { std::filesystem::remove_all(folder_); }

  // Opens the ledger again, as after a crash; what was not committed is gone.
  void Open() {
    task_.reset();
    store_.reset();
    store_ = OpenLedgerStore(folder_ / "a.db", {Durability::kProcess});
    Ledger& ledger = store_->Open("t");
    const bool is_new = !ledger.Fact(kTaskFact);
    if (is_new) LiveTask::Create(ledger, MakeFrame(), MakeOptions());
    LiveOptions options;
    options.clock = [this] { return now_ += tick_; };
    options.checkpoint_events = 200;
    options.checkpoint_bytes = 700;  // several pieces each
    task_ = std::make_unique<LiveTask>("t", ledger, trainer_of_(ledger), options);
  }

  void Begin(World* world, int rows) {
    Open();
    for (int i = 0; i < rows; ++i) {
      double truth = 0;
      const JsonObject row = world->Row(false, &truth);
      task_->AddHistory(row, truth);
    }
    store_->Commit();
    task_->EndHistory();
    task_->CatchUp(0);
    store_->Commit();
    ASSERT_NE(task_->snapshot(), nullptr);
  }

  std::string Ask(const JsonObject& row) {
    const auto snapshot = task_->snapshot();
    AnsweredRow answered;
    answered.features.resize(snapshot->frame().space.size());
    answered.unseen = snapshot->encoder().Encode(row, RowEncoder::Absent::kRefused, answered.features.data());
    answered.key = snapshot->encoder().Key(row);
    answered.text = ToText(row);
    answered.learnt = snapshot->learnt();
    snapshot->Predict(answered.features.data(), &answered.members, &answered.predictions);
    last_ = answered.predictions[1];
    now_ += 1000;
    return task_->AddRow(answered);
  }

  // All but what measures time.
  std::string Status() const {
    return ToText(StatusJson(task_->state(), task_->frame().task, std::vector<double>(task_->state().roster.members.size() + 1)));
  }

  std::function<std::unique_ptr<Trainer>(const Ledger&)> trainer_of_ = [](const Ledger& ledger) {
    return std::make_unique<LedgerInlineTrainer>(ledger);
  };
  std::filesystem::path folder_;
  int64_t now_ = 1'700'000'000'000'000;
  int64_t tick_ = 0;  // that passes whenever the clock is looked at
  std::shared_ptr<LedgerStore> store_;
  std::unique_ptr<LiveTask> task_;
  double last_ = 0;
};

TEST_F(LiveTest, OutcomesAreJoinedExactlyOnce) {
  World world(1);
  Begin(&world, 600);
  double truth = 0;
  const std::string id = Ask(world.Row(false, &truth));
  EXPECT_EQ(task_->AddOutcome(id, truth, kNoTime), OutcomeStatus::kJoined);
  EXPECT_EQ(task_->AddOutcome(id, truth, kNoTime), OutcomeStatus::kDuplicate);
  EXPECT_EQ(task_->state().served.rows(), 1u);
  const double before = task_->state().served.Value("accuracy");
  EXPECT_EQ(task_->AddOutcome(id, 1 - truth, kNoTime), OutcomeStatus::kCorrected);
  EXPECT_EQ(task_->state().served.Value("accuracy"), 1 - before);
  EXPECT_EQ(task_->state().served.rows(), 1u);
  for (const char* wrong : {"", "0", "zzz", "258-00000000", "ffffffffffffffffffffff-00000000"})
    EXPECT_EQ(task_->AddOutcome(wrong, 1, kNoTime), OutcomeStatus::kUnknown) << wrong;

  JsonObject row = world.Row(false, &truth);
  const uint64_t key = task_->encoder().Key(row);
  EXPECT_EQ(task_->AddOutcomeByKey(key, truth, kNoTime), OutcomeStatus::kEarly);
  Ask(row);
  EXPECT_EQ(task_->state().served.rows(), 1u) << "an outcome that was known before is never scored";
  EXPECT_EQ(task_->AddOutcomeByKey(key, truth, kNoTime), OutcomeStatus::kDuplicate);
  EXPECT_EQ(task_->AddOutcomeByKey(key, 1 - truth, kNoTime), OutcomeStatus::kCorrected);
  Ask(row);
  EXPECT_EQ(task_->AddOutcomeByKey(key, 1 - truth, kNoTime), OutcomeStatus::kDuplicate) << "another prediction takes the corrected outcome";
  row = world.Row(false, &truth);
  Ask(row);
  Ask(row);
  EXPECT_EQ(task_->AddOutcomeByKey(task_->encoder().Key(row), truth, kNoTime), OutcomeStatus::kJoined);
  EXPECT_EQ(task_->state().served.rows(), 3u) << "every prediction of a key gets its outcome";
}

TEST_F(LiveTest, ACrashAtAnyMomentLeavesWhatWasCommitted) {
  World world(2);
  Begin(&world, 800);
  Random random(7);
  std::vector<std::pair<std::string, double>> open;
  std::string committed = Status();
  int crashes = 0;
  for (int step = 0; step < 2500; ++step) {
    double truth = 0;
    open.emplace_back(Ask(world.Row(step > 1200, &truth)), truth);
    while (open.size() > random.Below(40)) {
      const size_t i = random.Below(open.size());
      ASSERT_EQ(task_->AddOutcome(open[i].first, open[i].second, kNoTime), OutcomeStatus::kJoined);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (random.Below(4) == 0) task_->CatchUp(0);
    if (random.Below(200) == 0) task_->Checkpoint();
    if (random.Below(10) == 0) {
      store_->Commit();
      committed = Status();
    }
    if (random.Below(100) != 0) continue;
    ++crashes;
    Open();
    ASSERT_EQ(Status(), committed) << "after step " << step;
    open.clear();  // which of them were lost, their askers know
  }
  EXPECT_GT(crashes, 10);
  store_->Commit();
  const Ledger& ledger = store_->Open("t");
  ledger.VerifyChain();
  const std::vector<LedgerDecision> decisions = ledger.Decisions();
  ASSERT_FALSE(decisions.empty()) << "the world changed, and nothing was promoted";
  for (const LedgerDecision& decision : decisions) EXPECT_TRUE(ExplainDecision(ledger, decision.number).at("recomputed_equal").as_bool());
}

// So that requests need not wait for them; but an outcome does, since members learn from it.
TEST_F(LiveTest, ShadowsScoreALittleAtATimeAndAllBeforeAnOutcome) {
  World world(8);
  Begin(&world, 600);
  constexpr size_t kRows = 40;
  std::vector<std::pair<std::string, double>> asked;
  for (size_t i = 0; i < kRows; ++i) {
    double truth = 0;
    asked.emplace_back(Ask(world.Row(false, &truth)), truth);
  }
  EXPECT_EQ(task_->unscored(), kRows);
  EXPECT_NE(Status().find("\"loss\": {\"value\": null"), std::string::npos) << "a loss of no rows is none, not 0";
  tick_ = 100;
  task_->CatchUp(0, 1000);
  EXPECT_LT(task_->unscored(), kRows);
  EXPECT_GT(task_->unscored(), kRows / 2);
  tick_ = 0;
  for (const auto& [id, truth] : asked) {
    ASSERT_EQ(task_->AddOutcome(id, truth, kNoTime), OutcomeStatus::kJoined);
    EXPECT_EQ(task_->unscored(), 0u);
  }
  for (const Member& member : task_->state().roster.members) EXPECT_EQ(member.score.rows(), kRows) << member.name;
}

TEST_F(LiveTest, WishesOfAnOperator) {
  World world(3);
  Begin(&world, 600);
  const std::string before = task_->snapshot()->champion();
  EXPECT_THROW(task_->Wish("rollback", "", "me"), Error);
  EXPECT_THROW(task_->Wish("promote", "nobody", "me"), Error);
  EXPECT_THROW(task_->Wish("promote", before, "me"), Error);
  task_->Wish("promote", "blend", "me");
  task_->CatchUp(0);
  EXPECT_EQ(task_->snapshot()->champion(), "blend");
  task_->Wish("rollback", "", "me");
  task_->Wish("pause", "", "me");
  task_->CatchUp(0);
  store_->Commit();
  EXPECT_EQ(task_->snapshot()->champion(), before);
  EXPECT_TRUE(task_->state().paused);
  const std::vector<LedgerNotice> notices = store_->Open("t").Notices();
  ASSERT_EQ(notices.size(), 3u);
  EXPECT_EQ(notices[0].kind, "promoted");
  EXPECT_NE(notices[0].body.find("\"by\": \"me\""), std::string::npos) << notices[0].body;
  EXPECT_EQ(notices[1].kind, "rolled_back");
  EXPECT_EQ(notices[2].kind, "paused");
  Open();
  EXPECT_TRUE(task_->state().paused);
  EXPECT_EQ(task_->snapshot()->champion(), before);
}

// Out of processes or file descriptors: a training fails, and nothing else does.
TEST_F(LiveTest, AWorkerThatCannotBeStartedIsATrainingThatFailed) {
  class NoWorkers : public LedgerInlineTrainer {
   public:
    using LedgerInlineTrainer::LedgerInlineTrainer;
    void Start(uint32_t ticket, const TrainingJob& job) override {
      if (ticket > 0) throw Error(ErrorKind::kResource, "too many open files");
      LedgerInlineTrainer::Start(ticket, job);
    }
  };
  trainer_of_ = [](const Ledger& ledger) { return std::make_unique<NoWorkers>(ledger); };
  World world(5);
  Begin(&world, 600);
  for (int i = 0; i < 720; ++i) {
    double truth = 0;
    const std::string id = Ask(world.Row(false, &truth));
    ASSERT_EQ(task_->AddOutcome(id, truth, kNoTime), OutcomeStatus::kJoined);
    task_->CatchUp(0);
  }
  store_->Commit();
  EXPECT_EQ(task_->state().served.rows(), 720u);
  const std::vector<LedgerNotice> notices = store_->Open("t").Notices();
  ASSERT_FALSE(notices.empty());
  EXPECT_EQ(notices[0].kind, "failed");
  EXPECT_NE(notices[0].body.find("too many open files"), std::string::npos) << notices[0].body;
  Open();
  EXPECT_EQ(task_->state().served.rows(), 720u);
}

TEST_F(LiveTest, NobodyIsPromotedBeforeTheFirstModel) {
  World world(6);
  Open();
  double truth = 0;
  task_->AddHistory(world.Row(false, &truth), truth);
  EXPECT_THROW(task_->Wish("promote", "online_linear", "me"), Error);
  EXPECT_THROW(task_->Wish("rollback", "", "me"), Error);
}

TEST(LiveTaskIds, HaveAFormThatKeysSeldomHave) {
  EXPECT_TRUE(LiveTask::LooksLikeId("258-0a1b2c3d"));
  for (const char* other : {"258", "", "-0a1b2c3d", "258-0A1B2C3D", "x58-0a1b2c3d", "258-0a1b2c3d9", "2020-01-01"})
    EXPECT_FALSE(LiveTask::LooksLikeId(other)) << other;
}

TEST_F(LiveTest, ShadowsOfASampleStayPaired) {
  World world(4);
  Begin(&world, 600);
  for (int i = 0; i < 512; ++i) {
    double truth = 0;
    const std::string id = Ask(world.Row(false, &truth));
    task_->CatchUp(2);
    task_->AddOutcome(id, truth, kNoTime);
  }
  uint64_t scored = 0;
  for (const Member& member : task_->state().roster.members)
    if (member.name == "running_majority") scored = member.score.rows();
  EXPECT_GT(scored, 90u);
  EXPECT_LT(scored, 170u);
  EXPECT_EQ(task_->state().served.rows(), 512u);
}

TEST_F(LiveTest, RowsOfTheSourceAreTestedThenTrained) {
  World world(5);
  Begin(&world, 600);
  const auto row = [&](double* truth) {
    SourceRow made;
    made.row = world.Row(false, truth);
    made.key = task_->encoder().Key(made.row);
    return made;
  };
  double truth = 0;
  SourceRow first = row(&truth);
  first.truth = truth;
  EXPECT_TRUE(task_->AddSourceRow(first));
  EXPECT_EQ(task_->state().served.rows(), 1u);
  EXPECT_FALSE(task_->AddSourceRow(first)) << "a key is predicted once";
  EXPECT_EQ(task_->state().predicted, 1u);
  EXPECT_EQ(task_->state().outcomes, 601u);

  // Without its outcome yet; the same key brings it.
  SourceRow second = row(&truth);
  EXPECT_TRUE(task_->AddSourceRow(second));
  second.truth = truth;
  EXPECT_FALSE(task_->AddSourceRow(second));
  EXPECT_EQ(task_->state().served.rows(), 2u);

  // What was asked for by a request gets its outcome, and is not predicted again.
  SourceRow third = row(&truth);
  const std::string id = Ask(third.row);
  third.truth = truth;
  EXPECT_FALSE(task_->AddSourceRow(third));
  EXPECT_EQ(task_->AddOutcome(id, truth, kNoTime), OutcomeStatus::kDuplicate);

  // Known before its own row: learnt from, never scored.
  SourceRow early = row(&truth);
  early.truth = truth;
  early.due = now_ - 1;
  EXPECT_TRUE(task_->AddSourceRow(early));
  EXPECT_EQ(task_->state().served.rows(), 3u);
  EXPECT_EQ(task_->state().outcomes, 604u);
}

TEST_F(LiveTest, OutcomesOfTheSourceWaitForTheirTimeAcrossCrashes) {
  World world(6);
  Begin(&world, 600);
  for (int i = 0; i < 50; ++i) {
    SourceRow row;
    double truth = 0;
    row.row = world.Row(false, &truth);
    row.key = task_->encoder().Key(row.row);
    row.truth = truth;
    row.after = 10'000;
    now_ += 1000;
    task_->AddSourceRow(row);
    if (i == 20) store_->Commit();
    if (i == 25) {  // rows that were not committed are gone with their outcomes
      store_->Rollback();
      task_->Reload();
      EXPECT_EQ(task_->state().predicted, 21u);
      EXPECT_EQ(task_->waiting_outcomes(), 10u);
    }
  }
  EXPECT_EQ(task_->state().predicted, 45u);
  EXPECT_EQ(task_->waiting_outcomes(), 10u);
  store_->Commit();
  const std::string before = Status();
  Open();
  EXPECT_EQ(Status(), before);
  EXPECT_EQ(task_->waiting_outcomes(), 10u);
  now_ += 10'000;
  task_->CatchUp(0);
  EXPECT_EQ(task_->waiting_outcomes(), 0u);
  EXPECT_EQ(task_->state().served.rows(), 45u);
}

TEST_F(LiveTest, ChangedOptionsAreAnEventThatIsRecomputed) {
  World world(7);
  Begin(&world, 900);
  const auto run = [&](int rows, bool changed) {
    for (int i = 0; i < rows; ++i) {
      double truth = 0;
      const std::string id = Ask(world.Row(changed, &truth));
      task_->CatchUp(0);
      task_->AddOutcome(id, truth, kNoTime);
    }
  };
  task_->Configure({{"autonomy", 0}, {"retrain", 1}}, {"autonomy is observe, was act"});
  run(3000, true);
  EXPECT_EQ(task_->state().decisions, 0u) << "it only observes";
  EXPECT_EQ(task_->state().requests_made, 0u) << "it never trains";
  task_->Checkpoint();
  store_->Commit();
  Open();
  EXPECT_EQ(task_->state().options.autonomy, Autonomy::kObserve) << "the checkpoint carries it";
  task_->Configure({{"autonomy", 2}, {"minimum_gain", 0.001}}, {});
  store_->Commit();
  Open();
  EXPECT_EQ(task_->state().options.autonomy, Autonomy::kAct) << "the event carries it";
  EXPECT_EQ(task_->state().options.evidence.minimum_gain, 0.001);
  run(1500, true);
  EXPECT_GT(task_->state().decisions, 0u);
  store_->Commit();
  const Recomputation all = RecomputeAll(task_->ledger());
  EXPECT_EQ(all.difference, "");
  EXPECT_EQ(all.state->options.autonomy, Autonomy::kAct);
  EXPECT_EQ(all.state->decisions, task_->state().decisions);
  EXPECT_THROW(task_->Configure({{"metric", "brier"}}, {}), Error);
  EXPECT_THROW(task_->Configure({{"autonomy", 9}}, {}), Error);
}

}  // namespace
}  // namespace everlearn
