// Sends the steps of a plan to a service over one or more connections, by the clock where a speed or a rate is given.
//
// RunFeed blocks and uses a thread for each connection.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/feed_plan.h"
#include "cli/feed_report.h"
#include "server/http_client.h"

namespace everlearn {

struct FeedOptions {
  std::string path;          // of the task: "/v1/tasks/late"
  double speed = 0;          // event seconds in a second of the clock; 0: as fast as the answers come
  double rows_a_second = 0;  // at most; 0: no limit
  size_t batch = 100;
  int connections = 1;             // with one, the order is that of the plan; with more, requests overtake each other
  double most_wait_seconds = 300;  // of a request that the service puts off (429, 503) or, having answered before, leaves without an answer
  std::function<std::unique_ptr<HttpClient>()> connect = {};
  std::function<bool()> stop = [] { return false; };          // asked often, by any thread
  std::function<void(size_t rows)> progress = [](size_t) {};  // by any thread
};

// The report so far where `stop` says so. Throws what the service answers but 2xx as ThrowProblem does, 429 and 503 only after waiting, and
// what HttpClient throws.
FeedReport RunFeed(const FeedPlan& plan, const FeedOptions& options);

}  // namespace everlearn
