// One connection of the HTTP server: reads a request, has it answered, writes the answer, and so on until either side closes.
//
// Everything runs on the session's strand, but for Answer() and Close(). One request at a time: what a client sends ahead waits in the
// buffer. Transport (TCP or TLS) is in the derived classes, see http_transport.h.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "server/request_parser.h"
#include "server/server_core.h"

namespace everlearn {

using Strand = boost::asio::strand<boost::asio::io_context::executor_type>;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Strand>;
using ErrorCode = boost::system::error_code;

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  // `turned_away`: one connection too many, which gets 503 for whatever it asks.
  HttpSession(std::shared_ptr<ServerCore> core, Strand strand, std::string address, bool turned_away);
  virtual ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  void Start();
  void WhenStopping();  // closes where no request is under way

  // The answer to request `number`; ignored where that was answered, or the connection is gone. Any thread.
  void Answer(uint64_t number, HttpResponse response);

  // At once. On the strand, or when the server's threads have ended. Idempotent.
  void Close();

  const Strand& strand() const { return strand_; }

 protected:
  using Buffers = std::array<boost::asio::const_buffer, 2>;

  // Each ends in the call of the same name; never before it returns.
  virtual void StartHandshake() = 0;
  virtual void StartRead(boost::asio::mutable_buffer buffer) = 0;
  virtual void StartWrite(const Buffers& buffers) = 0;
  virtual void StartShutdown() = 0;                                 // of TLS
  virtual void StartDrain(boost::asio::mutable_buffer buffer) = 0;  // a read below TLS
  virtual Socket& socket() = 0;

  void OnHandshake(ErrorCode code);
  void OnRead(ErrorCode code, size_t bytes);
  void OnWrite(ErrorCode code, size_t bytes);
  void OnShutdown(ErrorCode code);
  void OnDrain(ErrorCode code, size_t bytes);

 private:
  enum class State { kHandshake, kIdle, kReading, kHandling, kContinue, kWriting, kLingering, kClosed };
  enum class Checked { kGoOn, kAnswered };

  void NextRequest();
  void ReadMore();
  void Parse();
  Checked CheckHeader();
  std::optional<HttpResponse> Refusal();  // of a request whose header has come; also finds its path, id and caller
  std::optional<HttpResponse> RefusalOfCaller(bool known);
  void Remember(const HttpRequest& request);
  void Handle();
  void Send(HttpResponse response, bool keep_alive);
  void Refuse(HttpResponse response) { Send(std::move(response), false); }  // and closes: the rest of the request is not read
  void Linger();

  void SetDeadline(double seconds);
  void ClearDeadline() { deadline_ = Clock::time_point::max(); }
  void ArmTimer();
  void OnDeadline();
  template <class Work>
  void Guarded(const Work& work);

  using Clock = std::chrono::steady_clock;

  const std::shared_ptr<ServerCore> core_;
  const Strand strand_;
  const std::string address_;  // of the client, without its port
  const bool turned_away_;

  State state_ = State::kHandshake;
  boost::beast::flat_buffer buffer_;
  std::optional<RequestParser> parser_;
  bool header_checked_ = false;
  bool head_only_ = false;               // a HEAD request
  std::optional<HttpResponse> refusal_;  // sent when the body has been read
  uint64_t number_ = 0;                  // of the request
  HttpRequest asked_;                    // its id, and what on_answer is told of it: without headers and body
  Clock::time_point begun_;

  HttpResponse response_;
  std::string head_;
  Buffers unsent_;
  bool keep_alive_ = false;

  // The timer is left to run when the deadline moves away, and looks again when it fires: a request costs no timer.
  boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, Strand> timer_;
  Clock::time_point deadline_ = Clock::time_point::max();
  bool timer_armed_ = false;
  bool timed_out_ = false;  // the read that is under way is being cancelled

  std::mutex mutex_;     // between Answer() on other threads and Close()
  bool closed_ = false;  // under mutex_
};

}  // namespace everlearn
