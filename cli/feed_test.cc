// Tests of `everlearn feed` end to end, against a stand-in for the service: the real HTTP server with a handler that remembers.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <mutex>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "cli/feed_sender.h"
#include "cli/run_application_test_support.h"
#include "data/test_files.h"
#include "server/http_server.h"

namespace everlearn {
namespace {

// Predicts "1" (or the number in column x) and joins every outcome whose id it gave.
class StandIn {
 public:
  StandIn() {
    HttpServerOptions options;
    options.listen = "127.0.0.1:0";
    server_ = HttpServer::Start(options, [this](const HttpRequest& request, const HttpRespond& respond) { respond(Answer(request)); });
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  std::string task = "{}";  // what GET says under "task"
  bool numbers = false;     // a regression
  int refused = 0;          // so many first POSTs are put off
  std::string fails_at;     // a row with this x is refused
  std::vector<Json> rows, outcomes;
  std::vector<std::string> requests;
  std::set<std::string> open;  // ids whose outcome has not come

 private:
  HttpResponse Answer(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    if (!request.path.starts_with("/v1/tasks/late")) return ProblemResponse(404, "there is no task '" + request.path.substr(10) + "'");
    if (request.method == "GET") return {.body = "{\"task\":" + task + "}"};
    if (refused > 0) {
      --refused;
      HttpResponse later = ProblemResponse(refused % 2 == 0 ? 503 : 429, "later");
      later.headers.emplace_back("Retry-After", "0");
      return later;
    }
    const Json body = ParseJson(request.body, "the request");
    return request.path.ends_with("/predictions") ? Predict(ArrayField(body, "rows")) : Join(ArrayField(body, "outcomes"));
  }
  HttpResponse Predict(const JsonArray& sent) {
    requests.push_back("p" + std::to_string(sent.size()));
    JsonArray predictions;
    for (const Json& row : sent) {
      if (const Json* x = row.get_object().if_contains("x"); x != nullptr && !fails_at.empty() && ToText(*x) == fails_at)
        return ProblemResponse(400, "column x is wrong");
      const std::string id = "id" + std::to_string(rows.size());
      open.insert(id);
      rows.push_back(row);
      if (numbers) predictions.push_back(JsonObject{{"id", id}, {"prediction", Field(row, "x")}});
      else predictions.push_back(JsonObject{{"id", id}, {"prediction", "1"}, {"probabilities", JsonObject{{"1", 0.9}}}});
    }
    return {.body = ToText(JsonObject{{"predictions", predictions}})};
  }
  HttpResponse Join(const JsonArray& sent) {
    requests.push_back("o" + std::to_string(sent.size()));
    JsonArray statuses;
    for (const Json& outcome : sent) {
      outcomes.push_back(outcome);
      statuses.push_back(JsonObject{{"status", open.erase(TextField(outcome, "id")) > 0 ? "joined" : "unknown"}});
    }
    return {.body = ToText(JsonObject{{"outcomes", statuses}})};
  }

  std::mutex mutex_;
  std::unique_ptr<HttpServer> server_;
};

class FeedTest : public testing::Test {
 protected:
  Ran Feed(std::vector<std::string> flags) {
    const std::string source = folder_.Write("t.csv", csv_);
    std::vector<std::string> arguments{"feed", source, "--to", service_.url(), "--task", "late", "--json"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return RunWith(std::move(arguments));
  }

  TestFolder folder_;
  std::string csv_ = "t,x,y\n2020-01-01T00:00:00Z,5,1\n2020-01-01T00:00:02Z,6,0\n2020-01-01T00:00:01Z,7,1\n2020-01-01T00:00:03Z,8,\n";
  StandIn service_;
};

TEST_F(FeedTest, SendsRowsAndOutcomesAndSumsUp) {
  const Ran ran = Feed({"--target", "y", "--time", "t", "--batch", "1"});
  ASSERT_EQ(ran.status, 0) << ran.errors;
  EXPECT_EQ(service_.requests, (std::vector<std::string>{"p1", "o1", "p1", "o1", "p1", "o1", "p1"}));
  EXPECT_EQ(ToText(service_.rows[1]), "{\"t\": \"2020-01-01T00:00:01Z\", \"x\": 7}");
  EXPECT_EQ(ToText(service_.outcomes[1]), "{\"id\": \"id1\", \"outcome\": 1, \"time\": \"2020-01-01T00:00:01Z\"}");
  const Json report = ran.json();
  EXPECT_EQ(IntegerField(report, "rows"), 4);
  EXPECT_EQ(IntegerField(report, "outcomes"), 3);
  EXPECT_EQ(IntegerField(Field(report, "statuses"), "joined"), 3);
  EXPECT_EQ(IntegerField(Field(report, "answers"), "200"), 7);
  EXPECT_EQ(IntegerField(report, "scored_rows"), 3);
  EXPECT_NEAR(NumberField(report, "accuracy"), 2.0 / 3, 1e-12);
  EXPECT_GT(NumberField(Field(report, "latency"), "p99.9"), 0);
}

TEST_F(FeedTest, AsksTheServiceForColumns) {
  csv_ = "when,x,seen,y\n2020-01-02,1,2020-01-05,3\n2020-01-01,2,2020-01-03,2\n";
  service_.task = "{\"target\":\"y\",\"time\":\"when\",\"outcome_time\":\"seen\"}";
  service_.numbers = true;
  const Ran ran = Feed({"--batch", "1"});
  ASSERT_EQ(ran.status, 0) << ran.errors;
  EXPECT_EQ(service_.requests, (std::vector<std::string>{"p1", "p1", "o2"}));
  EXPECT_EQ(ToText(service_.rows[0]), "{\"when\": \"2020-01-01T00:00:00Z\", \"x\": 2}");
  EXPECT_EQ(TextField(service_.outcomes[1], "time"), "2020-01-05T00:00:00Z");
  EXPECT_NEAR(NumberField(ran.json(), "rmse"), std::sqrt(2.0), 1e-12);
  service_.rows.clear();
  ASSERT_EQ(Feed({"--delay", "1h"}).status, 0);
  EXPECT_EQ(service_.rows[0].get_object().contains("seen"), false);
  EXPECT_EQ(TextField(service_.outcomes.back(), "time"), "2020-01-02T01:00:00Z");
}

TEST_F(FeedTest, WaitsWhereTheServiceAsksForIt) {
  service_.refused = 3;
  const Ran ran = Feed({"--target", "y"});
  ASSERT_EQ(ran.status, 0) << ran.errors;
  EXPECT_EQ(service_.rows.size(), 4U);
  EXPECT_EQ(IntegerField(Field(ran.json(), "answers"), "503"), 2);
  EXPECT_EQ(IntegerField(Field(ran.json(), "answers"), "429"), 1);
}

TEST_F(FeedTest, StopsWithTheServicesReason) {
  service_.fails_at = "7";
  const Ran ran = Feed({"--target", "y", "--batch", "1"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.errors.find("/v1/tasks/late/predictions: the service answered 400: column x is wrong"), std::string::npos) << ran.errors;
  EXPECT_EQ(service_.rows.size(), 2U);
  const Ran other = Feed({"--task", "none"});
  EXPECT_EQ(other.status, 2) << "--task twice";
}

TEST_F(FeedTest, StopsWhenAskedOrPutOffForTooLong) {
  Table table{3, {{.name = "x", .numbers = {1, 2, 3}}, {.name = "y", .numbers = {0, 1, 1}}}};
  std::vector<SchemaWarning> warnings;
  const FeedPlan plan(std::move(table), {}, {.target = "y"}, &warnings);
  std::atomic<size_t> done = 0;
  FeedOptions options;
  options.path = "/v1/tasks/late";
  options.batch = 1;
  options.connections = 2;
  options.connect = [&] { return HttpClient::Make(service_.url(), {}); };
  options.progress = [&](size_t rows) { done = rows; };
  options.stop = [&] { return done >= 1; };
  const FeedReport report = RunFeed(plan, options);
  EXPECT_TRUE(report.interrupted);
  EXPECT_GE(report.rows, 1U);
  EXPECT_LT(report.rows, 3U);

  options.stop = [] { return false; };
  options.most_wait_seconds = 0.2;
  service_.refused = 1'000'000;
  const Error error = ErrorOf([&] { RunFeed(plan, options); });
  EXPECT_EQ(error.kind(), ErrorKind::kResource);
  EXPECT_NE(error.message().find("later"), std::string::npos) << error.message();
}

TEST_F(FeedTest, ManyConnectionsLoseNothing) {
  csv_ = "x,y\n";
  for (int i = 0; i < 3'000; ++i) csv_ += std::to_string(i % 17) + "," + std::to_string(i % 2) + "\n";
  const Ran ran = Feed({"--target", "y", "--batch", "7", "--connections", "8"});
  ASSERT_EQ(ran.status, 0) << ran.errors;
  EXPECT_EQ(service_.rows.size(), 3'000U);
  EXPECT_EQ(service_.outcomes.size(), 3'000U);
  EXPECT_TRUE(service_.open.empty());
  EXPECT_EQ(NumberField(ran.json(), "accuracy"), 0.5);
}

TEST_F(FeedTest, KeepsToTheClock) {
  const Ran fast = Feed({"--target", "y", "--time", "t", "--speed", "10x"});  // 3 s of events
  ASSERT_EQ(fast.status, 0) << fast.errors;
  EXPECT_GT(NumberField(fast.json(), "seconds"), 0.29);
  EXPECT_EQ(service_.requests.front(), "p1");
  const Ran rate = Feed({"--target", "y", "--rate", "20", "--batch", "1"});
  EXPECT_GT(NumberField(rate.json(), "seconds"), 0.14);
}

TEST_F(FeedTest, WrongUsage) {
  EXPECT_EQ(Feed({"--speed", "fast"}).status, 2);
  EXPECT_EQ(Feed({"--speed", "10x"}).status, 2);  // no time is known
  EXPECT_EQ(Feed({"--target", "y", "--delay", "1h"}).status, 2);
  EXPECT_NE(Feed({}).errors.find("no target is known"), std::string::npos);
}

}  // namespace
}  // namespace everlearn
