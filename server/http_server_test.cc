// Tests of the HTTP server against a really listening one: answers, kept connections, limits, keys, stopping.
#include "server/http_server.h"

#include <gtest/gtest.h>

#include "server/http_client.h"

namespace everlearn {
namespace {

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  HttpServerOptions options;
  options.listen = "127.0.0.1:0";
  const auto server = HttpServer::Start(options, [](HttpRequest request, HttpRespond respond) { respond({.body = request.path}); });
  const auto client = HttpClient::Make("http://127.0.0.1:" + std::to_string(server->port()), {});
  for (int i = 0; i < 3; ++i) {
    const HttpAnswer answer = client->Send("GET", "/a%20b?x=1", "");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "/a b");
    EXPECT_EQ(answer.Header("connection"), "");
  }
}

}  // namespace
}  // namespace everlearn
