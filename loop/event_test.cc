// Tests of the encoding of events.
#include "loop/event.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"

namespace everlearn {
namespace {

Event RowEvent(size_t outputs) {
  Event event;
  event.kind = EventKind::kRow;
  event.time = 1'357'000'000'000'000;
  event.row = 300;
  event.members = {7, 1, 200};
  Random random(3);
  for (size_t m = 0; m < event.members.size(); ++m) {
    double rest = 1;
    for (size_t k = 1; k < outputs; ++k) {
      event.predictions.push_back(random.Uniform() / static_cast<double>(outputs));
      rest -= event.predictions.back();
    }
    event.predictions.insert(event.predictions.end() - static_cast<std::ptrdiff_t>(outputs - 1), rest);
  }
  return event;
}

Event RoundTrip(const Event& event, size_t outputs, bool classification) {
  std::string bytes;
  EncodeEvent(event, outputs, classification, &bytes);
  Event back;
  DecodeEvent(bytes, outputs, classification, &back);
  return back;
}

TEST(Event, RowsReadBackEqualBitForBit) {
  for (const size_t outputs : {1, 2, 3}) {
    const Event event = RowEvent(outputs);
    const Event back = RoundTrip(event, outputs, outputs > 1);
    EXPECT_EQ(back.kind, EventKind::kRow);
    EXPECT_EQ(back.time, event.time);
    EXPECT_EQ(back.row, event.row);
    EXPECT_FALSE(back.history);
    EXPECT_EQ(back.members, event.members);
    EXPECT_EQ(back.predictions, event.predictions);
  }
}

TEST(Event, BinaryPredictionsTakeOneNumber) {
  std::string two, three;
  EncodeEvent(RowEvent(2), 2, true, &two);
  EncodeEvent(RowEvent(3), 3, true, &three);
  EXPECT_EQ(three.size() - two.size(), 3 * 2 * sizeof(double));
}

TEST(Event, OutcomesAndModelsReadBackEqual) {
  Event outcome;
  outcome.kind = EventKind::kOutcome;
  outcome.row = 1'000'000;
  outcome.truth = -0.1;
  const Event back = RoundTrip(outcome, 1, false);
  EXPECT_EQ(back.row, outcome.row);
  EXPECT_EQ(back.truth, outcome.truth);
  EXPECT_EQ(back.time, kNoTime);

  Event model;
  model.kind = EventKind::kModel;
  model.request = 3;
  model.learner = "gradient_boosting";
  model.parameters = "{}";
  model.hash = "00ff";
  model.detail = "{\"rows\": 3}";
  const Event again = RoundTrip(model, 2, true);
  EXPECT_EQ(again.request, 3u);
  EXPECT_EQ(again.learner, model.learner);
  EXPECT_EQ(again.parameters, model.parameters);
  EXPECT_EQ(again.hash, model.hash);
  EXPECT_EQ(again.detail, model.detail);
}

TEST(Event, EveryTruncationIsRefused) {
  std::string bytes;
  EncodeEvent(RowEvent(3), 3, true, &bytes);
  Event event;
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_THROW(DecodeEvent(bytes.substr(0, size), 3, true, &event), Error) << size;
  EXPECT_THROW(DecodeEvent(bytes + "x", 3, true, &event), Error);
}

TEST(Event, RandomBytesAreRefusedOrRead) {
  Random random(11);
  Event event;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random.Below(60), '\0');
    for (char& c : bytes) c = static_cast<char>(random.Next());
    if (!bytes.empty()) bytes[0] = static_cast<char>(random.Below(5));
    try {
      DecodeEvent(bytes, 2, true, &event);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDamaged);
    }
  }
}

}  // namespace
}  // namespace everlearn
