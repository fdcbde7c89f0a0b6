// How many requests each caller may make: a bucket of tokens a caller, filled at the same rate.
//
// Safe from any thread.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>

namespace everlearn {

class RateLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // A burst of as many requests as come in a second (at least one) is let through.
  explicit RateLimit(double requests_a_second);

  // Counts one request; 0 where it may go on, else the whole seconds after which the next may.
  int Take(const std::string& caller, Time now);

 private:
  struct Bucket {
    double tokens;
    Time filled;
  };
  void ForgetFull(Time now);
  double TokensAt(const Bucket& bucket, Time now) const;

  const double rate_;
  const double most_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
  size_t forget_at_ = 1024;  // buckets
};

}  // namespace everlearn
