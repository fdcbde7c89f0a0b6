// Properties of folds.
#include "data/folds.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "base/error.h"

namespace everlearn {
namespace {

// In RC_ASSERT, conditions joined by && and || stand in parentheses of their own: without them it evaluates both sides.

// How often each row is validated, after checking that train and validation are ascending and complement each other.
std::vector<int> Validated(const std::vector<Fold>& folds, size_t rows) {
  std::vector<int> times(rows, 0);
  for (const Fold& fold : folds) {
    RC_ASSERT(std::is_sorted(fold.train.begin(), fold.train.end()));
    RC_ASSERT(std::is_sorted(fold.validation.begin(), fold.validation.end()));
    std::vector<uint32_t> both = fold.train;
    both.insert(both.end(), fold.validation.begin(), fold.validation.end());
    std::sort(both.begin(), both.end());
    RC_ASSERT(both.size() == rows);
    for (size_t row = 0; row < rows; ++row) RC_ASSERT(both[row] == row);
    for (const uint32_t row : fold.validation) ++times[row];
  }
  return times;
}

size_t Spread(const std::vector<size_t>& sizes) {
  const auto [low, high] = std::minmax_element(sizes.begin(), sizes.end());
  return *high - *low;
}

RC_GTEST_PROP(Folds, RandomValidatesEachRowOnce, ()) {
  const auto rows = *rc::gen::inRange<size_t>(2, 200);
  const int count = *rc::gen::inRange<int>(2, static_cast<int>(std::min<size_t>(rows, 12)) + 1);
  const auto seed = *rc::gen::arbitrary<uint64_t>();
  const auto folds = RandomFolds(rows, count, seed);
  for (const int times : Validated(folds, rows)) RC_ASSERT(times == 1);
  std::vector<size_t> sizes;
  for (const Fold& fold : folds) sizes.push_back(fold.validation.size());
  RC_ASSERT(sizes.size() == static_cast<size_t>(count));
  RC_ASSERT(Spread(sizes) <= 1U);
  RC_ASSERT(RandomFolds(rows, count, seed).front().validation == folds.front().validation);
}

RC_GTEST_PROP(Folds, StratifiedSpreadsEachClass, ()) {
  auto classes = *rc::gen::container<std::vector<double>>(rc::gen::element(0.0, 1.0, 2.0, std::numeric_limits<double>::quiet_NaN()));
  while (classes.size() < 3) classes.push_back(0);
  const int count = *rc::gen::inRange<int>(2, static_cast<int>(std::min<size_t>(classes.size(), 6)) + 1);
  const auto folds = StratifiedFolds(classes, count, *rc::gen::arbitrary<uint64_t>());
  for (const int times : Validated(folds, classes.size())) RC_ASSERT(times == 1);
  for (const double wanted : {0.0, 1.0, 2.0, -1.0}) {
    std::vector<size_t> sizes;
    for (const Fold& fold : folds)
      sizes.push_back(static_cast<size_t>(std::count_if(fold.validation.begin(), fold.validation.end(), [&](uint32_t row) {
        return wanted < 0 ? std::isnan(classes[row]) : classes[row] == wanted;
      })));
    RC_ASSERT(Spread(sizes) <= 1U);
  }
}

RC_GTEST_PROP(Folds, GroupedNeverSplitsAGroup, ()) {
  auto groups = *rc::gen::container<std::vector<int32_t>>(rc::gen::inRange<int32_t>(-1, 9));
  groups.insert(groups.end(), {0, 1, 2});
  const int count = *rc::gen::inRange<int>(2, 4);
  const auto folds = GroupedFolds(groups, count, *rc::gen::arbitrary<uint64_t>());
  for (const int times : Validated(folds, groups.size())) RC_ASSERT(times == 1);
  std::map<int32_t, size_t> group_size;
  for (const int32_t group : groups) ++group_size[group];
  size_t largest = 1;
  for (const auto& [group, size] : group_size)
    if (group >= 0) largest = std::max(largest, size);
  std::vector<size_t> sizes;
  for (const Fold& fold : folds) {
    std::set<int32_t> validated;
    for (const uint32_t row : fold.validation) validated.insert(groups[row]);
    for (const uint32_t row : fold.train) RC_ASSERT((groups[row] < 0 || validated.count(groups[row]) == 0U));
    sizes.push_back(fold.validation.size());
  }
  RC_ASSERT(Spread(sizes) <= largest);  // what greedy balancing guarantees
}

RC_GTEST_PROP(Folds, SequentialTrainsOnThePast, ()) {
  const auto rows = *rc::gen::inRange<size_t>(60, 500);
  SequentialOptions options;
  options.count = *rc::gen::inRange<int>(2, 7);
  options.gap = *rc::gen::inRange<size_t>(0, 5);
  options.train_rows = *rc::gen::element<size_t>(0, 3, 40);
  options.first_train = *rc::gen::element(0.0, 0.3, 0.5);
  const auto folds = SequentialFolds(rows, options);
  RC_ASSERT(folds.size() == static_cast<size_t>(options.count));
  for (size_t k = 0; k < folds.size(); ++k) {
    RC_ASSERT((!folds[k].train.empty() && !folds[k].validation.empty()));
    RC_ASSERT(folds[k].train.back() + options.gap + 1 == folds[k].validation.front());
    RC_ASSERT((folds[k].train.front() == 0U || folds[k].train.size() == options.train_rows));
    RC_ASSERT((options.train_rows == 0U || folds[k].train.size() <= options.train_rows));
    RC_ASSERT((k == 0 || folds[k - 1].validation.back() + 1 == folds[k].validation.front()));
  }
  RC_ASSERT(folds.back().validation.back() == rows - 1);
}

TEST(Folds, RefusesWhatCannotBe) {
  const auto kind = [](const auto& make) {
    try {
      make();
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kInternal;
  };
  EXPECT_EQ(kind([] { RandomFolds(10, 1, 0); }), ErrorKind::kUsage);
  EXPECT_EQ(kind([] { RandomFolds(3, 4, 0); }), ErrorKind::kUsage);
  const std::vector<int32_t> one_group(10, 5);
  EXPECT_EQ(kind([&] { GroupedFolds(one_group, 2, 0); }), ErrorKind::kInput);
  EXPECT_EQ(kind([] { SequentialFolds(10, {.count = 2, .gap = 3}); }), ErrorKind::kUsage);
  EXPECT_EQ(kind([] { SequentialFolds(10, {.count = 5, .first_train = 0.9}); }), ErrorKind::kUsage);
  EXPECT_EQ(kind([] { SequentialFolds(10, {.count = 5, .first_train = 1.0}); }), ErrorKind::kUsage);
}

TEST(Folds, SequentialByHand) {
  const auto folds = SequentialFolds(12, {.count = 2, .gap = 1, .train_rows = 2});
  EXPECT_EQ(folds[0].train, (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(folds[0].validation, (std::vector<uint32_t>{4, 5, 6, 7}));
  EXPECT_EQ(folds[1].train, (std::vector<uint32_t>{5, 6}));
  EXPECT_EQ(folds[1].validation, (std::vector<uint32_t>{8, 9, 10, 11}));
}

TEST(Folds, SeedsDiffer) { EXPECT_NE(RandomFolds(100, 5, 1)[0].validation, RandomFolds(100, 5, 2)[0].validation); }

TEST(SequentialFolds, RowsOfOneTimeStayTogether) {
  const std::vector<double> times{0, 0, 1, 1, 1, 1, 1, 2, 2, 3, 3, 3};
  const std::vector<Fold> folds = SequentialFolds(times.size(), {.count = 3, .times = times});
  ASSERT_FALSE(folds.empty());
  size_t validated = 0;
  for (const Fold& fold : folds) {
    EXPECT_LT(times[fold.train.back()], times[fold.validation.front()]);
    validated += fold.validation.size();
  }
  EXPECT_EQ(validated, 5U);  // times 2 and 3: the cut inside of 1 moved to its end
  EXPECT_TRUE(SequentialFolds(6, {.count = 2, .times = std::vector<double>(6, 1.0)}).empty());
}

TEST(SequentialFolds, AGroupIsNotOnBothSides) {
  const std::vector<int32_t> groups{0, 1, 2, 0, 1, 2, 0, 3, 3};
  const std::vector<Fold> folds = SequentialFolds(groups.size(), {.count = 2, .groups = groups});
  ASSERT_EQ(folds.size(), 1U);  // every group before the first part is in it
  for (const Fold& fold : folds)
    for (const uint32_t row : fold.train)
      for (const uint32_t other : fold.validation) EXPECT_NE(groups[row], groups[other]);
}

}  // namespace
}  // namespace everlearn
