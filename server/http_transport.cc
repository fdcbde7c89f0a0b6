#include "server/http_transport.h"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <utility>

namespace everlearn {
namespace {

namespace asio = boost::asio;

class TcpSession final : public HttpSession {
 public:
  TcpSession(std::shared_ptr<ServerCore> core, Socket socket, std::string address, bool turned_away)
      : HttpSession(std::move(core), socket.get_executor(), std::move(address), turned_away), socket_(std::move(socket)) {}

 private:
  std::shared_ptr<TcpSession> Self() { return std::static_pointer_cast<TcpSession>(shared_from_this()); }

  void StartHandshake() override {
    asio::post(strand(), [self = Self()] { self->OnHandshake({}); });
  }
  void StartRead(asio::mutable_buffer buffer) override {
    socket_.async_read_some(buffer, [self = Self()](ErrorCode code, size_t bytes) { self->OnRead(code, bytes); });
  }
  void StartWrite(const Buffers& buffers) override {
    socket_.async_write_some(buffers, [self = Self()](ErrorCode code, size_t bytes) { self->OnWrite(code, bytes); });
  }
  void StartShutdown() override {
    asio::post(strand(), [self = Self()] { self->OnShutdown({}); });
  }
  void StartDrain(asio::mutable_buffer buffer) override {
    socket_.async_read_some(buffer, [self = Self()](ErrorCode code, size_t bytes) { self->OnDrain(code, bytes); });
  }
  Socket& socket() override { return socket_; }

  Socket socket_;
};

class TlsSession final : public HttpSession {
 public:
  TlsSession(const std::shared_ptr<ServerCore>& core, Socket socket, std::string address, bool turned_away)
      : HttpSession(core, socket.get_executor(), std::move(address), turned_away), stream_(std::move(socket), *core->tls) {}

 private:
  std::shared_ptr<TlsSession> Self() { return std::static_pointer_cast<TlsSession>(shared_from_this()); }

  void StartHandshake() override {
    stream_.async_handshake(asio::ssl::stream_base::server, [self = Self()](ErrorCode code) { self->OnHandshake(code); });
  }
  void StartRead(asio::mutable_buffer buffer) override {
    stream_.async_read_some(buffer, [self = Self()](ErrorCode code, size_t bytes) { self->OnRead(code, bytes); });
  }
  // TLS takes one buffer at a time: a small answer goes as one record, not two.
  void StartWrite(const Buffers& buffers) override {
    asio::const_buffer next = buffers[0].size() > 0 ? buffers[0] : buffers[1];
    if (buffers[0].size() > 0 && buffers[0].size() + buffers[1].size() <= kRecordBytes) {
      record_.resize(buffers[0].size() + buffers[1].size());
      next = asio::buffer(record_, asio::buffer_copy(asio::buffer(record_), buffers));
    }
    stream_.async_write_some(next, [self = Self()](ErrorCode code, size_t bytes) { self->OnWrite(code, bytes); });
  }
  void StartShutdown() override {
    stream_.async_shutdown([self = Self()](ErrorCode code) { self->OnShutdown(code); });
  }
  void StartDrain(asio::mutable_buffer buffer) override {
    stream_.next_layer().async_read_some(buffer, [self = Self()](ErrorCode code, size_t bytes) { self->OnDrain(code, bytes); });
  }
  Socket& socket() override { return stream_.next_layer(); }

  static constexpr size_t kRecordBytes = 16 << 10;
  std::string record_;
  asio::ssl::stream<Socket> stream_;
};

}  // namespace

std::shared_ptr<HttpSession> MakeHttpSession(std::shared_ptr<ServerCore> core, Socket socket, std::string address, bool turned_away) {
  if (core->tls) return std::make_shared<TlsSession>(std::move(core), std::move(socket), std::move(address), turned_away);
  return std::make_shared<TcpSession>(std::move(core), std::move(socket), std::move(address), turned_away);
}

}  // namespace everlearn
