// The HTTP server (Boost.Beast on Asio): connections, limits, keys, TLS, request ids; what a request means is the handler's.
//
// Start() and Stop() from one thread; the handler runs on the server's threads, and while it does its thread serves no other connection:
// what takes long belongs elsewhere and responds later. What the handler throws becomes 500; a `respond` that is dropped uncalled does too.
// Probes (/health/live, /health/ready, /ping) need no key, but count for the limit of requests.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/http.h"

namespace everlearn {

struct HttpKey {
  std::string key_file;             // the secret is its first line
  std::vector<std::string> rights;  // "predict", "outcome", "admin"
};

struct HttpServerOptions {
  std::string listen = "127.0.0.1:8080";  // address:port; port 0: any free one. [::1]:8080 for IPv6
  std::map<std::string, HttpKey> keys;    // by name; without any only loopback addresses are served (kUsage otherwise)
  std::string certificate, private_key;   // PEM files; both empty: no TLS
  int threads = 2;
  size_t most_body_bytes = 16 << 20;    // 413 beyond
  size_t most_header_bytes = 32 << 10;  // 431 beyond
  size_t most_connections = 1024;       // beyond: 503 and closed
  double requests_a_second = 0;         // of one caller (key or address), burst of as many; 429 with Retry-After beyond; 0: no limit
  double read_seconds = 30;             // for a whole request once its first byte came; 408 beyond
  double idle_seconds = 75;             // of a kept-alive connection
  // One call for each answered request (refused ones too), for the log and metrics; on the server's threads, must not throw. The request
  // comes without headers and body; seconds count from its first byte to the answer's.
  std::function<void(const HttpRequest&, const HttpResponse&, double seconds)> on_answer;
};

// Throws what Start would throw about the options, their keys and certificates, without listening: kUsage, kInput, kNotFound, kPermission.
void CheckHttpOptions(const HttpServerOptions& options);

class HttpServer {
 public:
  // Listens when it returns. Throws kUsage (bad address; not loopback without keys), kResource (port taken), kNotFound / kPermission /
  // kInput (key and certificate files).
  static std::unique_ptr<HttpServer> Start(const HttpServerOptions& options, HttpHandler handler);
  virtual ~HttpServer() = default;  // stops at once
  virtual uint16_t port() const = 0;
  // Accepts no further connection, lets running requests end (at most `seconds`), closes. Idempotent.
  virtual void Stop(double seconds) = 0;
};

}  // namespace everlearn
