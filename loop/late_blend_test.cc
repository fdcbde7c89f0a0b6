// Tests of the blend where outcomes are late: whom it follows, what it says where the loss is 0 or 1, and that it goes on after a load.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/random.h"
#include "loop/blend.h"

namespace everlearn {
namespace {

PendingRow Row(std::vector<uint32_t> members, std::vector<double> predictions) {
  PendingRow row;
  row.members = std::move(members);
  row.predictions = std::move(predictions);
  return row;
}

// Under delay, experts that follow the last outcomes are right about what is known and wrong about what comes.
TEST(LateBlend, OutcomesDoNotMakeItFollowThePast) {
  Blend blend(2);
  blend.AddExpert(1);
  blend.AddExpert(2);
  Random random(7);
  constexpr int kRows = 20000, kDelay = 500;
  std::vector<PendingRow> rows;
  std::vector<double> truths;
  double mine = 0;
  for (int t = 0; t < kRows; ++t) {
    if (t >= kDelay) blend.Learn(rows[static_cast<size_t>(t - kDelay)], truths[static_cast<size_t>(t - kDelay)], kDelay);
    // Both are right in 60% of the rows, one in even runs of 500 rows, the other in odd ones.
    const size_t run = static_cast<size_t>(t / kDelay) % 2;
    const double truth = random.Uniform() < 0.5 ? 1 : 0;
    const auto expert = [&](size_t which) {
      const double right = which == run ? 0.9 : 0.3;
      return random.Uniform() < right ? truth : 1 - truth;
    };
    const double a = 0.2 + 0.6 * expert(0), b = 0.2 + 0.6 * expert(1);
    rows.push_back(Row({1, 2}, {1 - a, a, 1 - b, b}));
    truths.push_back(truth);
    double out[2];
    ASSERT_TRUE(blend.Predict(rows.back().members, rows.back().predictions, out, &rows.back().parties));
    if (t >= kRows / 2) mine -= std::log(out[static_cast<size_t>(truth)]) / (kRows / 2);
  }
  EXPECT_LT(mine, std::log(2));
}

// After a change all that an expert had said for a delay's rows is wrong, though it has learnt by now.
TEST(LateBlend, OutcomesDoNotHideWhoHasLearnt) {
  Blend blend(2);
  blend.AddExpert(1);  // follows a change within 100 outcomes
  blend.AddExpert(2);  // knows nothing
  Random random(9);
  constexpr int kDelay = 1000, kChange = 5000, kRows = kChange + 2 * kDelay;
  std::vector<PendingRow> rows;
  std::vector<double> truths;
  int right = 0, counted = 0;
  for (int t = 0; t < kRows; ++t) {
    const double truth = random.Uniform() < 0.5 ? 1 : 0;
    const auto says = [](double y, bool knows) { return (knows == (y == 1)) ? 0.9 : 0.1; };
    const double a = says(truth, t < kChange || t >= kChange + kDelay + 100);
    rows.push_back(Row({1, 2}, {1 - a, a, 0.5, 0.5}));
    truths.push_back(truth);
    double out[2];
    ASSERT_TRUE(blend.Predict(rows.back().members, rows.back().predictions, out, &rows.back().parties));
    if (t >= kChange + kDelay + 200) {
      ++counted;
      right += (out[1] > 0.5) == (truth == 1) ? 1 : 0;
    }
    if (t < kDelay) continue;
    const auto known = static_cast<size_t>(t - kDelay);
    const double now = says(truths[known], t - kDelay < kChange || t - kDelay >= kChange + 100);
    blend.Learn(rows[known], truths[known], kDelay, {1 - now, now, 0.5, 0.5});
  }
  EXPECT_GT(right, counted * 99 / 100);
}

// A world that turns round again and again: for a delay's rows after each change the experts are sure of what is wrong. What is learnt from
// these rows must not turn the blend against experts that know better by the time at which it is learnt.
TEST(LateBlend, OutcomesOfManyChangesDoNotTurnItAgainstItsExperts) {
  Blend blend(2);
  for (uint32_t member = 1; member <= 3; ++member) blend.AddExpert(member);
  Random random(10);
  constexpr int kDelay = 1000, kConcept = 5000, kRows = 4 * kConcept;
  std::vector<PendingRow> rows;
  std::vector<double> truths;
  int right = 0, counted = 0;
  // Two follow a change within 50 outcomes; the third knows nothing.
  const auto advice = [&](double truth, bool knows, double sure) {
    const double a = (knows == (truth == 1)) != (random.Uniform() < 0.02) ? sure : 1 - sure;
    const double b = (knows == (truth == 1)) != (random.Uniform() < 0.05) ? 0.9 : 0.1;
    return std::vector<double>{1 - a, a, 1 - b, b, 0.5, 0.5};
  };
  for (int t = 0; t < kRows; ++t) {
    const double truth = random.Uniform() < 0.5 ? 1 : 0;
    const bool knows = t < kConcept || t % kConcept >= kDelay + 50;
    rows.push_back(Row({1, 2, 3}, advice(truth, knows, 0.999)));
    truths.push_back(truth);
    double out[2];
    ASSERT_TRUE(blend.Predict(rows.back().members, rows.back().predictions, out, &rows.back().parties));
    if (t > kDelay && knows) {
      ++counted;
      right += (out[1] > 0.5) == (truth == 1) ? 1 : 0;
    }
    if (t < kDelay) continue;
    const int past = t - kDelay;
    const auto known = static_cast<size_t>(past);
    blend.Learn(rows[known], truths[known], kDelay, advice(truths[known], past < kConcept || past % kConcept >= 50, 0.999));
  }
  EXPECT_GT(right, counted * 96 / 100);
}

// One expert is right more often, and so sure that its log-loss is the worst; outcomes are late. Where labels count it is followed, and
// where probabilities count what is said is not worse for it.
TEST(LateBlend, OutcomesOfLabelsAreFollowedByHits) {
  constexpr int kDelay = 200, kRows = 6000;
  Blend by_label(2, true), by_probability(2);
  for (Blend* blend : {&by_label, &by_probability})
    for (uint32_t member = 1; member <= 3; ++member) blend->AddExpert(member);
  Random random(12);
  std::vector<PendingRow> rows[2];
  std::vector<double> truths;
  std::array<int, 2> right{};
  std::array<double, 2> loss{};
  int counted = 0;
  for (int t = 0; t < kRows; ++t) {
    const double truth = random.Uniform() < 0.5 ? 1 : 0;
    const auto says = [&](double sure) {
      const bool is_right = random.Uniform() < (sure > 0.9 ? 0.85 : 0.75);
      return is_right == (truth == 1) ? sure : 1 - sure;
    };
    const double a = says(0.9999), b = says(0.75), c = says(0.75);
    truths.push_back(truth);
    counted += t >= kRows / 2 ? 1 : 0;
    for (size_t i = 0; i < 2; ++i) {
      Blend& blend = i == 0 ? by_label : by_probability;
      PendingRow& row = rows[i].emplace_back(Row({1, 2, 3}, {1 - a, a, 1 - b, b, 1 - c, c}));
      double out[2];
      ASSERT_TRUE(blend.Predict(row.members, row.predictions, out, &row.parties));
      EXPECT_NEAR(out[0] + out[1], 1, 1e-12);
      if (t >= kRows / 2) {
        right[i] += (out[1] > 0.5) == (truth == 1) ? 1 : 0;
        loss[i] -= std::log(out[static_cast<size_t>(truth)]);
      }
      if (t < kDelay) continue;
      const auto known = static_cast<size_t>(t - kDelay);
      blend.Learn(rows[i][known], truths[known], kDelay, rows[i][known].predictions);
    }
  }
  EXPECT_GT(right[0], counted * 84 / 100);
  EXPECT_LT(loss[1], loss[0]);
  EXPECT_LT(loss[1], 0.5 * counted);  // b and c alone: 0.56
  double weights = 0;
  for (const Blend::Expert& expert : by_label.experts()) weights += by_label.Weight(expert);
  EXPECT_NEAR(weights, 1, 1e-6);
}

// A choice that is driven by hand on the same rows: what a blend says where the loss is 0 or 1, what it says elsewhere, and its weights
// follow from each other. Two experts at first; a third joins, and one is silent at times.
TEST(LateBlend, AnswersOfClassesAreThoseOfTheChoice) {
  constexpr size_t kDelay = 20, kRows = 1200, kJoins = 600;
  Blend zero_one(2, true), other(2);
  ExpertChoice choice(2);
  const auto add = [&](uint32_t member) {
    for (Blend* blend : {&zero_one, &other}) blend->AddExpert(member);
    choice.AddExpert();
  };
  add(1);
  add(2);
  Random random(13);
  struct Stored {
    PendingRow row[2];
    double truth, said[ExpertChoice::kSaid];
  };
  std::vector<Stored> rows(kRows);
  const auto advice = [&](const PendingRow& row) {
    std::vector<const double*> said(choice.experts(), nullptr);
    for (size_t i = 0; i < row.members.size(); ++i) said[row.members[i] - 1] = row.predictions.data() + 2 * i;
    return said;
  };
  const auto logit = [](double p) { return std::log(p / (1 - p)); };
  const auto probability = [](double log_odds) { return 1 / (1 + std::exp(-log_odds)); };
  for (size_t t = 0; t < kRows; ++t) {
    Stored& at = rows[t];
    if (t == kJoins) add(3);
    at.truth = random.Uniform() < 0.5 ? 1 : 0;
    for (uint32_t member = 1; member <= choice.experts(); ++member) {
      if (member == 2 && t % 7 == 3) continue;
      const double p = 0.05 + 0.9 * (0.6 * random.Uniform() + 0.4 * (random.Uniform() < 0.6 + 0.1 * member ? at.truth : 1 - at.truth));
      at.row[0].members.push_back(member);
      at.row[0].predictions.insert(at.row[0].predictions.end(), {1 - p, p});
    }
    at.row[1] = at.row[0];
    double chosen[2], pooled[2], by_hand[2];
    ASSERT_TRUE(zero_one.Predict(at.row[0].members, at.row[0].predictions, chosen, &at.row[0].parties));
    ASSERT_TRUE(other.Predict(at.row[1].members, at.row[1].predictions, pooled, &at.row[1].parties));
    if (t <= kDelay) {  // nothing was learnt, and no outcome was late: the mean of the experts
      ASSERT_EQ(chosen[1], pooled[1]);
      std::fill(at.said, at.said + ExpertChoice::kSaid, chosen[1] > chosen[0] ? 1 : 0);
    } else {
      const double blended = probability((logit(pooled[1]) - 0.25 * logit(chosen[1])) / 0.75);
      choice.Predict(std::vector<double>{1 - blended, blended}.data(), advice(at.row[0]), by_hand, at.said);
      ASSERT_NEAR(chosen[1], by_hand[1], 1e-9) << t;
    }
    if (t < kDelay) continue;
    const Stored& known = rows[t - kDelay];
    zero_one.Learn(known.row[0], known.truth, kDelay, known.row[0].predictions);
    other.Learn(known.row[1], known.truth, kDelay, known.row[1].predictions);
    choice.Learn(known.said, advice(known.row[0]), known.truth, kDelay);
    for (size_t e = 0; e < choice.experts(); ++e) {
      const double all = zero_one.Weight(zero_one.experts()[e]), part = other.Weight(other.experts()[e]);
      ASSERT_NEAR(all, choice.BlendShare() * (part - 0.25 * all) / 0.75 + choice.Share(e), 1e-9) << t;
    }
  }
  EXPECT_GT(choice.Share(2), choice.Share(0));  // the better one, though it came late
  ByteWriter out;
  zero_one.Save(&out);
  Blend copy(2, true);
  ByteReader in(out.bytes());
  ASSERT_NO_THROW(copy.Load(&in));
  EXPECT_TRUE(in.done());
}

TEST(LateBlend, SavedAndLoadedItGoesOnEqually) {
  Blend blend(2);
  blend.AddExpert(1);
  blend.AddExpert(9);
  const PendingRow row = Row({1, 9}, {0.2, 0.8, 0.7, 0.3});
  const auto step = [&](Blend* b, std::vector<double>* out) {
    PendingRow pending = row;
    out->resize(2);
    ASSERT_TRUE(b->Predict(row.members, row.predictions, out->data(), &pending.parties));
    b->Learn(pending, 1, 40, {0.4, 0.6, 0.6, 0.4});
  };
  std::vector<double> mine, copys;
  for (int i = 0; i < 20; ++i) step(&blend, &mine);
  ByteWriter out;
  blend.Save(&out);
  Blend copy(2);
  ByteReader in(out.bytes());
  copy.Load(&in);
  EXPECT_TRUE(in.done());
  for (int i = 0; i < 20; ++i) {
    step(&blend, &mine);
    step(&copy, &copys);
    ASSERT_EQ(mine, copys);
  }
}

}  // namespace
}  // namespace everlearn
