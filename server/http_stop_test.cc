// Tests of answers that come late, clients that are gone, and the end of the HTTP server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/resources.h"
#include "server/http_client.h"
#include "server/http_server.h"
#include "server/http_test_support.h"

namespace everlearn {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Takes requests and answers nothing by itself.
class Pending {
 public:
  HttpHandler Handler() {
    return [this](HttpRequest, HttpRespond respond) {
      const std::lock_guard lock(mutex_);
      owed_.push_back(std::move(respond));
      came_.notify_all();
    };
  }
  std::vector<HttpRespond> Wait(size_t count) {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, std::chrono::seconds(10), [&] { return owed_.size() >= count; });
    return std::exchange(owed_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<HttpRespond> owed_;
};

TEST(LateAnswer, FromAnotherThread) {
  Pending pending;
  const auto server = HttpServer::Start(LocalOptions(), pending.Handler());
  RawConnection first(server->port()), second(server->port());
  first.Send(Get("/"));
  second.Send(Get("/"));
  auto owed = pending.Wait(2);
  ASSERT_EQ(owed.size(), 2);
  std::thread([owed = std::move(owed)] {
    for (const HttpRespond& respond : owed) {
      respond({.body = "late"});
      respond({.body = "twice"});
    }
  }).join();
  EXPECT_THAT(first.ReadAnswer(), EndsWith("\r\n\r\nlate"));
  EXPECT_THAT(second.ReadAnswer(), EndsWith("\r\n\r\nlate"));
  first.Send(Get("/"));
  pending.Wait(1)[0]({.body = "next"});
  EXPECT_THAT(first.ReadAnswer(), EndsWith("\r\n\r\nnext"));
}

TEST(LateAnswer, SurvivesThatTheClientIsGone) {
  Pending pending;
  const auto server = HttpServer::Start(LocalOptions(), pending.Handler());
  {
    RawConnection closing(server->port()), resetting(server->port());
    closing.Send(Get("/"));
    resetting.Send(Get("/"));
    auto owed = pending.Wait(2);
    ASSERT_EQ(owed.size(), 2);
    resetting.Reset();
    for (const HttpRespond& respond : owed) respond({.body = std::string(1 << 20, 'x')});
  }
  RawConnection next(server->port());
  next.Send(Get("/"));
  for (const HttpRespond& respond : pending.Wait(1)) respond({.body = "alive"});
  EXPECT_THAT(next.ReadAnswer(), EndsWith("alive"));
}

TEST(LateAnswer, AfterTheServersEnd) {
  Pending pending;
  auto server = HttpServer::Start(LocalOptions(), pending.Handler());
  RawConnection answered(server->port()), dropped(server->port());
  answered.Send(Get("/"));
  dropped.Send(Get("/"));
  auto owed = pending.Wait(2);
  ASSERT_EQ(owed.size(), 2);
  server.reset();
  EXPECT_TRUE(answered.closed());
  owed[0]({.body = "nobody reads this"});
  owed.clear();
}

TEST(LateAnswer, WhileTheServerEnds) {
  for (int round = 0; round < 30; ++round) {
    Pending pending;
    auto server = HttpServer::Start(LocalOptions(), pending.Handler());
    std::vector<std::unique_ptr<RawConnection>> connections;
    for (int i = 0; i < 4; ++i) {
      connections.push_back(std::make_unique<RawConnection>(server->port()));
      connections.back()->Send(Get("/"));
    }
    auto owed = pending.Wait(4);
    ASSERT_EQ(owed.size(), 4);
    std::thread answering([owed = std::move(owed)]() mutable {
      for (const HttpRespond& respond : owed) respond({.body = "x"});
      owed.clear();
    });
    server.reset();
    answering.join();
  }
}

TEST(Stop, LetsTheRunningRequestEnd) {
  Pending pending;
  const auto server = HttpServer::Start(LocalOptions(), pending.Handler());
  RawConnection idle(server->port()), busy(server->port());
  idle.Send(Get("/"));
  for (const HttpRespond& respond : pending.Wait(1)) respond({});
  EXPECT_THAT(idle.ReadAnswer(), StartsWith("HTTP/1.1 200 "));
  busy.Send(Get("/"));
  const auto owed = pending.Wait(1);
  ASSERT_EQ(owed.size(), 1);
  const Stopwatch watch;
  auto stopped = std::async(std::launch::async, [&] { server->Stop(20); });
  EXPECT_TRUE(idle.closed());
  EXPECT_EQ(stopped.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  EXPECT_FALSE(RawConnection(server->port()).connected());
  owed[0]({.body = "done"});
  const std::string answer = busy.ReadToEnd();
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\ndone"));
  stopped.get();
  EXPECT_LT(watch.Seconds(), 10);
  server->Stop(20);
}

TEST(Stop, WaitsForAnAnswerThatComesAfterAllDeadlines) {
  Pending pending;
  HttpServerOptions options = LocalOptions();
  options.read_seconds = options.idle_seconds = 0.05;
  const auto server = HttpServer::Start(options, pending.Handler());
  RawConnection connection(server->port());
  connection.Send(Get("/"));
  const auto owed = pending.Wait(1);
  ASSERT_EQ(owed.size(), 1);
  auto stopped = std::async(std::launch::async, [&] { server->Stop(20); });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  owed[0]({.body = "done"});
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("\r\n\r\ndone"));
  stopped.get();
}

TEST(Stop, LetsAHalfSentRequestEnd) {
  const auto server = HttpServer::Start(LocalOptions(), Echo);
  RawConnection connection(server->port());
  const std::string text = Post("/x", "body");
  connection.Send(text.substr(0, 30));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  auto stopped = std::async(std::launch::async, [&] { server->Stop(20); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  connection.Send(text.substr(30));
  EXPECT_THAT(connection.ReadToEnd(), EndsWith("Connection: close\r\n\r\nPOST /x body"));
  stopped.get();
}

TEST(Stop, ClosesWhenTheTimeIsUp) {
  Pending pending;
  const auto server = HttpServer::Start(LocalOptions(), pending.Handler());
  RawConnection busy(server->port());
  busy.Send(Get("/"));
  const auto owed = pending.Wait(1);
  const Stopwatch watch;
  server->Stop(0.1);
  EXPECT_GT(watch.Seconds(), 0.05);
  EXPECT_LT(watch.Seconds(), 5);
  EXPECT_TRUE(busy.closed());
}

TEST(Stop, ManyRoundsUnderLoad) {
  for (int round = 0; round < 10; ++round) {
    auto server = HttpServer::Start(LocalOptions(), Echo);
    const std::string url = UrlOf(*server);
    std::vector<std::thread> clients;
    std::atomic<int> answered = 0;
    for (int i = 0; i < 4; ++i)
      clients.emplace_back([&] {
        const auto client = HttpClient::Make(url, {});
        try {
          for (;;) answered += client->Send("GET", "/", "").status == 200;
        } catch (const Error& error) {
          EXPECT_EQ(error.kind(), ErrorKind::kResource) << error.message();
        }
      });
    while (answered < 100) std::this_thread::yield();
    if (round % 2 == 0) server->Stop(5);
    server.reset();
    for (std::thread& client : clients) client.join();
  }
}

}  // namespace
}  // namespace everlearn
