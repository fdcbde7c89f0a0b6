#include "server/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cctype>
#include <chrono>
#include <optional>

#include "base/error.h"
#include "server/access.h"
#include "server/url.h"

namespace everlearn {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Request = http::request<http::string_body>;
using Parser = http::response_parser<http::string_body>;

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

// Errors of the parser: the other side speaks something else.
bool IsNoHttp(ErrorCode code) {
  return code.category() == make_error_code(http::error::bad_version).category() && code != http::error::end_of_stream &&
         code != http::error::partial_message;
}

class BeastClient final : public HttpClient {
 public:
  BeastClient(const std::string& url, Url parts, const HttpClientOptions& options)
      : url_(url), parts_(std::move(parts)), timeout_(std::chrono::duration<double>(options.timeout_seconds)) {
    if (!options.api_key_file.empty()) authorization_ = "Bearer " + ReadSecret(options.api_key_file);
    if (!parts_.secure) return;
    tls_.emplace(asio::ssl::context::tls_client);
    ErrorCode ignored;  // no certificate will be trusted then, which the handshake says
    tls_->set_default_verify_paths(ignored);
    tls_->set_verify_mode(asio::ssl::verify_peer);
  }
  ~BeastClient() override { Disconnect(); }

  HttpAnswer Send(const std::string& method, const std::string& target, const std::string& body,
                  const std::vector<std::pair<std::string, std::string>>& headers) override {
    const Request request = MakeRequest(method, target, body, headers);
    deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(timeout_);
    if (connected_) {
      if (auto answer = Exchange(request)) return *answer;
      Disconnect();  // by the server, while the connection was idle
    }
    Connect();
    if (auto answer = Exchange(request)) return *answer;
    Fail("it closed the connection without an answer");
  }

 private:
  Request MakeRequest(const std::string& method, const std::string& target, const std::string& body,
                      const std::vector<std::pair<std::string, std::string>>& headers) const {
    if (method.empty() || target.find_first_of(" \r\n") != std::string::npos || (target.empty() ? parts_.path.empty() : target[0] != '/'))
      throw Error(ErrorKind::kUsage, "'" + method + " " + target + "' is no request");
    Request request;
    request.version(11);
    request.method_string(method);
    request.target(parts_.path + target);
    request.set(http::field::host, parts_.Authority());
    request.set(http::field::user_agent, "everlearn/" EVERLEARN_VERSION);
    if (!authorization_.empty()) request.set(http::field::authorization, authorization_);
    if (!body.empty()) request.set(http::field::content_type, "application/json");
    for (const auto& [name, value] : headers) {
      if ((name + value).find_first_of("\r\n") != std::string::npos)
        throw Error(ErrorKind::kUsage, "the header " + name + " holds the end of a line");
      request.set(name, value);
    }
    request.body() = body;
    if (!body.empty() || (method != "GET" && method != "HEAD")) request.content_length(body.size());
    return request;
  }

  // Starts an operation and runs it to its end, or to the deadline.
  template <class Operation>
  ErrorCode Run(const Operation& start) {
    std::optional<ErrorCode> result;
    start([&result](ErrorCode code, const auto&...) { result = code; });
    io_.restart();
    io_.run_until(deadline_);
    if (result) return *result;
    ErrorCode ignored;
    socket_.close(ignored);
    io_.restart();
    io_.run();  // what was cancelled ends, and lets go of `result`
    return asio::error::timed_out;
  }

  template <class Use>
  auto WithStream(const Use& use) {
    return stream_ ? use(*stream_) : use(socket_);
  }

  void Connect() {
    tcp::resolver resolver(io_);
    ErrorCode code;
    const auto addresses = resolver.resolve(parts_.host, parts_.port, code);
    if (code) Fail(code.message());
    code = Run([&](auto done) { asio::async_connect(socket_, addresses, done); });
    if (code) Fail(code.message());
    socket_.set_option(tcp::no_delay(true), code);
    if (parts_.secure) {
      stream_.emplace(socket_, *tls_);
      asio::ip::make_address(parts_.host, code);
      if (code) SSL_set_tlsext_host_name(stream_->native_handle(), parts_.host.c_str());  // which an address may not be
      stream_->set_verify_callback(asio::ssl::host_name_verification(parts_.host));
      code = Run([&](auto done) { stream_->async_handshake(asio::ssl::stream_base::client, done); });
      if (code) Fail("TLS: " + code.message());
    }
    connected_ = true;
  }

  void Disconnect() {
    connected_ = false;
    stream_.reset();
    ErrorCode ignored;
    socket_.close(ignored);
    buffer_.clear();
  }

  [[noreturn]] void Fail(const std::string& reason) {
    Disconnect();
    throw Error(ErrorKind::kResource, "no answer from " + url_ + ": " + reason, "check that the service runs there");
  }

  // Nothing where the connection broke before a byte of the answer had come.
  std::optional<HttpAnswer> Exchange(const Request& request) {
    const ErrorCode written = WithStream([&](auto& stream) { return Run([&](auto done) { http::async_write(stream, request, done); }); });
    if (written == asio::error::timed_out) FailLate();
    // Though it could not be written to its end there may be an answer: that it was too large, say.
    std::optional<Parser> parser;
    ErrorCode code;
    do {
      parser.emplace();
      parser->body_limit(boost::none);
      parser->header_limit(1 << 20);
      parser->skip(request.method_string() == "HEAD");
      code = WithStream([&](auto& stream) { return Run([&](auto done) { http::async_read(stream, buffer_, *parser, done); }); });
    } while (!code && parser->get().result_int() < 200);  // 100 Continue and the like come before the answer
    if (code == asio::error::timed_out) FailLate();
    if (code && IsNoHttp(code)) {
      Disconnect();
      throw Error(ErrorKind::kInput, "the answer from " + url_ + " is no HTTP: " + code.message(), "check the address and its port");
    }
    if (code && !parser->got_some()) return std::nullopt;
    if (code) Fail("the answer broke off: " + code.message());
    if (written || !parser->keep_alive()) Disconnect();
    return AnswerOf(parser->get());
  }

  [[noreturn]] void FailLate() { Fail(fmt::format("none came within {:g} s", timeout_.count())); }

  static HttpAnswer AnswerOf(http::response<http::string_body>& response) {
    HttpAnswer answer;
    answer.status = static_cast<int>(response.result_int());
    for (const auto& field : response) answer.headers.emplace_back(LowerCase(field.name_string()), std::string(field.value()));
    answer.body = std::move(response.body());
    return answer;
  }

  using Clock = std::chrono::steady_clock;

  const std::string url_;
  const Url parts_;
  const std::chrono::duration<double> timeout_;
  std::string authorization_;
  Clock::time_point deadline_;
  bool connected_ = false;
  boost::beast::flat_buffer buffer_;
  asio::io_context io_{1};
  tcp::socket socket_{io_};
  std::optional<asio::ssl::context> tls_;
  std::optional<asio::ssl::stream<tcp::socket&>> stream_;  // over socket_, of https
};

}  // namespace

std::string HttpAnswer::Header(const std::string& lower_case_name) const {
  for (const auto& [name, value] : headers)
    if (name == lower_case_name) return value;
  return "";
}

std::unique_ptr<HttpClient> HttpClient::Make(const std::string& url, const HttpClientOptions& options) {
  auto parts = ParseUrl(url);
  if (!parts) throw Error(ErrorKind::kUsage, "'" + url + "' is no URL of a service", "write http://host:port or https://host:port");
  if (!(options.timeout_seconds > 0)) throw Error(ErrorKind::kUsage, "the timeout of a client must be more than 0 seconds");
  return std::make_unique<BeastClient>(url, std::move(*parts), options);
}

bool IsUrl(const std::string& text) { return text.rfind("http://", 0) == 0 || text.rfind("https://", 0) == 0; }

}  // namespace everlearn
