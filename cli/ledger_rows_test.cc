// Tests of erasing rows and of verifying a ledger that stores them, as a service writes it, below and through `everlearn ledger`.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "cli/run_application_test_support.h"
#include "data/test_files.h"
#include "ledger/sha256.h"
#include "loop/certificate.h"
#include "loop/checkpoint.h"
#include "loop/erase.h"
#include "loop/records.h"
#include "loop/verify.h"

namespace everlearn {
namespace {

// A binary task of two features; who = 0 … 3 in turn. Every second row's outcome comes; the last `kLate` rows come after the checkpoint.
class Erase : public testing::Test {
 protected:
  static constexpr uint64_t kRows = 40, kLate = 8;

  Erase() {
    options_.metric = "log_loss";
    options_.classes = 2;
    options_.is_category = {false, false};
    options_.roster = {"online_linear"};
    options_.retrain = RetrainRule::kNever;
    const auto ledger = Open();
    Task task;
    task.target = "y";
    task.kind = TaskKind::kBinary;
    task.metric = options_.metric;
    task.labels = {"no", "yes"};
    ledger->SetFact(kTaskFact, ToText(task.ToJson()));
    ledger->SetFact(kOptionsFact, ToText(options_.ToJson()));
    LoopState state(options_);
    for (uint64_t row = 0; row < kRows; ++row) {
      AddRow(*ledger, &state, row);
      if (row % 2 == 0) AddOutcome(*ledger, &state, row);
      if (row + kLate + 1 == kRows) ledger->PutCheckpoint({ledger->last_event(), state.Save()});
    }
    ledger->Commit();
  }

  std::shared_ptr<Ledger> Open() const { return OpenLedger(folder_.Path("a.db"), {}); }

  void AddRow(Ledger& ledger, LoopState* state, uint64_t row) {
    const std::string body =
        std::string(16, static_cast<char>(row)) + ToText(JsonObject{{"who", row % 4}, {"name", "p" + std::to_string(row)}});
    const double features[] = {static_cast<double>(row % 4), 0.5};
    Event event;
    event.kind = EventKind::kRow;
    event.row = row;
    event.row_hash = Sha256({body});
    event.features = features;
    Append(ledger, state, &event);
    ledger.PutRow({row, ledger.last_event(), row + 1, body});
  }

  void AddOutcome(Ledger& ledger, LoopState* state, uint64_t row) {
    Event event;
    event.kind = EventKind::kOutcome;
    event.row = row;
    event.truth = static_cast<double>(row / 2 % 2);
    Append(ledger, state, &event);
    ledger.PutOutcome({row, ledger.last_event(), event.truth});
  }

  void Append(Ledger& ledger, LoopState* state, Event* event) {
    Effects effects;
    Step(*state, {.event = *event}, &effects);
    if (effects.predicted != nullptr) {
      event->members = effects.predicted->members;
      event->predictions = effects.predicted->predictions;
    }
    std::string bytes;
    EncodeEvent(*event, 2, true, &bytes);
    ledger.Append(bytes);
  }

  TestFolder folder_;
  LoopOptions options_;
};

TEST_F(Erase, FindsRowsByValue) {
  const auto ledger = Open();
  EXPECT_EQ(FindRows(*ledger, "who", "3").size(), kRows / 4);
  EXPECT_EQ(FindRows(*ledger, "name", "p7").at(0).row, 7U);
  EXPECT_TRUE(FindRows(*ledger, "who", "\"3\"").empty());
  const Error error = ErrorOf([&] { FindRows(*ledger, "nme", "p7"); });
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_NE(error.hint().find("name"), std::string::npos);
  EXPECT_EQ(AfterCheckpoint(*ledger, FindRows(*ledger, "who", "3")).size(), kLate / 4);
}

TEST_F(Erase, LeavesNothingOfTheRowAndTheRecordWhole) {
  const auto before = Open();
  const auto status = [&] {
    const auto state = StateOf(*before);  // from the checkpoint
    return ToText(JsonArray{CertificateJson(*before), StatusJson(*state, TaskOf(*before), MetricValues(*before, *state))});
  };
  const std::string was = status();
  EXPECT_EQ(CheckLedger(*before).bodies, kRows);
  const std::vector<RowPlace> rows = FindRows(*before, "name", "p7");
  EXPECT_NE(folder_.Read("a.db").find("\"p7\""), std::string::npos);
  EXPECT_EQ(EraseRows(*before, rows), 1U);  // its outcome never came: it waits in the checkpoint
  EXPECT_TRUE(before->Row(7)->body.empty());
  EXPECT_TRUE(before->RowsOfKey(8).empty());

  const LoopOptions options = OptionsOf(*before);
  const auto state = RestoreState(*before, options, [](const std::string&) { return nullptr; });
  ASSERT_NE(state->pending.Find(7), nullptr);
  for (const double feature : state->pending.Find(7)->features) EXPECT_TRUE(std::isnan(feature));
  EXPECT_EQ(state->pending.Find(9)->features[0], 1.0);
  EXPECT_EQ(before->Checkpoints().size(), 1U);

  const LedgerCheck check = CheckLedger(*before);
  EXPECT_EQ(check.erased, 1U);
  EXPECT_EQ(check.bodies, kRows - 1);
  EXPECT_EQ(check.outcomes, kRows / 2);
  EXPECT_EQ(status(), was);
}

TEST_F(Erase, TheFileForgets) {
  {
    const auto ledger = Open();
    EraseRows(*ledger, FindRows(*ledger, "name", "p7"));
  }
  EXPECT_EQ(folder_.Read("a.db").find("\"p7\""), std::string::npos);
  EXPECT_NE(folder_.Read("a.db").find("\"p9\""), std::string::npos);
}

TEST_F(Erase, VerifyNamesTheFirstRowThatIsWrong) {
  const auto wrong = [&](const std::function<void(Ledger&)>& change) {
    const std::string copy = folder_.Path("copy.db");
    std::filesystem::remove(copy);
    BackupLedger(folder_.Path("a.db"), copy);
    const auto ledger = OpenLedger(copy, {});
    change(*ledger);
    return ErrorOf([&] { CheckLedger(*ledger); }).message();
  };
  EXPECT_EQ(wrong([](Ledger&) {}), "no error");
  EXPECT_NE(wrong([](Ledger& ledger) { ledger.PutRow({kRows, 2, 0, std::string(20, 'x')}); }).find("no event brought"), std::string::npos);
  EXPECT_NE(wrong([&](Ledger& ledger) {
              LoopState state(options_);
              Event event;
              event.kind = EventKind::kRow;
              event.row = kRows;
              event.row_hash = std::string(32, 'h');
              event.members = {1};
              event.predictions = {0.5, 0.5};
              std::string bytes;
              EncodeEvent(event, 2, true, &bytes);
              ledger.Append(bytes);
              ledger.PutRow({kRows, ledger.last_event(), 0, std::string(20, 'x')});
              ledger.Commit();
            }).find("row 40 is not what was predicted"),
            std::string::npos);
  EXPECT_NE(wrong([](Ledger& ledger) {
              ledger.PutOutcome({4, ledger.Outcome(4)->event, 1 - ledger.Outcome(4)->truth});
            }).find("the outcome of row 4 was changed without a correction"),
            std::string::npos);
  EXPECT_NE(wrong([](Ledger& ledger) {
              ledger.AddNotice({0, 3, "promoted", "{}"});
            }).find("('promoted') does not follow from event 3"),
            std::string::npos);
  EXPECT_NE(wrong([&](Ledger& ledger) { ledger.AddDecision({1, 3, "{}"}); }).find("decision 1 does not follow"), std::string::npos);
}

TEST_F(Erase, TheCommandRefusesWhatARestartLearnsFromOnceMore) {
  const auto erase = [&](std::vector<std::string> flags) -> Ran {
    std::vector<std::string> arguments{"ledger", "erase", folder_.Path("a.db"), "--json"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return RunWith(std::move(arguments));
  };
  const Ran dry = erase({"--where", "who=3", "--dry-run"});
  EXPECT_EQ(dry.output, "{\"rows\": [3, 7, 11, 15, 19, 23, 27, 31, 35, 39], \"erased\": 0, \"checkpoints\": 0}\n") << dry.errors;
  const Ran refused = erase({"--where", "who=3"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.errors.find("2 of the 10 rows came after the newest checkpoint"), std::string::npos) << refused.errors;
  EXPECT_EQ(CheckLedger(*Open()).erased, 0U);
  EXPECT_EQ(ParseJson(erase({"--where", "who=3", "--force"}).output, "the output").at("erased"), 10);
  EXPECT_EQ(CheckLedger(*Open()).erased, 10U);
  EXPECT_EQ(erase({"--where", "who=3"}).output, "{\"rows\": [], \"erased\": 0, \"checkpoints\": 0}\n");
  EXPECT_EQ(erase({"--where", "name=p0"}).status, 0);
  EXPECT_EQ(erase({"--where", "nobody=p0"}).status, 1);
}

}  // namespace
}  // namespace everlearn
