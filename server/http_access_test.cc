// Tests of who may ask the HTTP server, and how often: keys, rights, rates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/test_files.h"
#include "server/access.h"
#include "server/http_server.h"
#include "server/http_test_support.h"
#include "server/rate_limit.h"

namespace everlearn {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Keys : public ::testing::Test {
 protected:
  Keys() {
    options_.keys["app"] = {folder_.Write("app", "  secret-of-app \r\nsecond line\n"), {"predict", "outcome"}};
    options_.keys["boss"] = {folder_.Write("boss", "secret-of-boss"), {"admin"}};
  }
  std::unique_ptr<HttpServer> Start() {
    return HttpServer::Start(options_, [](HttpRequest request, HttpRespond respond) {
      std::string rights;
      for (const std::string& right : request.rights) rights += " " + right;
      respond({.body = request.caller + ":" + rights});
    });
  }

  TestFolder folder_;
  HttpServerOptions options_ = LocalOptions();
};

TEST_F(Keys, CallerAndRightsArrive) {
  const auto server = Start();
  RawConnection connection(server->port());
  EXPECT_THAT(connection.Ask(Get("/", "Authorization: Bearer secret-of-app\r\n")), EndsWith("\r\n\r\napp: predict outcome"));
  EXPECT_THAT(connection.Ask(Get("/", "authorization: bearer secret-of-boss\r\n")), EndsWith("\r\n\r\nboss: admin"));
  EXPECT_THAT(connection.Ask(Get("/", "X-API-Key: secret-of-boss\r\n")), EndsWith("\r\n\r\nboss: admin"));
}

TEST_F(Keys, NoOrAWrongKeyIs401) {
  const auto server = Start();
  RawConnection connection(server->port());
  for (const char* headers : {"", "Authorization: Bearer wrong\r\n", "Authorization: Bearer \r\n", "Authorization: Basic secret-of-app\r\n",
                              "X-API-Key: \r\n", "X-API-Key: secret-of-ap\r\n", "X-API-Key: second line\r\n",
                              "Authorization: Bearer secret-of-app\r\nAuthorization: Bearer secret-of-app\r\n"}) {
    SCOPED_TRACE(headers);
    const std::string answer = connection.Ask(Post("/", "body", headers));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 401 Unauthorized\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nWWW-Authenticate: Bearer realm=\"everlearn\"\r\n"));
    EXPECT_THAT(answer, HasSubstr("application/problem+json"));
  }
  EXPECT_THAT(connection.Ask(Get("/", "X-API-Key: secret-of-app\r\n")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Keys, StrangersCannotSendLargeBodies) {
  const auto server = Start();
  RawConnection connection(server->port());
  connection.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n");
  EXPECT_THAT(connection.ReadToEnd(), StartsWith("HTTP/1.1 401 "));
}

TEST_F(Keys, ProbesNeedNone) {
  const auto server = Start();
  RawConnection connection(server->port());
  for (const char* path : {"/health/live", "/health/ready?x=1", "/ping"})
    EXPECT_THAT(connection.Ask(Get(path)), EndsWith("\r\n\r\n:")) << path;
  for (const char* path : {"/health", "/ping/", "/metrics", "/"})
    EXPECT_THAT(connection.Ask(Get(path)), StartsWith("HTTP/1.1 401 ")) << path;
}

TEST_F(Keys, WithThemOtherAddressesAreServed) {
  options_.listen = "0.0.0.0:0";
  const auto server = Start();
  EXPECT_THAT(RawConnection(server->port()).Ask(Get("/")), StartsWith("HTTP/1.1 401 "));
}

TEST_F(Keys, BadKeyFilesAreRefused) {
  const auto start = [&](const std::string& file, const std::string& right) {
    options_.keys["new"] = {file, {right}};
    return ErrorOf([&] { Start(); });
  };
  EXPECT_EQ(start(folder_.Path("absent"), "predict").kind(), ErrorKind::kNotFound);
  EXPECT_EQ(start(folder_.Write("empty", " \nsecret"), "predict").kind(), ErrorKind::kInput);
  EXPECT_THAT(start(folder_.Write("same", "secret-of-app"), "predict").message(), HasSubstr("'app' and 'new' have the same secret"));
  const Error error = start(folder_.Write("good", "x"), "predikt");
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.hint(), HasSubstr("'predict'"));
}

TEST_F(Keys, RateIsLimitedForEachCaller) {
  options_.requests_a_second = 3;
  const auto server = Start();
  RawConnection connection(server->port());
  const auto ask = [&](const std::string& secret) { return connection.Ask(Post("/", "body", "X-API-Key: " + secret + "\r\n")); };
  for (int i = 0; i < 3; ++i) EXPECT_THAT(ask("secret-of-app"), StartsWith("HTTP/1.1 200 "));
  const std::string refused = ask("secret-of-app");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 429 Too Many Requests\r\n"));
  EXPECT_THAT(refused, HasSubstr("\r\nRetry-After: 1\r\n"));
  EXPECT_THAT(ask("secret-of-boss"), StartsWith("HTTP/1.1 200 "));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(ask("guess"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(ask("guess"), StartsWith("HTTP/1.1 429 "));  // guessing is slow
}

TEST(RateLimit, BucketsFillAndAreForgotten) {
  RateLimit limit(0.5);
  const RateLimit::Time start{};
  const auto at = [&](double seconds) { return start + std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000)); };
  EXPECT_EQ(limit.Take("a", at(0)), 0);
  EXPECT_EQ(limit.Take("a", at(0)), 2);
  EXPECT_EQ(limit.Take("a", at(1.5)), 1);
  EXPECT_EQ(limit.Take("a", at(2)), 0);
  EXPECT_EQ(limit.Take("b", at(2)), 0);
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(limit.Take("caller " + std::to_string(i), at(100 + i)), 0);
  EXPECT_EQ(limit.Take("a", at(6000)), 0);
  EXPECT_EQ(limit.Take("a", at(6000)), 2);
}

}  // namespace
}  // namespace everlearn
