// What the sessions of one HTTP server share: options, handler, keys, and the list of those that are open.
//
// For server/http_*.cc. Outlives the server while an answer is outstanding: the one who owes it holds the session, and that this.
// The list has a lock, taken when a connection comes and goes; requests take none.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "server/access.h"
#include "server/http_server.h"
#include "server/rate_limit.h"

namespace everlearn {

class HttpSession;

struct ServerCore {
  ServerCore(const HttpServerOptions& server_options, HttpHandler request_handler)
      : options(server_options), handler(std::move(request_handler)), access(options.keys), io(options.threads) {
    if (options.requests_a_second > 0) rate_limit.emplace(options.requests_a_second);
  }

  // False where the server is stopping.
  bool Add(const std::shared_ptr<HttpSession>& session) {
    const std::lock_guard lock(mutex);
    if (stopping) return false;
    open.emplace(session.get(), session);
    return true;
  }

  void Remove(const HttpSession* session) {
    const std::lock_guard lock(mutex);
    if (open.erase(session) != 0 && open.empty()) all_closed.notify_all();
  }

  size_t Count() {
    const std::lock_guard lock(mutex);
    return open.size();
  }

  std::vector<std::shared_ptr<HttpSession>> Open() {
    const std::lock_guard lock(mutex);
    std::vector<std::shared_ptr<HttpSession>> sessions;
    for (const auto& [address, session] : open)
      if (auto held = session.lock()) sessions.push_back(std::move(held));
    return sessions;
  }

  void WaitUntilAllClosed(double seconds) {
    std::unique_lock lock(mutex);
    all_closed.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return open.empty(); });
  }

  const HttpServerOptions options;
  HttpHandler handler;
  const Access access;
  std::optional<RateLimit> rate_limit;
  std::atomic<bool> stopping = false;

  std::mutex mutex;
  std::condition_variable all_closed;
  std::map<const HttpSession*, std::weak_ptr<HttpSession>> open;

  std::optional<boost::asio::ssl::context> tls;
  boost::asio::io_context io;  // last: its handlers hold sessions
};

}  // namespace everlearn
