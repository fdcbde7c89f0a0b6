// Targets and URLs: percent-encoding, path and query of a request, the parts of a URL that the client connects to.
//
// Pure functions, safe from any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace everlearn {

// Nothing where a % is not followed by two hexadecimal digits, or a zero byte would come out.
std::optional<std::string> DecodePercent(std::string_view text, bool plus_is_blank);

struct Target {
  std::string path;                          // "/v1/tasks/late", decoded; "*" as it is
  std::map<std::string, std::string> query;  // decoded; the last of equal names
};

// Of a request line, also in the absolute form (http://host/path) that proxies send. Nothing where it is broken.
std::optional<Target> ParseTarget(std::string_view target);

struct Url {
  bool secure = false;  // https
  std::string host;     // IPv6 without its brackets
  std::string port;     // "80" or "443" where none is given
  std::string path;     // "" or "/prefix", without a slash at the end

  std::string Authority() const;  // for the Host header
};

// Nothing where it is not http://host[:port][/path] or https://…; user names, queries and fragments are refused.
std::optional<Url> ParseUrl(std::string_view text);

}  // namespace everlearn
