#include "server/http_server.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "base/error.h"
#include "server/http_transport.h"

namespace everlearn {
namespace {

namespace asio = boost::asio;
using boost::asio::ip::tcp;

constexpr size_t kMostTurnedAway = 128;  // connections that are told why at one time; beyond, they are only closed

tcp::endpoint ParseListen(const std::string& listen) {
  const auto refuse = [&listen]() -> Error {
    return Error(ErrorKind::kUsage, "'" + listen + "' is no address to listen on",
                 "write address:port, such as 127.0.0.1:8080 or [::1]:8080");
  };
  const size_t colon = listen.rfind(':');
  if (colon == std::string::npos) throw refuse();
  std::string host = listen.substr(0, colon);
  const std::string port = listen.substr(colon + 1);
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    throw refuse();
  }
  ErrorCode code;
  const auto address = asio::ip::make_address(host, code);
  if (code || port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65535)
    throw refuse();
  return {address, static_cast<uint16_t>(std::stoi(port))};
}

void CheckOptions(const HttpServerOptions& options, const tcp::endpoint& endpoint) {
  if (!endpoint.address().is_loopback() && options.keys.empty())
    throw Error(ErrorKind::kUsage, "listening on " + options.listen + " would let everybody in, and the service has no key",
                "configure a key, or listen on 127.0.0.1");
  if (options.threads < 1 || options.most_connections < 1 || options.most_header_bytes < 64 || options.requests_a_second < 0 ||
      options.read_seconds <= 0 || options.idle_seconds <= 0)
    throw Error(ErrorKind::kUsage, "a limit of the HTTP server is out of range");
  if (options.certificate.empty() != options.private_key.empty())
    throw Error(ErrorKind::kUsage, "TLS needs a certificate and its private key, and only one of them is given");
}

void LoadCertificate(const HttpServerOptions& options, std::optional<asio::ssl::context>* tls) {
  if (options.certificate.empty()) return;
  CheckReadable(options.certificate, "certificate");
  CheckReadable(options.private_key, "private key");
  using Context = asio::ssl::context;
  tls->emplace(Context::tls_server);
  (*tls)->set_options(Context::default_workarounds | Context::no_sslv2 | Context::no_sslv3 | Context::no_tlsv1 | Context::no_tlsv1_1 |
                      Context::no_compression | SSL_OP_NO_RENEGOTIATION);
  ErrorCode code;
  if ((*tls)->use_certificate_chain_file(options.certificate, code))
    throw Error(ErrorKind::kInput, options.certificate + " holds no certificate in PEM form: " + code.message());
  if ((*tls)->use_private_key_file(options.private_key, Context::pem, code))
    throw Error(ErrorKind::kInput,
                options.private_key + " holds no private key in PEM form that belongs to " + options.certificate + ": " + code.message());
}

class BeastServer final : public HttpServer {
 public:
  BeastServer(const HttpServerOptions& options, HttpHandler handler)
      : endpoint_(Checked(options)),
        core_(std::make_shared<ServerCore>(options, std::move(handler))),
        work_(core_->io.get_executor()),
        acceptor_(asio::make_strand(core_->io)),
        retry_(acceptor_.get_executor()) {
    LoadCertificate(options, &core_->tls);
    Listen();
    asio::post(acceptor_.get_executor(), [this] { Accept(); });
    for (int i = 0; i < options.threads; ++i) threads_.emplace_back([this] { Work(); });
  }
  ~BeastServer() override { Stop(0); }

  uint16_t port() const override { return endpoint_.port(); }

  void Stop(double seconds) override {
    if (threads_.empty()) return;
    core_->stopping = true;
    asio::post(acceptor_.get_executor(), [this] {
      ErrorCode ignored;
      acceptor_.close(ignored);
      retry_.cancel();
    });
    for (const auto& session : core_->Open()) asio::post(session->strand(), [session] { session->WhenStopping(); });
    core_->WaitUntilAllClosed(seconds);
    core_->io.stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    CleanUp();
  }

 private:
  static tcp::endpoint Checked(const HttpServerOptions& options) {
    tcp::endpoint endpoint = ParseListen(options.listen);
    CheckOptions(options, endpoint);
    return endpoint;
  }

  void Listen() {
    ErrorCode code;
    acceptor_.open(endpoint_.protocol(), code);
    if (!code) acceptor_.set_option(asio::socket_base::reuse_address(true), code);
    if (!code) acceptor_.bind(endpoint_, code);
    if (!code) acceptor_.listen(asio::socket_base::max_listen_connections, code);
    if (code == asio::error::address_in_use)
      throw Error(ErrorKind::kResource, "cannot listen on " + core_->options.listen + ": the port is taken",
                  "choose another, or end who has it");
    if (code == asio::error::access_denied)
      throw Error(ErrorKind::kPermission, "cannot listen on " + core_->options.listen + ": no permission", "choose a port above 1023");
    if (code) throw Error(ErrorKind::kUsage, "cannot listen on " + core_->options.listen + ": " + code.message());
    endpoint_ = acceptor_.local_endpoint();
  }

  // What sessions throw they catch; where even that fails for want of memory, the others are still served.
  void Work() {
    while (!core_->io.stopped()) {
      try {
        core_->io.run();
      } catch (...) {
      }
    }
  }

  void Accept() {
    if (!acceptor_.is_open()) return;
    acceptor_.async_accept(asio::make_strand(core_->io), [this](ErrorCode code, Socket socket) {
      if (!acceptor_.is_open() || core_->stopping) return;
      if (!code) {
        try {
          Welcome(std::move(socket));
        } catch (...) {  // no memory for this one; the next is welcome
        }
      } else if (code != asio::error::connection_aborted) {
        return AcceptLater();
      }
      Accept();
    });
  }

  // Out of file descriptors, most likely: trying again at once would only burn a core.
  void AcceptLater() {
    retry_.expires_after(std::chrono::milliseconds(100));
    retry_.async_wait([this](ErrorCode code) {
      if (!code) Accept();
    });
  }

  void Welcome(Socket socket) {
    const size_t open = core_->Count(), most = core_->options.most_connections;
    if (open >= most + kMostTurnedAway) return;
    ErrorCode code;
    socket.set_option(tcp::no_delay(true), code);
    const auto client = socket.remote_endpoint(code);
    if (code) return;  // gone already
    const auto session = MakeHttpSession(core_, std::move(socket), client.address().to_string(), open >= most);
    if (core_->Add(session)) asio::post(session->strand(), [session] { session->Start(); });
  }

  // The threads have ended: what still waits is aborted here, so that nothing holds a session but those who owe it an answer.
  void CleanUp() {
    ErrorCode ignored;
    acceptor_.close(ignored);
    retry_.cancel();
    for (const auto& session : core_->Open()) session->Close();
    core_->io.restart();
    core_->io.poll();
    core_->handler = nullptr;
  }

  tcp::endpoint endpoint_;
  const std::shared_ptr<ServerCore> core_;
  // Keeps the threads there for answers that come late, also when nothing else is under way.
  const asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::basic_socket_acceptor<tcp, Strand> acceptor_;
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Strand> retry_;
  std::vector<std::thread> threads_;
};

}  // namespace

void CheckHttpOptions(const HttpServerOptions& options) {
  CheckOptions(options, ParseListen(options.listen));
  const Access keys(options.keys);
  std::optional<asio::ssl::context> tls;
  LoadCertificate(options, &tls);
}

std::unique_ptr<HttpServer> HttpServer::Start(const HttpServerOptions& options, HttpHandler handler) {
  return std::make_unique<BeastServer>(options, std::move(handler));
}

}  // namespace everlearn
