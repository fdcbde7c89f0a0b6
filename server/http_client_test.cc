// Tests of the HTTP client, and of TLS between it and the server.
#include "server/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <functional>
#include <thread>

#include "base/resources.h"
#include "data/test_files.h"
#include "server/http_server.h"
#include "server/http_test_support.h"

namespace everlearn {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

// Takes connections one after another and gives each to the next of `turns`, which reads and writes as it likes; then closes it.
class FakeServer {
 public:
  using Turn = std::function<void(int socket)>;
  explicit FakeServer(std::vector<Turn> turns) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_, 8);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, turns = std::move(turns)] {
      for (const Turn& turn : turns) {
        const int socket = accept(listener_, nullptr, nullptr);
        if (socket < 0) return;
        turn(socket);
        ::close(socket);
      }
    });
  }
  ~FakeServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // Reads one request without a body, answers `text`.
  static void Say(int socket, const std::string& text) {
    std::string request;
    char bytes[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t some = recv(socket, bytes, sizeof(bytes), 0);
      if (some <= 0) return;
      request.append(bytes, static_cast<size_t>(some));
    }
    send(socket, text.data(), text.size(), MSG_NOSIGNAL);
  }

 private:
  int listener_;
  uint16_t port_ = 0;
  std::thread thread_;
};

const char* const kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nok";

Error SendError(const std::string& url, const HttpClientOptions& options = {}) {
  return ErrorOf([&] { HttpClient::Make(url, options)->Send("GET", "/", ""); });
}

TEST(HttpClient, SendsWhatItIsGiven) {
  const TestFolder folder;
  HttpRequest seen;
  HttpServerOptions options = LocalOptions();
  options.keys["me"] = {folder.Write("key", "the secret\n"), {"admin"}};
  const auto server = HttpServer::Start(options, [&](HttpRequest request, HttpRespond respond) {
    seen = std::move(request);
    respond({.status = 404, .content_type = "text/plain", .body = "no", .headers = {{"X-Mixed", "Case"}}});
  });
  const auto client = HttpClient::Make(UrlOf(*server) + "/prefix/", {.api_key_file = folder.Path("key")});
  const HttpAnswer answer = client->Send("POST", "/a?b=c", "{}", {{"Idempotency-Key", "7"}});
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.body, "no");
  EXPECT_EQ(answer.Header("x-mixed"), "Case");
  EXPECT_EQ(answer.Header("absent"), "");
  EXPECT_EQ(seen.method + " " + seen.path + " " + seen.query["b"] + " " + seen.body, "POST /prefix/a c {}");
  EXPECT_EQ(seen.caller, "me");
  EXPECT_EQ(seen.Header("content-type"), "application/json");
  EXPECT_EQ(seen.Header("idempotency-key"), "7");
  EXPECT_EQ(client->Send("HEAD", "/h", "").body, "");
  EXPECT_EQ(client->Send("DELETE", "/d", "").status, 404);
  EXPECT_EQ(seen.method, "DELETE");
}

TEST(HttpClient, RefusesWhatIsNoUrlOrRequest) {
  for (const char* url : {"", "localhost:8080", "ftp://a", "http://"}) EXPECT_EQ(SendError(url).kind(), ErrorKind::kUsage) << url;
  EXPECT_EQ(SendError("http://127.0.0.1:1", {.api_key_file = "/absent/key"}).kind(), ErrorKind::kNotFound);
  const auto client = HttpClient::Make("http://127.0.0.1:1", {});
  EXPECT_EQ(ErrorOf([&] { client->Send("GET", "/a b", ""); }).kind(), ErrorKind::kUsage);
  EXPECT_EQ(ErrorOf([&] { client->Send("GET", "/", "", {{"A", "b\r\nC: d"}}); }).kind(), ErrorKind::kUsage);
  EXPECT_TRUE(IsUrl("http://a") && IsUrl("https://a") && !IsUrl("file.db") && !IsUrl("httpx"));
}

TEST(HttpClient, NobodyAnswers) {
  const Error error = SendError("http://127.0.0.1:1");
  EXPECT_EQ(error.kind(), ErrorKind::kResource);
  EXPECT_THAT(error.message(), HasSubstr("http://127.0.0.1:1"));
  EXPECT_THAT(error.message(), HasSubstr("refused"));
}

TEST(HttpClient, GivesUpInTime) {
  for (const char* start : {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"}) {
    const FakeServer server({[&](int socket) {
      FakeServer::Say(socket, start);
      char byte;
      while (recv(socket, &byte, 1, 0) > 0) continue;
    }});
    const Stopwatch watch;
    const Error error = SendError(server.url(), {.timeout_seconds = 0.2});
    EXPECT_EQ(error.kind(), ErrorKind::kResource);
    EXPECT_THAT(error.message(), HasSubstr("within 0.2 s"));
    EXPECT_LT(watch.Seconds(), 5);
  }
}

TEST(HttpClient, ConnectsAgainWhereTheIdleConnectionWasClosed) {
  const FakeServer server({[](int socket) { FakeServer::Say(socket, kOk); }, [](int socket) { FakeServer::Say(socket, kOk); }, [](int) {}});
  const auto client = HttpClient::Make(server.url(), {.timeout_seconds = 10});
  EXPECT_EQ(client->Send("GET", "/", "").body, "ok");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(client->Send("GET", "/", "").body, "ok");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(ErrorOf([&] { client->Send("GET", "/", ""); }).kind(), ErrorKind::kResource);  // a new connection is tried once
}

TEST(HttpClient, DoesNotRepeatWhatBeganToBeAnswered) {
  const FakeServer server({[](int socket) {
                             FakeServer::Say(socket, kOk);
                             FakeServer::Say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbr");
                           },
                           [](int socket) { FakeServer::Say(socket, kOk); }});
  const auto client = HttpClient::Make(server.url(), {.timeout_seconds = 10});
  EXPECT_EQ(client->Send("GET", "/", "").body, "ok");
  const Error error = ErrorOf([&] { client->Send("GET", "/", ""); });
  EXPECT_EQ(error.kind(), ErrorKind::kResource);
  EXPECT_THAT(error.message(), HasSubstr("broke off"));
  EXPECT_EQ(client->Send("GET", "/", "").body, "ok");  // usable again
}

TEST(HttpClient, AnswersOfOtherServers) {
  const auto answer = [](const std::string& text) {
    const FakeServer server({[&](int socket) { FakeServer::Say(socket, text); }});
    return HttpClient::Make(server.url(), {.timeout_seconds = 10})->Send("GET", "/", "").body;
  };
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\n\r\nto the end"), "to the end");
  EXPECT_EQ(answer("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"), "x");
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"), "ab");
  EXPECT_EQ(answer(std::string("HTTP/1.1 100 Continue\r\n\r\n") + kOk), "ok");
  for (const char* text : {"SSH-2.0-OpenSSH_9.2\r\n", "220 mail ready\r\n", "HTTP/1.1 abc\r\n\r\n"}) {
    const Error error = ErrorOf([&] { answer(text); });
    EXPECT_EQ(error.kind(), ErrorKind::kInput) << text;
    EXPECT_THAT(error.message(), HasSubstr("is no HTTP")) << text;
  }
}

TEST(HttpClient, ReadsTheRefusalOfABodyThatIsTooLarge) {
  HttpServerOptions options = LocalOptions();
  options.most_body_bytes = 1000;
  const auto server = HttpServer::Start(options, Echo);
  const auto client = HttpClient::Make(UrlOf(*server), {});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client->Send("POST", "/", std::string(8 << 20, 'x')).status, 413);
  EXPECT_EQ(client->Send("POST", "/", "small").body, "POST / small");
}

class Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    Make("good", "subjectAltName=IP:127.0.0.1,DNS:localhost");
    options_.certificate = folder_.Path("good.pem");
    options_.private_key = folder_.Path("good.key");
  }
  void TearDown() override { unsetenv("SSL_CERT_FILE"); }

  void Make(const std::string& name, const std::string& names) {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test -addext " + names + " -keyout " +
        folder_.Path(name + ".key") + " -out " + folder_.Path(name + ".pem") + " 2>/dev/null";
    ASSERT_EQ(system(command.c_str()), 0) << command;
  }
  void Trust(const std::string& name) { setenv("SSL_CERT_FILE", folder_.Path(name + ".pem").c_str(), 1); }

  TestFolder folder_;
  HttpServerOptions options_ = LocalOptions();
};

TEST_F(Tls, AnswersAndKeepsTheConnection) {
  const auto server = HttpServer::Start(options_, Echo);
  Trust("good");
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const auto client = HttpClient::Make("https://" + std::string(host) + ":" + std::to_string(server->port()), {});
    for (const size_t size : {0, 10, 20000, 2000000}) {
      const std::string body(size, 'b');
      EXPECT_EQ(client->Send("POST", "/x", body).body, "POST /x " + body);
    }
    EXPECT_EQ(client->Send("GET", "/last", "", {{"Connection", "close"}}).Header("connection"), "close");
    EXPECT_EQ(client->Send("GET", "/y", "").body, "GET /y ");
  }
}

TEST_F(Tls, ClientTrustsOnlyWhomItShould) {
  const auto server = HttpServer::Start(options_, Echo);
  const std::string url = "https://127.0.0.1:" + std::to_string(server->port());
  Make("other", "subjectAltName=IP:127.0.0.1");
  Trust("other");
  const Error error = SendError(url);
  EXPECT_EQ(error.kind(), ErrorKind::kResource);
  EXPECT_THAT(error.message(), HasSubstr("certificate verify failed"));

  Make("elsewhere", "subjectAltName=DNS:example.org");
  options_.certificate = folder_.Path("elsewhere.pem");
  options_.private_key = folder_.Path("elsewhere.key");
  const auto elsewhere = HttpServer::Start(options_, Echo);
  Trust("elsewhere");
  EXPECT_THAT(SendError("https://127.0.0.1:" + std::to_string(elsewhere->port())).message(), HasSubstr("certificate verify failed"));
}

TEST_F(Tls, PlainAndSilentClientsAreClosed) {
  options_.read_seconds = 0.2;
  const auto server = HttpServer::Start(options_, Echo);
  RawConnection silent(server->port()), plain(server->port());
  plain.Send(Get("/"));
  plain.ReadToEnd();
  EXPECT_TRUE(silent.closed());
}

TEST_F(Tls, SlowSenderGets408) {
  options_.read_seconds = 0.3;
  const auto server = HttpServer::Start(options_, Echo);
  const std::string command =
      "(printf 'GET / HTTP/1.1\\r\\nHo'; sleep 1) | openssl s_client -quiet -connect 127.0.0.1:" + std::to_string(server->port()) + " >" +
      folder_.Path("answer") + " 2>/dev/null";
  EXPECT_GE(system(command.c_str()), 0);  // what s_client thinks of the end is its own matter
  EXPECT_THAT(folder_.Read("answer"), testing::StartsWith("HTTP/1.1 408 "));
}

TEST_F(Tls, LimitsAndEndHoldToo) {
  options_.most_body_bytes = 1000;
  auto server = HttpServer::Start(options_, Echo);
  Trust("good");
  const auto client = HttpClient::Make("https://127.0.0.1:" + std::to_string(server->port()), {});
  EXPECT_EQ(client->Send("POST", "/", std::string(50000, 'x')).status, 413);
  EXPECT_EQ(client->Send("POST", "/", "small").status, 200);
  server->Stop(5);
  EXPECT_EQ(ErrorOf([&] { client->Send("GET", "/", ""); }).kind(), ErrorKind::kResource);
}

TEST_F(Tls, BadFilesAreRefused) {
  const auto start = [&](const std::string& certificate, const std::string& key) {
    options_.certificate = certificate;
    options_.private_key = key;
    return ErrorOf([&] { HttpServer::Start(options_, Echo); });
  };
  const std::string good = folder_.Path("good.pem"), key = folder_.Path("good.key"), junk = folder_.Write("junk", "junk");
  Make("other", "subjectAltName=IP:127.0.0.1");
  EXPECT_EQ(start(folder_.Path("absent"), key).kind(), ErrorKind::kNotFound);
  EXPECT_EQ(start(good, folder_.Path("absent")).kind(), ErrorKind::kNotFound);
  EXPECT_EQ(start(junk, key).kind(), ErrorKind::kInput);
  EXPECT_EQ(start(good, junk).kind(), ErrorKind::kInput);
  EXPECT_EQ(start(good, folder_.Path("other.key")).kind(), ErrorKind::kInput);
  EXPECT_EQ(start(good, "").kind(), ErrorKind::kUsage);
}

}  // namespace
}  // namespace everlearn
