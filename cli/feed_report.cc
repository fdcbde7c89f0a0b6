#include "cli/feed_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/terminal.h"
#include "data/field.h"
#include "data/table.h"

namespace everlearn {
namespace {

constexpr double kShortest = 1e-6;                                                 // seconds
const double kStep = std::log(1.01);                                               // buckets 1% wide
const auto kBuckets = static_cast<size_t>(std::log(1e4 / kShortest) / kStep) + 1;  // up to hours

std::string Milliseconds(double seconds) { return std::isnan(seconds) ? "-" : Figure(seconds * 1000) + " ms"; }

template <typename Key>
std::string Counts(const std::map<Key, size_t>& counts) {
  std::string text;
  for (const auto& [key, count] : counts) text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", key, Grouped(count));
  return text;
}

template <typename Key>
JsonObject CountsJson(const std::map<Key, size_t>& counts) {
  JsonObject json;
  for (const auto& [key, count] : counts) json[fmt::format("{}", key)] = count;
  return json;
}

}  // namespace

void LatencyHistogram::Add(double seconds) {
  if (counts_.empty()) counts_.resize(kBuckets);
  const double bucket = std::log(std::max(seconds, kShortest) / kShortest) / kStep;
  ++counts_[std::min(static_cast<size_t>(bucket), kBuckets - 1)];
  ++total_;
}

double LatencyHistogram::Quantile(double q) const {
  uint64_t below = 0;
  for (size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    below += counts_[bucket];
    if (below > 0 && static_cast<double>(below) >= q * static_cast<double>(total_))
      return kShortest * std::exp((static_cast<double>(bucket) + 0.5) * kStep);
  }
  return kMissing;
}

void AnswerScore::AddLabel(const std::string& predicted, const std::string& truth) {
  labels_ = true;
  ++rows_;
  const auto same_number = [&] {  // "1" and "1.0" are one class
    const auto a = ParsePlainNumber(predicted), b = ParsePlainNumber(truth);
    return a && b && *a == *b;
  };
  if (predicted == truth || same_number()) ++right_;
}

void AnswerScore::AddNumber(double predicted, double truth) {
  ++rows_;
  squared_ += (predicted - truth) * (predicted - truth);
}

double AnswerScore::value() const {
  if (rows_ == 0) return kMissing;
  return labels_ ? static_cast<double>(right_) / static_cast<double>(rows_) : std::sqrt(squared_ / static_cast<double>(rows_));
}

JsonObject FeedReport::ToJson() const {
  JsonObject json{
      {"rows", rows},
      {"outcomes", outcomes},
      {"requests", requests},
      {"statuses", CountsJson(outcome_statuses)},
      {"answers", CountsJson(answers)},
      {"seconds", seconds},
      {"rows_per_second", static_cast<double>(rows) / seconds},
      {"latency", JsonObject{{"p50", latency.Quantile(0.5)}, {"p99", latency.Quantile(0.99)}, {"p99.9", latency.Quantile(0.999)}}},
      {"interrupted", interrupted},
      {"scored_rows", score.rows()}};
  if (score.rows() > 0) json[score.name()] = score.value();
  return json;
}

std::string FeedReport::Text() const {
  std::string text = fmt::format("{} rows and {} outcomes in {} s, {} rows/s{}\n", Grouped(rows), Grouped(outcomes), Figure(seconds),
                                 Grouped(static_cast<size_t>(static_cast<double>(rows) / seconds)), interrupted ? " (interrupted)" : "");
  text += fmt::format("  answers   {}\n", Counts(answers));
  if (!outcome_statuses.empty()) text += fmt::format("  outcomes  {}\n", Counts(outcome_statuses));
  text += fmt::format("  latency   p50 {}, p99 {}, p99.9 {} of a request of {}\n", Milliseconds(latency.Quantile(0.5)),
                      Milliseconds(latency.Quantile(0.99)), Milliseconds(latency.Quantile(0.999)),
                      rows_a_request == 1 ? "1 row" : "up to " + Grouped(rows_a_request) + " rows");
  if (score.rows() > 0) text += fmt::format("  {:<9} {} on {} rows\n", score.name(), Figure(score.value()), Grouped(score.rows()));
  return text;
}

}  // namespace everlearn
