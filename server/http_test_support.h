// For tests of the HTTP server: a bare connection on which anything can be sent, and a server on a free port.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "server/http_server.h"

namespace everlearn {

// Blocking; waits at most 10 seconds for anything.
class RawConnection {
 public:
  explicit RawConnection(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~RawConnection() { ::close(socket_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  bool connected() const { return connected_; }

  // False where the other side does not take it any more.
  bool Send(const std::string& text) {
    for (size_t sent = 0; sent < text.size();) {
      const ssize_t some = send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (some <= 0) return false;
      sent += static_cast<size_t>(some);
    }
    return true;
  }

  // Head and body of the next answer, by its Content-Length; what had come where the connection ends before.
  std::string ReadAnswer() {
    size_t end;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos)
      if (!ReadSome()) return std::exchange(received_, "");
    const size_t length = received_.find("Content-Length: ");
    const size_t size = end + 4 + (length < end ? std::strtoul(received_.c_str() + length + 16, nullptr, 10) : 0);
    while (received_.size() < size)
      if (!ReadSome()) return std::exchange(received_, "");
    std::string answer = received_.substr(0, size);
    received_.erase(0, size);
    return answer;
  }

  // All that comes until the other side closes.
  std::string ReadToEnd() {
    while (ReadSome()) continue;
    return std::exchange(received_, "");
  }

  bool closed() { return received_.empty() && !ReadSome() && received_.empty(); }  // by the other side, and nothing came before

  std::string Ask(const std::string& text) {
    Send(text);
    return ReadAnswer();
  }

  // Ends with a reset, as when a client is killed.
  void Reset() {
    const linger none{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    ::close(std::exchange(socket_, -1));
  }

 private:
  bool ReadSome() {
    pollfd wait{socket_, POLLIN, 0};
    char bytes[65536];
    if (poll(&wait, 1, 10000) <= 0) return false;
    const ssize_t some = recv(socket_, bytes, sizeof(bytes), 0);
    if (some <= 0) return false;
    received_.append(bytes, static_cast<size_t>(some));
    return true;
  }

  int socket_;
  bool connected_ = false;
  std::string received_;
};

inline HttpServerOptions LocalOptions() {
  HttpServerOptions options;
  options.listen = "127.0.0.1:0";
  return options;
}

// Answers with method, path and body.
inline void Echo(HttpRequest request, HttpRespond respond) {
  respond({.content_type = "text/plain", .body = request.method + " " + request.path + " " + request.body});
}

inline std::string UrlOf(const HttpServer& server) { return "http://127.0.0.1:" + std::to_string(server.port()); }

inline std::string Get(const std::string& path, const std::string& headers = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
}

inline std::string Post(const std::string& path, const std::string& body, const std::string& headers = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
}

}  // namespace everlearn
