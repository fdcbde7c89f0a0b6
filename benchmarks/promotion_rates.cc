// How often the promotion test promotes what is no better, and how many labels it needs for what is.
//
//     build/release/benchmarks/promotion_rates [--differences FILE]
//
// Prints tables; every figure follows from --seed. docs/benchmarks.md keeps the results.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <numbers>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/random.h"
#include "base/resources.h"
#include "statistics/e_process.h"

namespace everlearn {
namespace {

constexpr double kErrorRate = 0.05;      // over the whole life of a deployment
constexpr size_t kRows = 100'000;        // of a deployment
constexpr size_t kChallengers = 3;       // alive at once
constexpr size_t kLineageRows = 10'000;  // so often a new configuration replaces the oldest challenger and opens the next pair
constexpr size_t kLook = 1'000;          // rows between two looks of the tests that are compared

using Losses = std::array<double, 1 + kChallengers>;  // the champion's first

double PairAlpha(size_t pair) { return 6 * kErrorRate / (std::numbers::pi * std::numbers::pi * static_cast<double>(pair * pair)); }

// 0/1 losses at 20% error; a challenger differs from the champion on 10% of the rows and is equally good.
void DrawErrors(Random* random, Losses* losses) {
  constexpr double kError = 0.2, kDisagree = 0.1;
  (*losses)[0] = random->Uniform() < kError;
  for (size_t c = 1; c < losses->size(); ++c) {
    const double u = random->Uniform() * (2 * kError * (1 - kError) / kDisagree);  // below 1: drawn anew, else the champion's
    (*losses)[c] = u < 1 ? u < kError : (*losses)[0];
  }
}

// Log-losses, scaled to differences in [-1, 1], of models that see the true probability with equal noise.
void DrawLogLosses(Random* random, Losses* losses) {
  const double probability = random->Uniform();
  const bool truth = random->Uniform() < probability;
  for (double& loss : *losses) {
    const double predicted = std::clamp(probability + 0.3 * (random->Uniform() - 0.5), 0.01, 0.99);
    loss = -std::log(truth ? predicted : 1 - predicted) / std::log(99);
  }
}

struct FalsePromotions {
  bool life = false;             // any pair, e-process at its own level
  bool first = false;            // pair 1, e-process
  bool point_estimate = false;   // pair 1, better mean after the first look
  bool repeated_z_test = false;  // pair 1, one-sided z-test at 5% at every look
};

// A deployment in which nothing is better than the champion.
template <typename Draw>
FalsePromotions Deploy(uint64_t seed, uint64_t run, const Draw& draw) {
  Random random = Random::Derive(seed, run);
  FalsePromotions result;
  std::array<EProcess, kChallengers> evidence;
  std::array<double, kChallengers> threshold;
  size_t pairs = 0;
  for (double& value : threshold) value = 1 / PairAlpha(++pairs);
  EProcess first;
  double sum = 0, squares = 0;
  Losses losses;
  for (size_t row = 1; row <= kRows; ++row) {
    draw(&random, &losses);
    for (size_t c = 0; c < kChallengers; ++c) {
      evidence[c].Add(losses[0] - losses[1 + c]);
      result.life |= evidence[c].Value() >= threshold[c];
    }
    if (row % kLineageRows == 0) {
      const size_t oldest = pairs % kChallengers;
      evidence[oldest] = EProcess();
      threshold[oldest] = 1 / PairAlpha(++pairs);
    }
    // The first pair, left to run for the whole life.
    const double difference = losses[0] - losses[1];
    first.Add(difference);
    result.first |= first.Value() >= 1 / PairAlpha(1);
    sum += difference;
    squares += difference * difference;
    if (row % kLook != 0) continue;
    const double n = static_cast<double>(row);
    if (row == kLook) result.point_estimate = sum > 0;
    result.repeated_z_test |= sum > 1.6448536269514722 * std::sqrt(squares - sum * sum / n);
  }
  return result;
}

template <typename Draw>
void PrintFalsePromotions(const char* losses, size_t runs, uint64_t seed, int threads, const Draw& draw) {
  std::vector<FalsePromotions> results(runs);
  ParallelFor(runs, threads, [&](size_t run) { results[run] = Deploy(seed, run, draw); });
  const auto print = [&](const char* rule, bool FalsePromotions::*field) {
    const auto count = static_cast<double>(std::count_if(results.begin(), results.end(), [&](const auto& r) { return r.*field; }));
    const double share = count / static_cast<double>(runs);
    fmt::print("| {} | {} | {:.1f}% ± {:.1f} |\n", losses, rule, 100 * share,
               196 * std::sqrt(share * (1 - share) / static_cast<double>(runs)));
  };
  print("e-process, all 12 pairs of the life (goal: at most 5%)", &FalsePromotions::life);
  print("e-process, pair 1 alone (level 3.04%)", &FalsePromotions::first);
  print("better point estimate at 1,000 rows, pair 1 alone", &FalsePromotions::point_estimate);
  print("one-sided z-test at 5% at every 1,000 rows, pair 1 alone", &FalsePromotions::repeated_z_test);
}

// Rows until pair 1 promotes a challenger that is right more often by `gain` and differs on 10% of the rows.
size_t RowsUntilPromotion(uint64_t seed, uint64_t run, double gain) {
  constexpr double kDisagree = 0.1;
  constexpr size_t kLimit = 1'000'000;
  Random random = Random::Derive(seed, run);
  EProcess evidence;
  while (evidence.Value() < 1 / PairAlpha(1) && evidence.rows() < kLimit) {
    const double u = random.Uniform();
    evidence.Add(u < (kDisagree + gain) / 2 ? 1 : u < kDisagree ? -1 : 0);
  }
  return evidence.rows();
}

void PrintLabelsNeeded(size_t runs, uint64_t seed, int threads) {
  fmt::print("\n| gain in accuracy | labels until promotion, median | 10% to 90% of runs | goal (median) |\n|---|---|---|---|\n");
  for (const auto& [gain, goal] : {std::pair{0.01, 10'000}, {0.02, 2'400}, {0.05, 450}}) {
    std::vector<size_t> rows(runs);
    ParallelFor(runs, threads, [&, gain = gain](size_t run) { rows[run] = RowsUntilPromotion(seed, run, gain); });
    std::sort(rows.begin(), rows.end());
    fmt::print("| +{:.0f} points | {} | {} to {} | {} |\n", 100 * gain, rows[runs / 2], rows[runs / 10], rows[runs * 9 / 10], goal);
  }
}

// Real differences whose blocks change sign at random: no model is better over the whole, and what binds rows within a block stays. The
// test's hypothesis is stricter (no row's mean is positive given the past), so a share above the level measures how long real advantages
// last, not an error of the test.
void PrintSignFlips(const std::string& path, const std::vector<size_t>& blocks, size_t runs, uint64_t seed, int threads) {
  std::ifstream file(path);
  const std::vector<double> differences{std::istream_iterator<double>(file), std::istream_iterator<double>()};
  if (differences.empty() || !file.eof()) throw Error(ErrorKind::kInput, path + " is not a list of numbers, one a line");
  fmt::print("\n{} differences of {}\n| rows in a block | runs that promote at 5% | at 3.04% (pair 1) |\n|---|---|---|\n",
             differences.size(), path);
  for (const size_t block : blocks) {
    std::vector<double> largest(runs);
    ParallelFor(runs, threads, [&](size_t run) {
      Random random = Random::Derive(seed, run);
      EProcess evidence;
      double sign = 1;
      for (size_t row = 0; row < differences.size(); ++row) {
        if (row % block == 0) sign = random.Below(2) == 0 ? 1 : -1;
        evidence.Add(sign * differences[row]);
        largest[run] = std::max(largest[run], evidence.Value());
      }
    });
    const auto share = [&](double alpha) {
      return 100 * static_cast<double>(std::count_if(largest.begin(), largest.end(), [&](double v) { return v >= 1 / alpha; })) /
             static_cast<double>(runs);
    };
    fmt::print("| {} | {:.1f}% | {:.1f}% |\n", block, share(kErrorRate), share(PairAlpha(1)));
  }
}

void PrintCost(uint64_t seed) {
  constexpr size_t kCostRows = 1'000'000;
  Random random(seed);
  std::vector<double> differences(kCostRows);
  for (double& x : differences) x = 2 * random.Uniform() - 1;
  EProcess evidence;
  double largest = 0;
  const double before = ThreadCpuSeconds();
  for (const double x : differences) {
    evidence.Add(x);
    largest = std::max(largest, evidence.Value());
  }
  const double nanoseconds = 1e9 * (ThreadCpuSeconds() - before) / kCostRows;
  fmt::print("\n{:.1f} ns a row (Add and Value, {} rows, largest value {:.3g}); {} bytes a pair; {} bets\n", nanoseconds, kCostRows,
             largest, sizeof(EProcess), kBets);
}

}  // namespace
}  // namespace everlearn

int main(int argc, char** argv) {
  using namespace everlearn;
  size_t runs = 1000;
  uint64_t seed = 1;
  int threads = 0;
  std::string differences;
  std::vector<size_t> blocks = {1, 10, 100, 1000};
  CLI::App app("False promotions and labels needed of the sequential promotion test.");
  app.add_option("--runs", runs, "simulated deployments")->check(CLI::PositiveNumber);
  app.add_option("--seed", seed);
  app.add_option("--threads", threads, "0: all cores");
  app.add_option("--differences", differences, "paired loss differences in [-1, 1], one number a line")->check(CLI::ExistingFile);
  app.add_option("--blocks", blocks, "rows of a block whose sign is drawn (with --differences)")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  fmt::print("promotion_rates --runs {} --seed {}\n\n{} deployments of {} rows in which nothing is better\n", runs, seed, runs, kRows);
  fmt::print("| losses | rule | deployments with a false promotion |\n|---|---|---|\n");
  PrintFalsePromotions("0/1", runs, seed, threads, DrawErrors);
  PrintFalsePromotions("log-loss", runs, seed, threads, DrawLogLosses);
  PrintLabelsNeeded(runs, seed, threads);
  if (!differences.empty()) {
    try {
      PrintSignFlips(differences, blocks, runs, seed, threads);
    } catch (const Error& error) {
      fmt::print(stderr, "{}\n", error.message());
      return 1;
    }
  }
  PrintCost(seed);
}
