#include "server/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace everlearn {

RateLimit::RateLimit(double requests_a_second) : rate_(requests_a_second), most_(std::max(1.0, requests_a_second)) {}

double RateLimit::TokensAt(const Bucket& bucket, Time now) const {
  return std::min(most_, bucket.tokens + rate_ * std::chrono::duration<double>(now - bucket.filled).count());
}

// A full bucket says nothing that a new one would not: callers that are gone take no memory.
void RateLimit::ForgetFull(Time now) {
  std::erase_if(buckets_, [&](const auto& entry) { return TokensAt(entry.second, now) >= most_; });
  forget_at_ = std::max<size_t>(1024, 2 * buckets_.size());
}

int RateLimit::Take(const std::string& caller, Time now) {
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= forget_at_) ForgetFull(now);
  Bucket& bucket = buckets_.try_emplace(caller, Bucket{most_, now}).first->second;
  bucket.tokens = TokensAt(bucket, now);
  bucket.filled = std::max(bucket.filled, now);
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return 0;
  }
  return static_cast<int>(std::clamp(std::ceil((1 - bucket.tokens) / rate_), 1.0, 86400.0));
}

}  // namespace everlearn
