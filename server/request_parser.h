// Reads one HTTP request from the bytes of a connection, by Beast's parser, straight into an HttpRequest.
//
// For server/http_session.cc; one request each.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <string>

#include "server/http.h"

namespace everlearn {

class RequestParser final : public boost::beast::http::basic_parser<true> {
 public:
  RequestParser(size_t most_header_bytes, size_t most_body_bytes);

  // Takes what it can of the bytes that wait, and says how many; `code` is need_more where it is stuck without more.
  size_t Take(boost::asio::const_buffer bytes, boost::beast::error_code& code);

  size_t header_bytes() const { return header_bytes_; }  // that have been parsed

  HttpRequest request;
  std::string target;        // as it stands in the request line
  bool old_version = false;  // HTTP/1.0
  bool twice_host = false;

 private:
  using Code = boost::beast::error_code;
  using View = boost::beast::string_view;
  using Length = boost::optional<uint64_t>;

  void on_request_impl(boost::beast::http::verb verb, View method, View sent_target, int version, Code& code) override;
  void on_response_impl(int, View, int, Code&) override {}
  void on_field_impl(boost::beast::http::field field, View name, View value, Code& code) override;
  void on_header_impl(Code&) override {}
  void on_body_init_impl(const Length& length, Code&) override;
  size_t on_body_impl(View bytes, Code& code) override;
  void on_chunk_header_impl(uint64_t, View, Code&) override {}
  size_t on_chunk_body_impl(uint64_t, View bytes, Code& code) override { return on_body_impl(bytes, code); }
  void on_finish_impl(Code&) override {}
  void CountHeader(size_t bytes, Code& code);

  const size_t most_header_bytes_;
  size_t header_bytes_ = 0;
};

}  // namespace everlearn
