#include "server/http_session.h"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>

#include "server/http_text.h"
#include "server/url.h"

namespace everlearn {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr size_t kSmallRead = 8 << 10, kLargeRead = 64 << 10;  // for headers, for bodies
constexpr size_t kKeptBuffer = 16 << 10;                       // an idle connection holds no more
constexpr uint64_t kReadToKeep = 64 << 10;  // a refused request with a body up to this is read to its end, and the connection kept
constexpr double kLingerSeconds = 1;
constexpr double kTurnedAwaySeconds = 2;

// Given to the handler as `respond`. Where it is dropped without an answer, the client gets one all the same.
class Responder {
 public:
  Responder(std::shared_ptr<HttpSession> session, uint64_t number) : session_(std::move(session)), number_(number) {}
  ~Responder() {
    if (!answered_.exchange(true)) session_->Answer(number_, ProblemResponse(500, "the request was dropped without an answer"));
  }
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;

  void Respond(HttpResponse response) {
    if (!answered_.exchange(true)) session_->Answer(number_, std::move(response));
  }

 private:
  const std::shared_ptr<HttpSession> session_;
  const uint64_t number_;
  std::atomic<bool> answered_ = false;
};

HttpResponse ProblemOf(ErrorCode code, const HttpServerOptions& options) {
  if (code == http::error::body_limit)
    return ProblemResponse(413, "the body is larger than " + std::to_string(options.most_body_bytes) + " bytes");
  if (code == http::error::header_limit)
    return ProblemResponse(431, "the header is larger than " + std::to_string(options.most_header_bytes) + " bytes");
  return ProblemResponse(400, "this is no HTTP/1.1 request: " + code.message());
}

HttpResponse With(HttpResponse response, std::string name, std::string value) {
  response.headers.emplace_back(std::move(name), std::move(value));
  return response;
}

}  // namespace

HttpSession::HttpSession(std::shared_ptr<ServerCore> core, Strand strand, std::string address, bool turned_away)
    : core_(std::move(core)), strand_(std::move(strand)), address_(std::move(address)), turned_away_(turned_away), timer_(strand_) {}

HttpSession::~HttpSession() { core_->Remove(this); }

// What runs out of memory loses its connection, and nothing else.
template <class Work>
void HttpSession::Guarded(const Work& work) {
  try {
    work();
  } catch (...) {
    Close();
  }
}

void HttpSession::Start() {
  if (state_ == State::kClosed) return;
  SetDeadline(core_->options.read_seconds);
  StartHandshake();
}

void HttpSession::OnHandshake(ErrorCode code) {
  if (state_ == State::kClosed) return;
  if (code) return Close();
  Guarded([this] { NextRequest(); });
}

void HttpSession::NextRequest() {
  parser_.emplace(core_->options.most_header_bytes, core_->options.most_body_bytes);
  header_checked_ = head_only_ = false;
  refusal_.reset();
  state_ = State::kIdle;
  begun_ = Clock::now();
  if (buffer_.size() > 0) return Parse();
  if (core_->stopping) return Close();
  if (buffer_.capacity() > kKeptBuffer) buffer_ = {};
  SetDeadline(turned_away_ ? kTurnedAwaySeconds : core_->options.idle_seconds);
  ReadMore();
}

void HttpSession::ReadMore() { StartRead(buffer_.prepare(parser_->is_header_done() ? kLargeRead : kSmallRead)); }

void HttpSession::OnRead(ErrorCode code, size_t bytes) {
  if (state_ == State::kClosed) return;
  Guarded([&] {
    if (timed_out_) {
      timed_out_ = false;
      return Refuse(turned_away_ ? *Refusal() : ProblemResponse(408, "the whole request did not come in time"));
    }
    if (code) return Close();
    buffer_.commit(bytes);
    if (state_ == State::kIdle) begun_ = Clock::now();
    Parse();
  });
}

void HttpSession::Parse() {
  ErrorCode code;
  while (buffer_.size() > 0 && !parser_->is_done()) {
    const size_t used = parser_->Take(buffer_.data(), code);
    buffer_.consume(used);
    if (code && code != http::error::need_more) return Refuse(ProblemOf(code, core_->options));
    if (parser_->is_header_done() && !header_checked_ && CheckHeader() == Checked::kAnswered) return;
    if (code || used == 0) break;
  }
  if (parser_->is_done()) {
    if (!refusal_) return Handle();
    return Send(std::move(*refusal_), parser_->keep_alive());
  }
  // A header or, among the chunks of a body, a line that does not end.
  const bool in_body = parser_->is_header_done();
  if (buffer_.size() + (in_body ? 0 : parser_->header_bytes()) > core_->options.most_header_bytes)
    return Refuse(ProblemOf(in_body ? http::error::bad_chunk : http::error::header_limit, core_->options));
  if (state_ == State::kContinue) return;
  if (state_ == State::kIdle) {
    state_ = State::kReading;
    SetDeadline(turned_away_ ? kTurnedAwaySeconds : core_->options.read_seconds);
  }
  ReadMore();
}

// Before the body has come, so that strangers cannot send one and nobody waits to be told that it is too large.
HttpSession::Checked HttpSession::CheckHeader() {
  header_checked_ = true;
  refusal_ = Refusal();
  const std::string expect = parser_->request.Header("expect");
  const bool waits = !parser_->is_done() && boost::beast::iequals(expect, "100-continue") && !parser_->old_version && buffer_.size() == 0;
  if (refusal_) {
    const uint64_t left = parser_->is_done() ? 0 : parser_->content_length_remaining().value_or(UINT64_MAX);
    if (refusal_->status != 400 && refusal_->status != 503 && left <= kReadToKeep && !waits) return Checked::kGoOn;
    Refuse(std::move(*refusal_));
    return Checked::kAnswered;
  }
  if (waits) {
    state_ = State::kContinue;
    SetDeadline(core_->options.read_seconds);
    head_ = "HTTP/1.1 100 Continue\r\n\r\n";
    unsent_ = {asio::buffer(head_), {}};
    StartWrite(unsent_);
  }
  return Checked::kGoOn;
}

std::optional<HttpResponse> HttpSession::Refusal() {
  HttpRequest& request = parser_->request;
  request.id = RequestId(request.Header("x-request-id"));
  head_only_ = request.method == "HEAD";
  if (head_only_) request.method = "GET";
  if (turned_away_)
    return With(
        ProblemResponse(503, "the server has all the connections it takes (" + std::to_string(core_->options.most_connections) + ")"),
        "Retry-After", "1");
  auto target = ParseTarget(parser_->target);
  if (!target) return ProblemResponse(400, "the target of the request is broken");
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  if (parser_->twice_host || (!parser_->old_version && request.headers.count("host") == 0))
    return ProblemResponse(400, "the request needs one Host header");
  const Caller* caller = core_->access.Find(request);
  if (caller != nullptr) {
    request.caller = caller->name;
    request.rights = caller->rights;
  }
  if (auto refusal = RefusalOfCaller(caller != nullptr)) return refusal;
  const std::string expect = request.Header("expect");
  if (!expect.empty() && !boost::beast::iequals(expect, "100-continue")) return ProblemResponse(417, "Expect can only be 100-continue");
  return std::nullopt;
}

std::optional<HttpResponse> HttpSession::RefusalOfCaller(bool known) {
  const HttpRequest& request = parser_->request;
  if (core_->rate_limit) {
    const std::string who = request.caller.empty() ? "address " + address_ : "key " + request.caller;
    if (const int wait = core_->rate_limit->Take(who, Clock::now()); wait > 0)
      return With(ProblemResponse(429, "more requests than this server takes of one caller"), "Retry-After", std::to_string(wait));
  }
  if (known || NeedsNoKey(request.path)) return std::nullopt;
  return With(ProblemResponse(401, "the request needs a key of this service, as Authorization: Bearer SECRET or X-API-Key: SECRET"),
              "WWW-Authenticate", "Bearer realm=\"everlearn\"");
}

// The handler gets the request itself; this is what the answer and the log still need of it.
void HttpSession::Remember(const HttpRequest& request) {
  asked_.id = request.id.empty() ? RequestId("") : request.id;
  if (!core_->options.on_answer) return;
  asked_.method = request.method;
  asked_.path = request.path;
  asked_.query = request.query;
  asked_.caller = request.caller;
  asked_.rights = request.rights;
}

void HttpSession::Handle() {
  state_ = State::kHandling;
  ClearDeadline();
  ++number_;
  HttpRequest& request = parser_->request;
  Remember(request);
  const uint64_t number = number_;
  const auto responder = std::make_shared<Responder>(shared_from_this(), number);
  try {
    core_->handler(std::move(request), [responder](HttpResponse response) { responder->Respond(std::move(response)); });
  } catch (const std::exception& error) {
    Answer(number, ProblemResponse(500, std::string("an internal error: ") + error.what()));
  } catch (...) {
    Answer(number, ProblemResponse(500, "an internal error"));
  }
}

void HttpSession::Answer(uint64_t number, HttpResponse response) {
  const auto send = [number](HttpSession& session, HttpResponse& answer) {
    if (session.state_ != State::kHandling || session.number_ != number) return;
    session.Guarded([&] { session.Send(std::move(answer), session.parser_->keep_alive()); });
  };
  if (strand_.running_in_this_thread()) return send(*this, response);
  const std::lock_guard lock(mutex_);
  if (closed_) return;  // perhaps with the server: nothing may be posted any more
  asio::post(strand_, [self = shared_from_this(), send, answer = std::move(response)]() mutable { send(*self, answer); });
}

void HttpSession::Send(HttpResponse response, bool keep_alive) {
  if (state_ != State::kHandling) Remember(parser_->request);
  state_ = State::kWriting;
  keep_alive_ = keep_alive && !core_->stopping;
  response_ = std::move(response);
  head_ = ResponseHead(response_, asked_.id, keep_alive_, parser_->old_version);
  const bool body = !head_only_ && StatusHasBody(response_.status);
  unsent_ = {asio::buffer(head_), body ? asio::buffer(response_.body) : asio::const_buffer()};
  if (core_->options.on_answer) core_->options.on_answer(asked_, response_, std::chrono::duration<double>(Clock::now() - begun_).count());
  SetDeadline(core_->options.idle_seconds);
  StartWrite(unsent_);
}

void HttpSession::OnWrite(ErrorCode code, size_t bytes) {
  if (state_ == State::kClosed) return;
  if (code) return Close();
  const size_t of_head = std::min(bytes, unsent_[0].size());
  unsent_[0] += of_head;
  unsent_[1] += bytes - of_head;
  if (unsent_[0].size() + unsent_[1].size() > 0) {
    SetDeadline(core_->options.idle_seconds);  // of no progress at all
    return StartWrite(unsent_);
  }
  Guarded([this] {
    response_ = {};
    if (state_ == State::kContinue) {
      state_ = State::kReading;
      ReadMore();
    } else if (keep_alive_) {
      NextRequest();
    } else {
      Linger();
    }
  });
}

// Closing while the client still sends would reset the connection, and the answer with it. So: say that no more comes, and read on a while.
void HttpSession::Linger() {
  state_ = State::kLingering;
  SetDeadline(kLingerSeconds);
  StartShutdown();
}

void HttpSession::OnShutdown(ErrorCode) {
  if (state_ == State::kClosed) return;
  ErrorCode code;
  socket().shutdown(asio::socket_base::shutdown_send, code);
  if (code) return Close();
  buffer_.clear();
  Guarded([this] { StartDrain(buffer_.prepare(kLargeRead)); });
}

void HttpSession::OnDrain(ErrorCode code, size_t) {
  if (state_ == State::kClosed) return;
  if (code) return Close();
  Guarded([this] { StartDrain(buffer_.prepare(kLargeRead)); });
}

void HttpSession::WhenStopping() {
  if (state_ == State::kIdle || state_ == State::kHandshake) Close();
}

void HttpSession::Close() {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
  }
  state_ = State::kClosed;
  timer_.cancel();
  ErrorCode ignored;
  socket().close(ignored);
  core_->Remove(this);
}

void HttpSession::SetDeadline(double seconds) {
  deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  if (!timer_armed_ || deadline_ < timer_.expiry()) ArmTimer();
}

void HttpSession::ArmTimer() {
  timer_armed_ = true;
  timer_.expires_at(deadline_);
  timer_.async_wait([self = shared_from_this()](ErrorCode code) {
    if (code || self->state_ == State::kClosed) return;
    self->timer_armed_ = false;
    if (self->deadline_ == Clock::time_point::max()) return;
    if (Clock::now() < self->deadline_) return self->ArmTimer();
    self->OnDeadline();
  });
}

void HttpSession::OnDeadline() {
  if (state_ == State::kReading || (state_ == State::kIdle && turned_away_)) {
    timed_out_ = true;  // answered when the read has ended
    ErrorCode ignored;
    socket().cancel(ignored);
  } else {
    Close();
  }
}

}  // namespace everlearn
