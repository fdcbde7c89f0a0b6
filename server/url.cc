#include "server/url.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace everlearn {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool StartsWithIgnoringCase(std::string_view text, std::string_view lower_case_start) {
  return text.size() >= lower_case_start.size() &&
         std::equal(lower_case_start.begin(), lower_case_start.end(), text.begin(),
                    [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

bool ParseQuery(std::string_view text, std::map<std::string, std::string>* query) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    auto name = DecodePercent(pair.substr(0, equals), true);
    auto value = DecodePercent(equals == std::string_view::npos ? "" : pair.substr(equals + 1), true);
    if (!name || !value) return false;
    (*query)[std::move(*name)] = std::move(*value);
  }
  return true;
}

}  // namespace

std::optional<std::string> DecodePercent(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexDigit(text[i + 1]), low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return decoded;
}

std::optional<Target> ParseTarget(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!StartsWithIgnoringCase(target, scheme)) continue;
    target.remove_prefix(std::min(target.find_first_of("/?", scheme.size()), target.size()));
    if (target.empty() || target[0] == '?') return ParseTarget("/" + std::string(target));
    break;
  }
  if (target == "*") return Target{.path = "*", .query = {}};
  const size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  if (path.empty() || path[0] != '/') return std::nullopt;
  auto decoded = DecodePercent(path, false);
  if (!decoded) return std::nullopt;
  Target result{.path = std::move(*decoded), .query = {}};
  if (question != std::string_view::npos && !ParseQuery(target.substr(question + 1), &result.query)) return std::nullopt;
  return result;
}

std::string Url::Authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (secure ? "443" : "80") ? name : name + ":" + port;
}

std::optional<Url> ParseUrl(std::string_view text) {
  Url url;
  if (StartsWithIgnoringCase(text, "https://")) {
    url.secure = true;
  } else if (!StartsWithIgnoringCase(text, "http://")) {
    return std::nullopt;
  }
  text.remove_prefix(url.secure ? 8 : 7);
  const std::string_view authority = text.substr(0, text.find_first_of("/?#"));
  std::string_view path = text.substr(authority.size());
  if (authority.find('@') != std::string_view::npos || path.find_first_of("?# \r\n") != std::string_view::npos) return std::nullopt;
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  url.path = path;

  std::string_view port;
  if (!authority.empty() && authority[0] == '[') {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    url.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    url.host = authority.substr(0, authority.find(':'));
    port = authority.substr(url.host.size());
  }
  if (url.host.empty() || url.host.find_first_of(" \r\n%") != std::string::npos) return std::nullopt;
  if (port.empty()) {
    url.port = url.secure ? "443" : "80";
    return url;
  }
  url.port = port.substr(1);
  const bool digits = std::all_of(url.port.begin(), url.port.end(), [](unsigned char c) { return std::isdigit(c); });
  if (port[0] != ':' || url.port.empty() || url.port.size() > 5 || !digits || std::stoi(url.port) > 65535) return std::nullopt;
  return url;
}

}  // namespace everlearn
