// Tests of the strategies and of the portfolio on surfaces that are known in closed form, with learners made for them.
#include "search/strategy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "base/error.h"
#include "base/random.h"
#include "search/portfolio.h"
#include "search/search_space.h"

namespace everlearn {
namespace {

LearnerInfo Surface(double unit) {
  using enum ParameterType;
  LearnerInfo info;
  info.regression = info.weights = true;
  info.parameters = {{.name = "a", .value = 0.001, .low = 1e-4, .high = 1, .scale = ParameterScale::kLog},
                     {.name = "b", .value = 2, .low = 0, .high = 4},
                     {.name = "size", .type = kInteger, .value = 10, .low = 1, .high = 10'000, .scale = ParameterScale::kLog},
                     {.name = "penalty", .value = 0, .low = 0, .high = 1000},
                     {.name = "flag", .type = kBoolean, .value = 0},
                     {.name = "style", .type = kChoice, .value = 0, .choices = {"one", "two", "three"}},
                     {.name = "rounds", .type = kInteger, .value = 10, .low = 1, .high = 1000, .search = SearchRange{500, 500}}};
  info.cost_units = [unit](double, double, double, const ParameterValues& values) { return unit * values.Number("size"); };
  info.fit = [](const TrainingRows&, const ParameterValues&, const FitOptions&) -> std::shared_ptr<const Model> { return nullptr; };
  return info;
}

[[maybe_unused]] const bool registered = Learners().Add("surface_good", Surface(1)) && Learners().Add("surface_poor", Surface(2)) &&
                                         Learners().Add("linear", Surface(2));  // which is in the hand-written portfolio

// Smooth, least 0 for the good learner at a = 0.03, b = 1, size = 300, penalty = 20, flag, style two.
double Loss(const Candidate& candidate) {
  const ParameterValues& p = candidate.parameters;
  const auto square = [](double x) { return x * x; };
  double loss = square(std::log10(p.Number("a") / 0.03)) / 4 + square(p.Number("b") - 1) / 4 +
                square(std::log10(p.Number("size") / 300)) / 8 + square(std::log1p(p.Number("penalty")) - std::log(21)) / 40;
  loss += p.Boolean("flag") ? 0 : 0.1;
  loss += p.Choice("style") == "two" ? 0 : 0.1;
  return loss + (candidate.learner == "surface_poor" ? 0.5 : 0);
}

StrategyContext Context(uint64_t seed) {
  StrategyContext context;
  context.data = {.rows = 1000, .features = 5};
  context.seed = seed;
  context.learners = {"surface_good", "surface_poor"};
  return context;
}

struct Course {
  std::vector<Observation> seen;
  double best = std::numeric_limits<double>::infinity();
  double seconds = 0;
};

// Runs a strategy on the surface; every seventh trial fails, and `behind` trials are always under way.
Course Try(const std::string& name, const StrategyContext& context, size_t trials, size_t behind = 0, double seconds_limit = 1e300) {
  Course course;
  const auto strategy = MakeStrategy(name, context);
  std::vector<Candidate> open;
  for (size_t t = 0; t < trials && course.seconds < seconds_limit; ++t) {
    auto next = strategy->Next(course.seen);
    if (!next) break;
    open.push_back(std::move(*next));
    if (open.size() <= behind) continue;
    Candidate candidate = open.front();
    open.erase(open.begin());
    const double seconds = CandidateUnits(candidate, context.data) * 0.01;
    const double loss = course.seen.size() % 7 == 6 ? std::numeric_limits<double>::quiet_NaN() : Loss(candidate);
    course.seconds += seconds;
    if (loss < course.best) course.best = loss;
    course.seen.push_back({std::move(candidate), loss, seconds});
  }
  return course;
}

double MeanBest(const std::string& name, size_t trials, double seconds_limit = 1e300) {
  double sum = 0;
  for (uint64_t seed = 0; seed < 10; ++seed) sum += Try(name, Context(seed), trials, 0, seconds_limit).best / 10;
  return sum;
}

class EveryStrategy : public testing::TestWithParam<std::string> {};

TEST_P(EveryStrategy, IsDeterministicAndNeverRepeatsItself) {
  for (const size_t behind : {0, 2}) {
    const Course first = Try(GetParam(), Context(5), 60, behind), second = Try(GetParam(), Context(5), 60, behind);
    std::set<std::string> keys;
    ASSERT_EQ(first.seen.size(), second.seen.size());
    for (size_t i = 0; i < first.seen.size(); ++i) {
      EXPECT_EQ(CandidateKey(first.seen[i].candidate), CandidateKey(second.seen[i].candidate));
      EXPECT_TRUE(keys.insert(CandidateKey(first.seen[i].candidate)).second) << CandidateKey(first.seen[i].candidate);
    }
  }
}

TEST_P(EveryStrategy, TriesWhatIsToBeFirst) {
  StrategyContext context = Context(1);
  const Candidate warm = *CandidateFrom("surface_poor", {{"b", 3.5}});
  context.first = {warm, warm};
  const Course course = Try(GetParam(), context, 2);
  ASSERT_EQ(course.seen.size(), 2U);
  EXPECT_EQ(CandidateKey(course.seen[0].candidate), CandidateKey(warm));
  EXPECT_NE(CandidateKey(course.seen[1].candidate), CandidateKey(warm));
}

TEST_P(EveryStrategy, StaysWithTheAllowedLearners) {
  StrategyContext context = Context(2);
  context.learners = {"surface_poor"};
  for (const Observation& o : Try(GetParam(), context, 30).seen) EXPECT_EQ(o.candidate.learner, "surface_poor");
  context.learners = {"surface_poor"};
  context.classes = 2;  // which it cannot do
  EXPECT_TRUE(Try(GetParam(), context, 5).seen.empty());
}

INSTANTIATE_TEST_SUITE_P(Strategies, EveryStrategy, testing::ValuesIn(Strategies().Names()), [](const auto& strategy) {
  std::string name = strategy.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Strategies, AreTheOnesThatAreDocumented) {
  EXPECT_EQ(Strategies().Names(), (std::vector<std::string>{"auto", "bayes", "cost-frugal", "genetic", "portfolio", "random"}));
  EXPECT_THROW(MakeStrategy("luck", Context(1)), Error);
}

TEST(Strategies, GuidedOnesBeatRandomInTrials) {
  const double random = MeanBest("random", 100);
  for (const auto& name : {"bayes", "genetic", "cost-frugal", "auto"}) EXPECT_LT(MeanBest(name, 100), 0.75 * random) << name;
}

TEST(Strategies, FrugalOnesBeatRandomInSeconds) {
  const double random = MeanBest("random", 1000, 60);
  for (const auto& name : {"cost-frugal", "auto"}) EXPECT_LT(MeanBest(name, 1000, 60), 0.6 * random) << name;
}

TEST(SearchSpace, PositionsAreInverseToCandidates) {
  const SearchSpace space("surface_good");
  EXPECT_EQ(space.size(), 6U);
  Random random(3);
  for (int i = 0; i < 50; ++i) {
    const Candidate candidate = space.At(space.RandomPosition(&random));
    EXPECT_EQ(CandidateKey(space.At(space.Position(candidate.parameters))), CandidateKey(candidate));
    EXPECT_EQ(candidate.parameters.Integer("rounds"), 500);  // what is not searched has its value
  }
  // Ends and middles of the scales: logarithmic 1e-4 … 1, linear 0 … 4, log(1 + x) of 0 … 1000, three choices.
  const ParameterValues middle = space.At(std::vector<double>(6, 0.5)).parameters;
  EXPECT_DOUBLE_EQ(middle.Number("a"), 0.01);
  EXPECT_DOUBLE_EQ(middle.Number("b"), 2);
  EXPECT_EQ(middle.Integer("size"), 100);
  EXPECT_NEAR(middle.Number("penalty"), std::sqrt(1001) - 1, 0.01);
  EXPECT_TRUE(middle.Boolean("flag"));
  EXPECT_EQ(middle.Choice("style"), "two");
  const ParameterValues end = space.At(std::vector<double>(6, 1.0)).parameters;
  EXPECT_EQ(end.Number("penalty"), 1000);
  EXPECT_EQ(end.Choice("style"), "three");
}

TEST(SearchSpace, TheCheapEndIsThatOfTheCost) {
  const SearchSpace space("surface_good");
  const ParameterValues cheap = space.At(space.CheapPosition({.rows = 10, .features = 2})).parameters;
  EXPECT_LE(cheap.Integer("size"), 3);
  EXPECT_DOUBLE_EQ(cheap.Number("a"), 0.001);  // the default: it costs nothing
}

TEST(SearchSpace, CandidatesOfStrangersAreChecked) {
  EXPECT_FALSE(CandidateFrom("no_such_learner", {}));
  EXPECT_FALSE(CandidateFrom("surface_good", {{"b", 77}}));
  EXPECT_FALSE(CandidateFrom("surface_good", {{"style", "four"}}));
  EXPECT_EQ(CandidateFrom("surface_good", {{"unknown", 1}})->name, "surface_good");
  EXPECT_NE(CandidateFrom("surface_good", {{"b", 3}})->name, "surface_good");
}

ExperienceRun RunOf(const std::string& source, double rows, const std::vector<std::pair<double, double>>& losses_at_b) {
  ExperienceRun run{
      .source = source, .kind = "regression", .metric = "rmse", .data = {.rows = rows, .features = 5}, .constant_loss = 2, .trials = {}};
  for (const auto& [b, loss] : losses_at_b)
    run.trials.push_back({.learner = "surface_good", .parameters = {{"b", b}}, .fold_losses = {loss}, .seconds = 1, .units = 10});
  return run;
}

double FirstB(const StrategyContext& context) { return RankedPortfolio(context).at(0).parameters.Number("b"); }

TEST(Portfolio, WhatDidWellOnDataLikeThisIsFirst) {
  Experience experience;
  experience.Add(RunOf("small", 100, {{0.5, 1.0}, {3.5, 1.5}}));
  experience.Add(RunOf("large", 1e6, {{0.5, 1.5}, {3.5, 1.0}}));
  StrategyContext context = Context(1);
  context.experience = &experience;
  context.data.rows = 200;
  EXPECT_EQ(FirstB(context), 0.5);
  context.data.rows = 5e5;
  EXPECT_EQ(FirstB(context), 3.5);
  const Experience without = experience.Without("large");
  context.experience = &without;
  EXPECT_EQ(FirstB(context), 0.5);
}

TEST(Portfolio, TheHandWrittenOrderGoesFirstWhereNoDataWereAlike) {
  std::vector<std::pair<double, double>> losses;
  for (int i = 0; i < 40; ++i) losses.emplace_back(0.1 * i, 1 + 0.01 * i);
  Experience experience;
  experience.Add(RunOf("x", 1000, losses));
  StrategyContext context = Context(1);
  context.experience = &experience;
  context.learners = {"surface_good", "linear"};
  EXPECT_EQ(RankedPortfolio(context).at(0).learner, "surface_good");
  context.data.rows = 1e7;
  context.data.features = 500;
  context.data.category_share = 1;
  EXPECT_EQ(RankedPortfolio(context).at(0).learner, "linear");
}

TEST(Portfolio, LargeExperienceIsCutToWhatIsMostAlike) {
  Experience experience;
  for (int run = 0; run < 300; ++run) {
    std::vector<std::pair<double, double>> losses;
    for (int trial = 0; trial < 150; ++trial) losses.emplace_back(trial / 40.0, 2 - trial / 150.0);
    experience.Add(RunOf(std::to_string(run), run == 250 ? 1e6 : 100, losses));
  }
  StrategyContext context = Context(1);
  context.experience = &experience;
  context.data.rows = 1e6;
  const Experience cut = MostAlike(context);
  ASSERT_EQ(cut.runs().size(), 100U);
  EXPECT_EQ(cut.runs().back().source, "250");
  EXPECT_EQ(cut.runs().back().trials.size(), 100U);
  EXPECT_NEAR(cut.runs().back().trials[0].loss(), 2 - 149 / 150.0, 1e-12);
  context.experience = nullptr;
  EXPECT_TRUE(MostAlike(context).runs().empty());
}

TEST(Portfolio, TheSecondComplementsTheFirst) {
  // 1 is best on average; of the others 2 is better on average, but 3 is what helps where 1 fails.
  Experience experience;
  experience.Add(RunOf("x", 1000, {{1, 1.0}, {2, 1.1}, {3, 1.9}}));
  experience.Add(RunOf("y", 1000, {{1, 1.0}, {2, 1.1}, {3, 1.9}}));
  experience.Add(RunOf("z", 1000, {{1, 1.5}, {2, 1.4}, {3, 1.0}}));
  StrategyContext context = Context(1);
  context.experience = &experience;
  const std::vector<Candidate> ranked = RankedPortfolio(context);
  ASSERT_GE(ranked.size(), 4U);  // and the defaults of both learners
  EXPECT_EQ(ranked[0].parameters.Number("b"), 1);
  EXPECT_EQ(ranked[1].parameters.Number("b"), 3);
  EXPECT_EQ(ranked[2].parameters.Number("b"), 2);
}

TEST(Portfolio, TrialsWithFewerFoldsAreComparedOnTheirOwn) {
  // The first fold is easy: 2 has only that one, and is worse on it than 1.
  Experience experience;
  ExperienceRun run = RunOf("x", 1000, {{1, 0}, {2, 0}, {3, 0}});
  run.trials[0].fold_losses = {1.0, 2.0, 3.0};
  run.trials[1].fold_losses = {1.2};
  run.trials[2].fold_losses = {1.4, 2.4, 3.4};
  experience.Add(run);
  StrategyContext context = Context(1);
  context.experience = &experience;
  const std::vector<Candidate> ranked = RankedPortfolio(context);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(ranked.at(i).parameters.Number("b"), static_cast<double>(i + 1));
}

TEST(Portfolio, OfEqualOnesTheCheapIsFirst) {
  Experience experience;
  ExperienceRun run = RunOf("x", 1000, {{1, 1.0}, {2, 1.0}, {3, 2.0}});
  run.trials[0].seconds = 60;
  experience.Add(run);
  StrategyContext context = Context(1);
  context.experience = &experience;
  context.budget_seconds = 30;
  EXPECT_EQ(FirstB(context), 2);
  EXPECT_GT(CostModel(experience).Seconds(*CandidateFrom("surface_good", {{"b", 1}}), context.data),
            5 * CostModel(experience).Seconds(*CandidateFrom("surface_good", {{"b", 2}}), context.data));
}

TEST(Portfolio, ExcessIsTheRatioOfLosses) {
  EXPECT_EQ(ExcessLoss(1, 1, 2), 0);
  EXPECT_NEAR(ExcessLoss(std::sqrt(2.0), 1, 0), 0.5, 1e-12);
  EXPECT_EQ(ExcessLoss(3, 1, 4), 1);
  EXPECT_LT(ExcessLoss(2e-4, 1e-4, 1), 0.05);                                 // nothing against the constant model
  EXPECT_DOUBLE_EQ(ExcessLoss(-0.6, -0.8, -0.5), ExcessLoss(0.4, 0.2, 0.5));  // of a measure that is at most 1
  EXPECT_DOUBLE_EQ(ExcessLoss(-6, -8, 0), 0.25);
  EXPECT_EQ(ExcessLoss(std::numeric_limits<double>::infinity(), 0.5, 1), 1);
}

}  // namespace
}  // namespace everlearn
