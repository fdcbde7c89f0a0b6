// Fuzz entry: no bytes may crash the reading of a request and its target, and how they are cut into pieces changes nothing.
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "server/request_parser.h"
#include "server/url.h"

namespace {

using everlearn::HttpRequest;

// As a connection does it: `first` bytes come, then `rest` at a time. Nothing where the request is broken or does not end.
std::optional<HttpRequest> Read(const std::string& bytes, size_t first, size_t rest) {
  everlearn::RequestParser parser(1000, 1000);
  boost::beast::flat_buffer buffer;
  boost::beast::error_code code;
  for (size_t at = 0, size = first; at < bytes.size() && !parser.is_done(); at += size, size = rest) {
    size = std::min(size, bytes.size() - at);
    buffer.commit(boost::asio::buffer_copy(buffer.prepare(size), boost::asio::buffer(bytes.data() + at, size)));
    while (buffer.size() > 0 && !parser.is_done()) {
      const size_t used = parser.Take(buffer.data(), code);
      buffer.consume(used);
      if (code && code != boost::beast::http::error::need_more) return std::nullopt;
      if (code || used == 0) break;
    }
  }
  if (!parser.is_done()) return std::nullopt;
  if (const auto target = everlearn::ParseTarget(parser.target)) parser.request.path = target->path;
  return parser.request;
}

bool Equal(const HttpRequest& a, const HttpRequest& b) {
  return a.method == b.method && a.path == b.path && a.headers == b.headers && a.body == b.body;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  return {
      "GET /v1/tasks/a%20b?after=3&x=%C3%A4 HTTP/1.1\r\nHost: x:80\r\nX-Two: 1\r\nx-two: 2\r\n\r\n",
      "POST /v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nConnection: keep-alive\r\n\r\n{\"rows\": []}",
      "POST /v1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n",
      "GET http://host/path?q HTTP/1.0\r\nConnection: close\r\n\r\n"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = Read(bytes, size, size);
  const auto bytewise = Read(bytes, 1, 1), in_pieces = Read(bytes, size / 2, 7);
  if (whole && bytewise && !Equal(*whole, *bytewise)) std::abort();
  if (whole && in_pieces && !Equal(*whole, *in_pieces)) std::abort();
  return 0;
}
