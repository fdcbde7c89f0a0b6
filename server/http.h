// What an HTTP request and its answer are to the rest of the server.
//
// Plain values. A handler is called on any of the server's threads, and calls `respond` exactly once, from any thread, now or later.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace everlearn {

struct HttpRequest {
  std::string method;                          // "GET"; HEAD comes as GET, and its answer goes without the body
  std::string path;                            // "/v1/tasks/late", percent-decoded, without the query
  std::map<std::string, std::string> query;    // decoded; the last of equal names
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string id;                        // of this request: X-Request-Id as sent (at most 64 plain characters), else made here
  std::string caller;                    // name of the key that came with it; empty where the service has no keys
  std::vector<std::string> rights = {};  // of the caller: "predict", "outcome", "admin"; all where the service has no keys

  std::string Header(const std::string& lower_case_name) const {
    const auto found = headers.find(lower_case_name);
    return found == headers.end() ? "" : found->second;
  }
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
};

using HttpRespond = std::function<void(HttpResponse)>;
using HttpHandler = std::function<void(HttpRequest, HttpRespond)>;

// The answer to a failure in the form of RFC 9457: type, title, status, detail, and further members.
HttpResponse ProblemResponse(int status, const std::string& detail,
                             const std::vector<std::pair<std::string, std::string>>& text_members = {});

}  // namespace everlearn
