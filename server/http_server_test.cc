// Tests of the HTTP server against a really listening one: answers, kept connections, what is refused and how.
#include "server/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <thread>

#include "base/json.h"
#include "base/resources.h"
#include "data/test_files.h"
#include "server/http_client.h"
#include "server/http_test_support.h"

namespace everlearn {
namespace {

using ::testing::AnyOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::unique_ptr<HttpServer> EchoServer(const HttpServerOptions& options = LocalOptions()) { return HttpServer::Start(options, Echo); }

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  const auto server = EchoServer();
  RawConnection connection(server->port());
  for (int i = 0; i < 3; ++i) {
    const std::string answer = connection.Ask(Post("/a%20b?x=1", "hello", "X-Request-Id: my-id_7\r\n"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/plain\r\nContent-Length: 15\r\nX-Request-Id: my-id_7\r\n\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\nPOST /a b hello"));
  }
}

TEST(HttpServer, MakesAnIdWhereNoneOrABadOneIsSent) {
  const auto server = EchoServer();
  RawConnection connection(server->port());
  EXPECT_THAT(connection.Ask(Get("/")), ::testing::ContainsRegex("X-Request-Id: [0-9a-f]{16}\r\n"));
  EXPECT_THAT(connection.Ask(Get("/", "X-Request-Id: <b>\r\n")), ::testing::ContainsRegex("X-Request-Id: [0-9a-f]{16}\r\n"));
  const std::string longest(64, 'a');
  EXPECT_THAT(connection.Ask(Get("/", "X-Request-Id: " + longest + "\r\n")), HasSubstr("X-Request-Id: " + longest + "\r\n"));
  EXPECT_THAT(connection.Ask(Get("/", "X-Request-Id: " + longest + "a\r\n")), Not(HasSubstr(longest)));
}

TEST(HttpServer, RequestArrivesDecoded) {
  HttpRequest seen;
  const auto server = HttpServer::Start(LocalOptions(), [&](HttpRequest request, HttpRespond respond) {
    seen = std::move(request);
    respond({});
  });
  RawConnection connection(server->port());
  connection.Ask(Get("/v1/t%C3%A4sk?after=3&q=a+b%26&after=4&empty", "X-Two: 1\r\nx-two: 2\r\n"));
  EXPECT_EQ(seen.path, "/v1/täsk");
  EXPECT_EQ(seen.query, (std::map<std::string, std::string>{{"after", "4"}, {"q", "a b&"}, {"empty", ""}}));
  EXPECT_EQ(seen.Header("x-two"), "1, 2");
  EXPECT_EQ(seen.caller, "");
  EXPECT_EQ(seen.rights, (std::vector<std::string>{"predict", "outcome", "admin"}));
  connection.Ask(Get("http://example.org/absolute?x=y"));
  EXPECT_EQ(seen.path, "/absolute");
  EXPECT_EQ(seen.query.at("x"), "y");
}

TEST(HttpServer, PipelinedRequestsAreAnsweredInOrder) {
  const auto server = HttpServer::Start(LocalOptions(), [](HttpRequest request, HttpRespond respond) {
    if (request.path != "/slow") return respond({.body = request.path});
    std::thread([respond] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      respond({.body = "/slow"});
    }).detach();
  });
  RawConnection connection(server->port());
  connection.Send(Get("/slow") + Get("/b") + Post("/c", "body") + Get("/slow") + Get("/e"));
  for (const char* path : {"/slow", "/b", "/c", "/slow", "/e"})
    EXPECT_THAT(connection.ReadAnswer(), EndsWith(std::string("\r\n\r\n") + path));
}

TEST(HttpServer, RequestThatComesByteByByte) {
  const auto server = EchoServer();
  RawConnection connection(server->port());
  const std::string chunked = "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
  for (const char c : Post("/x", "abc") + chunked + Get("/y")) {
    connection.Send(std::string(1, c));
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("\r\n\r\nPOST /x abc"));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("\r\n\r\nPOST /c ab"));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("\r\n\r\nGET /y "));
}

TEST(HttpServer, ChunkedBody) {
  const auto server = EchoServer();
  RawConnection connection(server->port());
  const std::string head = "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_THAT(connection.Ask(head + "3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: 1\r\n\r\n"), EndsWith("POST /x abcde"));
  EXPECT_THAT(connection.Ask(head + "0\r\n\r\n"), EndsWith("POST /x "));
  EXPECT_THAT(connection.Ask(head + "zz\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST(HttpServer, HeadOldVersionAndClose) {
  const auto server = EchoServer();
  RawConnection connection(server->port());
  connection.Send("HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n" + Get("/last", "Connection: close\r\n"));
  const std::string answers = connection.ReadToEnd();
  EXPECT_THAT(answers, HasSubstr("Content-Length: 7\r\n"));
  EXPECT_THAT(answers, Not(HasSubstr("GET /x")));
  EXPECT_THAT(answers, HasSubstr("Connection: close\r\n\r\nGET /last "));

  RawConnection old(server->port());
  EXPECT_THAT(old.Ask("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), HasSubstr("Connection: keep-alive\r\n"));
  old.Send("GET /2 HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old.ReadToEnd(), HasSubstr("Connection: close\r\n"));
}

TEST(HttpServer, Expect100) {
  const auto server = EchoServer();
  RawConnection connection(server->port());
  const std::string head = "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: ";
  EXPECT_EQ(connection.Ask(head + "100-continue\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(connection.Ask("abc"), EndsWith("POST /x abc"));
  EXPECT_THAT(connection.Ask(head + "100-continue\r\n\r\nabc"), EndsWith("POST /x abc"));
  EXPECT_THAT(connection.Ask(head + "wonders\r\n\r\nabc"), StartsWith("HTTP/1.1 417 "));
}

TEST(HttpServer, ResponseHeadersCannotBeSplit) {
  const auto server = HttpServer::Start(LocalOptions(), [](HttpRequest, HttpRespond respond) {
    respond({.status = 204, .body = "never sent", .headers = {{"X-A", "1\r\nX-B: 2"}}});
  });
  const std::string answer = RawConnection(server->port()).Ask(Get("/"));
  EXPECT_THAT(answer, HasSubstr("\r\nX-A: 1X-B: 2\r\n"));
  EXPECT_THAT(answer, Not(AnyOf(HasSubstr("never sent"), HasSubstr("Content-Length"))));
}

TEST(HttpServer, BrokenHttpIs400) {
  const auto server = EchoServer();
  for (const std::string text :
       {"nonsense\r\n\r\n", "GET / HTTP/3.0\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", "GET nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
    SCOPED_TRACE(text);
    RawConnection connection(server->port());
    connection.Send(text);
    const std::string answer = connection.ReadToEnd();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Type: application/problem+json\r\n"));
    EXPECT_THAT(answer, HasSubstr("X-Request-Id: "));
    EXPECT_THAT(answer, HasSubstr("\"status\": 400"));
  }
}

TEST(HttpServer, TooLargeBodyIs413) {
  HttpServerOptions options = LocalOptions();
  options.most_body_bytes = 1000;
  const auto server = EchoServer(options);
  EXPECT_THAT(RawConnection(server->port()).Ask(Post("/", std::string(1000, 'x'))), StartsWith("HTTP/1.1 200 "));
  RawConnection connection(server->port());
  connection.Send(Post("/", std::string(5 << 20, 'x')));  // the answer must survive that most of it is never read
  EXPECT_THAT(connection.ReadAnswer(), StartsWith("HTTP/1.1 413 Content Too Large\r\n"));
  RawConnection asking(server->port());
  EXPECT_THAT(asking.Ask("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  RawConnection chunked(server->port());
  EXPECT_THAT(
      chunked.Ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n200\r\n" + std::string(512, 'x') + "\r\n200\r\n"),
      StartsWith("HTTP/1.1 413 "));
}

TEST(HttpServer, LargeBodiesBothWays) {
  const auto server = EchoServer();
  const std::string body(15 << 20, 'b');
  const auto client = HttpClient::Make(UrlOf(*server), {});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client->Send("POST", "/", body).body, "POST / " + body);
}

TEST(HttpServer, TooLargeHeaderIs431) {
  HttpServerOptions options = LocalOptions();
  options.most_header_bytes = 2000;
  const auto server = EchoServer(options);
  EXPECT_THAT(RawConnection(server->port()).Ask(Get("/", "X: " + std::string(1900, 'x') + "\r\n")), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(RawConnection(server->port()).Ask(Get("/", "X: " + std::string(2000, 'x') + "\r\n")), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(RawConnection(server->port()).Ask(Get("/" + std::string(2000, 'x'))), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(RawConnection(server->port()).Ask("GET /" + std::string(3000, 'x')), StartsWith("HTTP/1.1 431 "));
  RawConnection trickling(server->port());  // many headers, each small, one at a time
  trickling.Send("GET / HTTP/1.1\r\nHost: x\r\n");
  for (int i = 0; i < 30; ++i) trickling.Send("X-" + std::to_string(i) + ": " + std::string(100, 'x') + "\r\n");
  EXPECT_THAT(trickling.ReadAnswer(), StartsWith("HTTP/1.1 431 "));
  RawConnection trailers(server->port());
  trailers.Send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(20000, 'x'));
  EXPECT_THAT(trailers.ReadAnswer(), StartsWith("HTTP/1.1 400 "));
}

TEST(HttpServer, SlowSenderGets408) {
  HttpServerOptions options = LocalOptions();
  options.read_seconds = 0.2;
  const auto server = EchoServer(options);
  for (const char* start : {"GET", "GET / HTTP/1.1\r\nHo", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab"}) {
    SCOPED_TRACE(start);
    RawConnection connection(server->port());
    const Stopwatch watch;
    connection.Send(start);
    EXPECT_THAT(connection.ReadToEnd(), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
    EXPECT_GT(watch.Seconds(), 0.15);
  }
  RawConnection trickling(server->port());  // each byte comes in time, the whole does not
  const Stopwatch watch;
  while (watch.Seconds() < 5 && trickling.Send("x")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_LT(watch.Seconds(), 3);
}

TEST(HttpServer, IdleConnectionIsClosed) {
  HttpServerOptions options = LocalOptions();
  options.idle_seconds = 0.2;
  const auto server = EchoServer(options);
  RawConnection silent(server->port()), kept(server->port());
  EXPECT_THAT(kept.Ask(Get("/")), StartsWith("HTTP/1.1 200 "));
  const Stopwatch watch;
  EXPECT_TRUE(kept.closed());
  EXPECT_TRUE(silent.closed());
  EXPECT_LT(watch.Seconds(), 5);
}

TEST(HttpServer, ConnectionsBeyondTheLimitGet503) {
  HttpServerOptions options = LocalOptions();
  options.most_connections = 2;
  const auto server = EchoServer(options);
  auto first = std::make_unique<RawConnection>(server->port());
  RawConnection second(server->port());
  EXPECT_THAT(first->Ask(Get("/")), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(second.Ask(Get("/")), StartsWith("HTTP/1.1 200 "));
  {
    RawConnection third(server->port());
    third.Send(Get("/"));
    const std::string answer = third.ReadToEnd();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  }
  EXPECT_THAT(second.Ask(Get("/")), StartsWith("HTTP/1.1 200 "));
  first.reset();
  std::string answer;
  for (int i = 0; i < 100 && answer.rfind("HTTP/1.1 200", 0) != 0; ++i) {  // until the server has noticed
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    answer = RawConnection(server->port()).Ask(Get("/"));
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
}

TEST(HttpServer, ExceptionOfTheHandlerIs500) {
  const auto server = HttpServer::Start(LocalOptions(), [](HttpRequest request, HttpRespond respond) {
    if (request.path == "/throw") throw std::runtime_error("lost \"it\"");
    if (request.path == "/number") throw 7;
    if (request.path == "/drop") return;
    respond({});
    respond({.status = 404});  // the second is ignored
    throw std::runtime_error("too late to matter");
  });
  RawConnection connection(server->port());
  const std::string answer = connection.Ask(Get("/throw"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(TextField(ParseJson(answer.substr(answer.find("\r\n\r\n") + 4), "answer"), "detail"), HasSubstr("lost \"it\""));
  EXPECT_THAT(connection.Ask(Get("/number")), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(connection.Ask(Get("/drop")), HasSubstr("without an answer"));
  EXPECT_THAT(connection.Ask(Get("/")), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(connection.Ask(Get("/throw")), StartsWith("HTTP/1.1 500 "));
}

TEST(HttpServer, TellsOfEachAnswer) {
  std::mutex mutex;
  std::vector<std::string> told;
  HttpServerOptions options = LocalOptions();
  options.on_answer = [&](const HttpRequest& request, const HttpResponse& response, double seconds) {
    const std::lock_guard lock(mutex);
    told.push_back(request.method + " " + request.path + " " + request.id + " " + std::to_string(response.status));
    EXPECT_GE(seconds, 0);
    EXPECT_LT(seconds, 10);
  };
  const auto server = EchoServer(options);
  RawConnection connection(server->port());
  connection.Ask(Post("/a", "x", "X-Request-Id: 1\r\n"));
  connection.Ask(Get("/b", "X-Request-Id: 2\r\nExpect: wonders\r\n"));
  const std::lock_guard lock(mutex);
  EXPECT_EQ(told, (std::vector<std::string>{"POST /a 1 200", "GET /b 2 417"}));
}

TEST(HttpServer, ManyClientsAtOnce) {
  HttpServerOptions options = LocalOptions();
  options.threads = 3;
  const auto server = EchoServer(options);
  std::vector<std::thread> clients;
  std::atomic<int> right = 0;
  for (int c = 0; c < 8; ++c)
    clients.emplace_back([&, c] {
      const auto client = HttpClient::Make(UrlOf(*server), {});
      for (int i = 0; i < 200; ++i) {
        const std::string body = std::to_string(c) + "/" + std::to_string(i) + std::string(static_cast<size_t>(i * 37), '.');
        const HttpAnswer answer = client->Send("POST", "/p", body);
        right += answer.status == 200 && answer.body == "POST /p " + body;
      }
    });
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(right, 1600);
}

TEST(HttpServer, BadAddressesAndTakenPorts) {
  const auto start = [](const std::string& listen) {
    return ErrorOf([&] {
      HttpServerOptions options;
      options.listen = listen;
      HttpServer::Start(options, Echo);
    });
  };
  for (const char* listen : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:80", "nowhere:80", "127.0.0.1:-1"})
    EXPECT_EQ(start(listen).kind(), ErrorKind::kUsage) << listen;
  for (const char* listen : {"0.0.0.0:0", "[::]:0", "192.0.2.1:0"}) {
    EXPECT_EQ(start(listen).kind(), ErrorKind::kUsage) << listen;
    EXPECT_THAT(start(listen).message(), HasSubstr("key")) << listen;
  }
  const auto server = EchoServer();
  const Error error = start("127.0.0.1:" + std::to_string(server->port()));
  EXPECT_EQ(error.kind(), ErrorKind::kResource);
  EXPECT_THAT(error.message(), HasSubstr("is taken"));
}

}  // namespace
}  // namespace everlearn
