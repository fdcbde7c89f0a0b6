#include "server/request_parser.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <cctype>

namespace everlearn {

namespace http = boost::beast::http;

RequestParser::RequestParser(size_t most_header_bytes, size_t most_body_bytes) : most_header_bytes_(most_header_bytes) {
  eager(true);
  header_limit(static_cast<std::uint32_t>(std::min<size_t>(most_header_bytes, UINT32_MAX)));
  body_limit(most_body_bytes);
}

size_t RequestParser::Take(boost::asio::const_buffer bytes, Code& code) {
  // The shortest end of a chunked body is "0\r\n\r\n"; Beast asserts that it is not called again with less of it.
  constexpr size_t kLastChunk = 5;
  if (is_header_done() && chunked() && bytes.size() < kLastChunk) {
    code = http::error::need_more;
    return 0;
  }
  return put(bytes, code);
}

// Beast's own limit is of what lies in the buffer at one time; this one is of the whole.
void RequestParser::CountHeader(size_t bytes, Code& code) {
  header_bytes_ += bytes;
  if (header_bytes_ > most_header_bytes_) code = http::error::header_limit;
}

void RequestParser::on_request_impl(http::verb, View method, View sent_target, int version, Code& code) {
  request.method = std::string(method);
  target = std::string(sent_target);
  old_version = version == 10;
  CountHeader(method.size() + target.size() + 12, code);
}

void RequestParser::on_field_impl(http::field field, View name, View value, Code& code) {
  if (is_header_done()) return;  // a trailer: nobody asks for them
  CountHeader(name.size() + value.size() + 4, code);
  if (code) return;
  // Another coding than chunked would leave open where the body ends; two readers that differ there let requests be smuggled.
  if (field == http::field::transfer_encoding && (old_version || !boost::beast::iequals(value, "chunked"))) {
    code = http::error::bad_transfer_encoding;
    return;
  }
  std::string lower(name.size(), ' ');
  std::transform(name.begin(), name.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto [entry, fresh] = request.headers.try_emplace(std::move(lower), value.data(), value.size());
  if (fresh) return;
  if (field == http::field::host) twice_host = true;
  entry->second.append(field == http::field::cookie ? "; " : ", ").append(value.data(), value.size());
}

void RequestParser::on_body_init_impl(const Length& length, Code&) {
  if (length) request.body.reserve(*length);  // within the limit, which was checked before
}

size_t RequestParser::on_body_impl(View bytes, Code&) {
  request.body.append(bytes.data(), bytes.size());
  return bytes.size();
}

}  // namespace everlearn
