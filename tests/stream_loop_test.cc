// The loop over a stream: lags that Step fills in are those of a history.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "loop/lags.h"
#include "loop/step.h"

namespace everlearn {
namespace {

TEST(StreamLoop, StepFillsInTheSame) {
  constexpr size_t kRows = 700;
  ScheduleInput history;
  history.rows = kRows;
  history.delay_rows = 5;
  history.has_outcome.assign(kRows, true);
  std::vector<double> target, expected(kRows * Lags::Count(2));
  Random random(3);
  for (size_t row = 0; row < kRows; ++row) target.push_back(static_cast<double>(random.Below(2)));
  FillLags(history, target, 2, expected);
  LoopOptions options;
  options.metric = "log_loss";
  options.classes = 2;
  options.roster = {"running_majority"};
  options.lag_features = Lags::Count(2);
  options.is_category.assign(1 + options.lag_features, false);
  options.retrain = RetrainRule::kNever;
  LoopState state(options);
  const std::vector<double> row(options.is_category.size(), kMissing);
  const Schedule order(history);
  Effects effects;
  for (size_t item = 0; item < order.size(); ++item) {
    Event event;
    event.row = order.row(item);
    event.kind = order.is_outcome(item) ? EventKind::kOutcome : EventKind::kRow;
    event.truth = target[event.row];
    event.features = row.data();
    Step(state, {.event = event}, &effects);
    if (order.is_outcome(item)) continue;
    const std::vector<double>& features = state.pending.Find(event.row)->features;
    for (size_t i = 0; i < options.lag_features; ++i) {
      const double mine = features[1 + i], theirs = expected[event.row * options.lag_features + i];
      ASSERT_TRUE(mine == theirs || (std::isnan(mine) && std::isnan(theirs))) << "row " << event.row << ", lag " << i;
    }
  }
}

}  // namespace
}  // namespace everlearn
