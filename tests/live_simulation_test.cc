// A served task under simulated time, for many seeds: crashes, commits that fail, requests sent again, outcomes that are late, early,
// repeated, corrected or never come, a clock that is set back. Whatever happens: what was told is there, counted once, and every decision
// follows from the ledger. A failure names its seed: EVERLEARN_SEED=N runs that one alone, EVERLEARN_SEEDS=N as many from the first on.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "loop/live_task.h"
#include "loop/records.h"
#include "loop/verify.h"
#include "tests/live_world.h"

namespace everlearn {
namespace {

constexpr uint64_t kSeeds = 300;  // as many as the usual tests have time for
constexpr int64_t kSecond = 1'000'000;

// What the callers of a service remember of one prediction.
struct Asked {
  std::string id;
  uint64_t key;
  double truth;
  bool told = false;   // the outcome was sent, and the answer came
  bool early = false;  // before the row was asked about: never scored
};

class Life {
 public:
  Life(uint64_t seed, const std::filesystem::path& folder) : random_(seed), world_(seed + 1), path_(folder / "a.db") {
    std::filesystem::remove(path_);
    options_ = MakeOptions();
    options_.roster = {"no_change", "running_majority", "online_linear", "linear", "blend"};
    options_.retrain = random_.Below(2) == 0 ? RetrainRule::kAuto : RetrainRule::kEveryRows;
    options_.retrain_every = 150;
    options_.history = true;
    options_.evidence.half_life = 200;
    options_.evidence.error_rate = 0.5;  // decisions are wanted here
    if (random_.Below(2) == 0) options_.window_time = 40 * kSecond;
    if (options_.has_window() && random_.Below(2) == 0) options_.missing_outcome = 0;
    changes_at_ = 20 + static_cast<int>(random_.Below(60));
    late_ = 1 + random_.Below(60);
  }

  void Run() {
    Open();
    for (int i = 0; i < 120; ++i) {
      double truth = 0;
      const JsonObject row = world_.Row(false, &truth);
      task_->AddHistory(row, truth);
    }
    task_->EndHistory();
    task_->CatchUp(0);
    ASSERT_TRUE(Commit());
    for (int turn = 0; turn < 250 && !testing::Test::HasFatalFailure(); ++turn) Turn(turn);
    if (!testing::Test::HasFatalFailure()) CheckAll();
  }

 private:
  // As after a crash: what was not committed is gone.
  void Open() {
    task_.reset();
    store_.reset();
    store_ = OpenLedgerStore(path_, {Durability::kProcess});
    Ledger& ledger = store_->Open("t");
    if (!ledger.Fact(kTaskFact)) LiveTask::Create(ledger, MakeFrame(), options_);
    LiveOptions live;
    live.clock = [this] { return now_; };
    live.checkpoint_events = 60;
    live.checkpoint_bytes = 2000;
    task_ = std::make_unique<LiveTask>("t", ledger, std::make_unique<LedgerInlineTrainer>(ledger), live);
  }

  // The engine's rule: answers leave after the commit; where it fails, nothing of the turn has happened.
  bool Commit() {
    if (failing_) {
      store_->Rollback();
      task_->Reload();
      return false;
    }
    store_->Commit();
    committed_ = Status();
    return true;
  }

  std::string Status() const {
    return ToText(StatusJson(task_->state(), task_->frame().task, std::vector<double>(task_->state().roster.members.size() + 1)));
  }

  Asked Ask(int turn) {
    Asked asked;
    const JsonObject row = world_.Row(turn > changes_at_, &asked.truth);
    const auto snapshot = task_->snapshot();
    AnsweredRow answered;
    answered.features.resize(snapshot->frame().space.size());
    answered.unseen = snapshot->encoder().Encode(row, RowEncoder::Absent::kRefused, answered.features.data());
    asked.key = answered.key = snapshot->encoder().Key(row);
    if (random_.Below(15) == 0) {
      EXPECT_EQ(task_->AddOutcomeByKey(asked.key, asked.truth, kNoTime), OutcomeStatus::kEarly);
      asked.told = asked.early = true;
    }
    answered.text = ToText(row);
    answered.learnt = snapshot->learnt();
    snapshot->Predict(answered.features.data(), &answered.members, &answered.predictions);
    asked.id = task_->AddRow(answered);
    return asked;
  }

  OutcomeStatus Send(const Asked& asked, double truth) {
    return random_.Below(2) == 0 ? task_->AddOutcome(asked.id, truth, kNoTime) : task_->AddOutcomeByKey(asked.key, truth, kNoTime);
  }

  void Wish() {
    const char* words[] = {"promote", "rollback", "pause", "resume"};
    const Roster& roster = task_->state().roster;
    try {
      task_->Wish(words[random_.Below(4)], roster.members[random_.Below(roster.members.size())].name, "somebody");
    } catch (const Error&) {
      // Of a champion, a retired member, or with nobody to go back to: refused, and nothing has changed.
    }
  }

  void Turn(int turn) {
    now_ += static_cast<int64_t>(random_.Below(2 * kSecond));
    if (random_.Below(100) == 0) now_ -= 3600 * kSecond;  // the clock is set back
    if (random_.Below(100) == 0) now_ += 3600 * kSecond;
    failing_ = random_.Below(25) == 0;
    std::vector<Asked> fresh;
    std::vector<std::pair<size_t, double>> sent;
    std::vector<OutcomeStatus> answers;
    for (uint64_t n = random_.Below(6); n > 0; --n) fresh.push_back(Ask(turn));
    for (uint64_t n = random_.Below(8); n > 0 && !asked_.empty(); --n) {
      const size_t i = asked_.size() > late_ && random_.Below(3) != 0 ? asked_.size() - late_ : random_.Below(asked_.size());
      const double truth = asked_[i].told && random_.Below(4) == 0 ? 1 - asked_[i].truth : asked_[i].truth;
      sent.emplace_back(i, truth);
      answers.push_back(Send(asked_[i], truth));
    }
    if (random_.Below(60) == 0) Wish();
    const int shift = static_cast<int>(random_.Below(3));
    if (random_.Below(3) == 0) task_->CatchUp(shift, random_.Below(2) == 0 ? 0 : kSecond);  // one row, or all
    if (random_.Below(12) == 0) {                                                           // a crash before the commit: no answer left
      Open();
      ASSERT_EQ(Status(), committed_) << "turn " << turn;
      return;
    }
    if (!Commit()) {
      ASSERT_EQ(Status(), committed_) << "turn " << turn;
      return;
    }
    for (Asked& asked : fresh) asked_.push_back(asked);
    for (size_t k = 0; k < sent.size(); ++k) Remember(asked_[sent[k].first], sent[k].second, answers[k]);
    if (random_.Below(20) == 0) {
      Open();
      ASSERT_EQ(Status(), committed_) << "turn " << turn;
    }
  }

  void Remember(Asked& asked, double truth, OutcomeStatus answer) {
    const OutcomeStatus expected = !asked.told            ? OutcomeStatus::kJoined
                                   : truth == asked.truth ? OutcomeStatus::kDuplicate
                                                          : OutcomeStatus::kCorrected;
    ASSERT_EQ(OutcomeStatusName(answer), OutcomeStatusName(expected)) << asked.id;
    asked.told = true;
    asked.truth = truth;
  }

  void CheckAll() {
    failing_ = false;
    task_->CatchUp(0);
    ASSERT_TRUE(Commit());
    const Ledger& ledger = store_->Open("t");
    uint64_t told = 0;
    for (const Asked& asked : asked_) {
      ASSERT_EQ(OutcomeStatusName(task_->AddOutcome(asked.id, asked.truth, kNoTime)), asked.told ? "duplicate" : "joined") << asked.id;
      told += asked.told && !asked.early;
    }
    store_->Rollback();
    task_->Reload();
    ASSERT_EQ(Status(), committed_);
    ASSERT_EQ(task_->state().predicted, asked_.size()) << "a prediction that was told is lost, or one that was not is there";
    if (std::isnan(options_.missing_outcome)) {
      ASSERT_EQ(task_->state().served.rows(), told) << "an outcome is lost, or counted twice";
    }
    CheckLedger(ledger);
    for (const LedgerDecision& decision : ledger.Decisions()) {
      ++decisions_;
      ASSERT_TRUE(ExplainDecision(ledger, decision.number).at("recomputed_equal").as_bool());
    }
  }

 public:
  uint64_t decisions_ = 0;

 private:
  Random random_;
  World world_;
  std::filesystem::path path_;
  LoopOptions options_;
  int changes_at_;
  uint64_t late_;
  int64_t now_ = 1'700'000'000 * kSecond;
  bool failing_ = false;
  std::shared_ptr<LedgerStore> store_;
  std::unique_ptr<LiveTask> task_;
  std::string committed_;
  std::vector<Asked> asked_;
};

TEST(LiveSimulation, WhateverHappensWhatWasToldIsThereAndCountedOnce) {
  const char *one = std::getenv("EVERLEARN_SEED"), *many = std::getenv("EVERLEARN_SEEDS");
  const uint64_t first = one != nullptr ? std::stoull(one) : 0;
  const uint64_t seeds = one != nullptr ? 1 : many != nullptr ? std::stoull(many) : kSeeds;
  const auto memory = std::filesystem::path("/dev/shm");
  const auto folder =
      (std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path()) / ("live_simulation_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  uint64_t decisions = 0;
  for (uint64_t seed = first; seed < first + seeds && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(seed, folder);
    life.Run();
    decisions += life.decisions_;
  }
  std::filesystem::remove_all(folder);
  if (one == nullptr) {
    EXPECT_GT(decisions, seeds / 20) << "a simulation in which nothing is decided shows little";
  }
}

}  // namespace
}  // namespace everlearn
