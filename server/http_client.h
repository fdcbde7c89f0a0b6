// A small HTTP client for the commands that talk to a running service: one connection, kept alive, blocking.
//
// One thread at a time.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace everlearn {

struct HttpAnswer {
  int status = 0;
  std::string body;
  std::string Header(const std::string& lower_case_name) const;
  std::vector<std::pair<std::string, std::string>> headers;
};

struct HttpClientOptions {
  std::string api_key_file = {};  // sent as "Authorization: Bearer …" where given
  double timeout_seconds = 60;
};

class HttpClient {
 public:
  // `url`: http://host:port or https://host:port, a path after it is put before every target. Connects at the first request. Throws kUsage
  // (no such form), kNotFound / kPermission (key file).
  static std::unique_ptr<HttpClient> Make(const std::string& url, const HttpClientOptions& options);
  virtual ~HttpClient() = default;
  // Connects again once where the server has closed the kept-alive connection. Throws kResource where nobody answers (naming the url),
  // kInput where the answer is no HTTP.
  virtual HttpAnswer Send(const std::string& method, const std::string& target, const std::string& body,
                          const std::vector<std::pair<std::string, std::string>>& headers = {}) = 0;
};

bool IsUrl(const std::string& text);  // begins with http:// or https://

}  // namespace everlearn
