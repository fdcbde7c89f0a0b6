// Tests of the commands that talk to a running service, against a stand-in: the real HTTP server with prepared answers.
#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "cli/run_application_test_support.h"
#include "data/test_files.h"
#include "server/http_server.h"

namespace everlearn {
namespace {

class ServiceCommands : public testing::Test {
 protected:
  ServiceCommands() {
    HttpServerOptions options;
    options.listen = "127.0.0.1:0";
    server_ = HttpServer::Start(options, [this](const HttpRequest& request, const HttpRespond& respond) {
      const std::lock_guard lock(mutex_);
      const auto after = request.query.find("after");
      const std::string asked = request.method + " " + request.path + (after == request.query.end() ? "" : "?after=" + after->second);
      asked_.push_back(asked + (request.body.empty() ? "" : " " + request.body));
      const auto found = answers_.find(asked);
      respond(found == answers_.end() ? ProblemResponse(404, "there is nothing at " + request.path) : HttpResponse{.body = found->second});
    });
    answers_["GET /v1/tasks"] = R"({"tasks": [{"name": "late"}]})";
  }

  Ran RunWith(const std::string& command, std::vector<std::string> flags = {}) {
    std::vector<std::string> arguments{command, "http://127.0.0.1:" + std::to_string(server_->port())};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return everlearn::RunWith(std::move(arguments));
  }

  std::map<std::string, std::string> answers_;  // by method and target
  std::vector<std::string> asked_;

 private:
  std::mutex mutex_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(ServiceCommands, StatusPrintsWhatIsThere) {
  answers_["GET /v1/tasks/late"] =
      R"({"task": {"target": "y", "kind": "binary", "metric": "log_loss"}, "rows": 7, "champion": "blend", "paused": true,
          "served": {"value": 0.5, "rows": 3}, "members": [{"name": "blend", "role": "champion", "value": 0.25}],
          "estimated_loss": {"value": 0.125, "lower": 0.1, "upper": 0.2}, "uptime": 12})";
  const Ran text = RunWith("status");
  ASSERT_EQ(text.status, 0) << text.errors;
  for (const char* part :
       {"predicts y (binary)", "champion: blend", "0.25", "estimated_loss: value 0.125, lower 0.1", "uptime: 12", "Paused"})
    EXPECT_NE(text.output.find(part), std::string::npos) << part << "\n" << text.output;
  EXPECT_EQ(ToText(RunWith("status", {"--json", "--task", "late"}).json()),
            ToText(ParseJson(answers_["GET /v1/tasks/late"], "the answer")));
  answers_["GET /v1/tasks/late"] = "{}";
  EXPECT_EQ(RunWith("status").status, 0);
  answers_["GET /v1/tasks/late"] = "3";
  EXPECT_EQ(RunWith("status").status, 1);
}

TEST_F(ServiceCommands, ListsAreReadToTheirEnd) {
  answers_["GET /v1/tasks/late/events"] =
      R"({"events": [{"row": 1, "time": null, "kind": "retrained", "member": "a", "detail": {}}], "next": 1})";
  answers_["GET /v1/tasks/late/events?after=1"] = R"({"events": [{"row": 2, "kind": "promoted", "decision": 1}], "next": "a b"})";
  answers_["GET /v1/tasks/late/events?after=a b"] = R"({"events": [], "next": null})";
  const Ran ran = RunWith("events", {"--json"});
  ASSERT_EQ(ran.status, 0) << ran.errors;
  EXPECT_EQ(ArrayField(ran.json(), "events").size(), 2U);
  EXPECT_EQ(ran.json().get_object().size(), 1U);
  EXPECT_NE(RunWith("events").output.find("promoted"), std::string::npos);
  answers_["GET /v1/tasks/late/events?after=a b"] = R"({"events": [], "next": "a b"})";
  EXPECT_NE(RunWith("events").errors.find("has no end"), std::string::npos);
  answers_["GET /v1/tasks/late/models"] = R"({"models": [{"name": "day_one", "hash": "0123"}], "next": null})";
  EXPECT_EQ(TextField(ArrayField(RunWith("models", {"--json"}).json(), "models")[0], "hash"), "0123");
  EXPECT_NE(RunWith("models").output.find("day_one"), std::string::npos);
}

TEST_F(ServiceCommands, DecisionsAreExplained) {
  answers_["GET /v1/tasks/late/decisions/3"] = R"({"decision": 3, "kind": "promoted", "alpha": 0.05, "recomputed_equal": false})";
  const Ran ran = RunWith("explain-decision", {"3"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.output.find("NOT EQUAL"), std::string::npos);
  EXPECT_NE(ran.output.find("20"), std::string::npos);
  answers_["GET /v1/tasks/late/decisions/3"] = R"({"decision": 3, "kind": "promoted"})";
  EXPECT_EQ(RunWith("explain-decision", {"3"}).status, 0);
  const Ran missing = RunWith("explain-decision", {"4", "--json"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_NE(missing.errors.find("answered 404: there is nothing at /v1/tasks/late/decisions/4"), std::string::npos) << missing.errors;
}

TEST_F(ServiceCommands, WishesArePosted) {
  for (const char* wish : {"promote", "rollback", "pause", "resume"})
    answers_[std::string("POST /v1/tasks/late/") + wish] = R"({"kind": "done", "member": "a"})";
  answers_["POST /v1/tasks/late/resume"] = "";
  const Ran promote = RunWith("promote", {"online_linear", "--json"});
  ASSERT_EQ(promote.status, 0) << promote.errors;
  EXPECT_EQ(asked_.back(), "POST /v1/tasks/late/promote {\"member\": \"online_linear\"}");
  EXPECT_EQ(TextField(promote.json(), "kind"), "done");
  EXPECT_EQ(RunWith("rollback").output, "kind: done\nmember: a\n");
  EXPECT_EQ(RunWith("pause", {"--task", "late"}).status, 0);
  EXPECT_EQ(asked_.back(), "POST /v1/tasks/late/pause {}");
  EXPECT_EQ(RunWith("resume").output, "done\n");
  EXPECT_EQ(RunWith("promote").status, 2);
}

TEST_F(ServiceCommands, WhichTask) {
  answers_["GET /v1/tasks"] = R"({"tasks": [{"name": "late"}, {"name": "price"}]})";
  const Ran several = RunWith("status");
  EXPECT_EQ(several.status, 2);
  EXPECT_NE(several.errors.find("several tasks: late, price"), std::string::npos) << several.errors;
  answers_["GET /v1/tasks"] = R"({"tasks": []})";
  EXPECT_EQ(RunWith("status").status, 1);
  EXPECT_EQ(RunWith("status", {"--task", "a/b"}).status, 2);
  EXPECT_EQ(RunWith("status", {"--task", "late", "--api-key-file", "/nothing"}).status, 1);
}

}  // namespace
}  // namespace everlearn
