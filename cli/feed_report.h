// What `everlearn feed` has seen: counts, latency, and how good the answers were.
//
// A plain value in fixed memory, whatever the number of requests.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"

namespace everlearn {

// Quantiles of durations, within 1%.
class LatencyHistogram {
 public:
  void Add(double seconds);
  double Quantile(double q) const;  // NaN where there is none

 private:
  std::vector<uint64_t> counts_;  // by the logarithm
  uint64_t total_ = 0;
};

// Accuracy of labels, or root mean squared error of numbers, whichever the answers are.
class AnswerScore {
 public:
  void AddLabel(const std::string& predicted, const std::string& truth);
  void AddNumber(double predicted, double truth);
  uint64_t rows() const { return rows_; }
  const char* name() const { return labels_ ? "accuracy" : "rmse"; }
  double value() const;

 private:
  uint64_t rows_ = 0, right_ = 0;
  bool labels_ = false;
  double squared_ = 0;
};

struct FeedReport {
  size_t rows = 0, outcomes = 0, requests = 0;
  size_t rows_a_request = 0;                       // at most, of predictions
  std::map<std::string, size_t> outcome_statuses;  // joined, duplicate, …
  std::map<int, size_t> answers;                   // requests by the status of HTTP, those that were tried again included
  LatencyHistogram latency;                        // of requests for predictions that were answered
  AnswerScore score;
  double seconds = 0;
  bool interrupted = false;

  JsonObject ToJson() const;
  std::string Text() const;
};

}  // namespace everlearn
