// Tests of the configuration of `everlearn run`: every key, and what a wrong one is told.
#include "server/service_config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace everlearn {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

class ServiceConfigTest : public testing::Test {
 protected:
  ServiceConfigTest() : folder_(fs::path(testing::TempDir()) / ("service_config_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~ServiceConfigTest() override { fs::remove_all(folder_); }

  std::string File(const std::string& text) const {
    std::ofstream(folder_ / "c.toml") << text;
    return (folder_ / "c.toml").string();
  }
  std::string In(const std::string& name) const { return (folder_ / name).string(); }
  ServiceConfig Load(const std::string& text) const { return LoadServiceConfig(File(text)); }
  TaskConfig LoadTask(const std::string& text) const { return Load("[tasks.t]\ntarget = \"y\"\n" + text).tasks.at(0); }

  // What is said about a file, without its folder: "c.toml, line 2: … / hint".
  std::string Complaint(const std::string& text, ErrorKind kind = ErrorKind::kUsage) const {
    try {
      Load(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.message();
      std::string message = error.message() + " / " + error.hint();
      EXPECT_TRUE(message.starts_with(In(""))) << message;
      return message.substr(In("").size());
    }
    return "nothing";
  }
  std::string TaskComplaint(const std::string& text) const { return Complaint("[tasks.t]\ntarget = \"y\"\n" + text); }

  fs::path folder_;
};

TEST_F(ServiceConfigTest, TheExampleOfTheInterface) {
  const ServiceConfig config = Load(R"(
[service]
listen = "127.0.0.1:8080"            # anything but loopback demands keys
ledger = "everlearn.db"
durability = "process"
webhook = "https://example.org/hook"
[service.keys]
ann = { key_file = "ann.key", rights = ["predict", "outcome", "admin"] }
bob = { key_file = "/etc/bob.key", rights = ["predict"] }
[tasks.late]
source = "flights/*.parquet"
target = "late"
time = "scheduled"
key = ["flight", "scheduled"]
outcome_time = "landed"
outcome_window = "24h"
missing_outcome = "unknown"
metric = "log_loss"
autonomy = "suggest"
[tasks.late.learning]
budget = "60s"
retrain = "1d"
memory = "2GB"
[tasks.late.promotion]
error_rate = 0.01
minimum_gain = 0.5
)");
  EXPECT_EQ(config.http.listen, "127.0.0.1:8080");
  EXPECT_EQ(config.ledger, In("everlearn.db"));
  EXPECT_EQ(config.durability, "process");
  EXPECT_EQ(config.webhook, "https://example.org/hook");
  ASSERT_EQ(config.http.keys.size(), 2U);
  EXPECT_EQ(config.http.keys.at("ann").key_file, In("ann.key"));
  EXPECT_EQ(config.http.keys.at("ann").rights, (Texts{"predict", "outcome", "admin"}));
  EXPECT_EQ(config.http.keys.at("bob").key_file, "/etc/bob.key");
  ASSERT_EQ(config.tasks.size(), 1U);
  const TaskConfig& task = config.tasks[0];
  EXPECT_EQ(task.name, "late");
  EXPECT_EQ(task.line, 10);
  EXPECT_EQ(task.source, In("flights/*.parquet"));
  EXPECT_EQ(task.target, "late");
  EXPECT_EQ(task.time, "scheduled");
  EXPECT_EQ(task.key, (Texts{"flight", "scheduled"}));
  EXPECT_EQ(task.outcome_time, "landed");
  EXPECT_EQ(task.outcome_window, "24h");
  EXPECT_EQ(task.metric, "log_loss");
  EXPECT_EQ(task.autonomy, "suggest");
  EXPECT_EQ(task.budget, "60s");
  EXPECT_EQ(task.retrain, "1d");
  EXPECT_EQ(task.memory, "2GB");
  EXPECT_EQ(task.error_rate, 0.01);
  EXPECT_EQ(task.minimum_gain, 0.5);
}

TEST_F(ServiceConfigTest, WhatIsNotSaidHasItsDefault) {
  const ServiceConfig empty = Load("");
  EXPECT_EQ(empty.http.listen, "127.0.0.1:8080");
  EXPECT_EQ(empty.ledger, In("everlearn.db"));
  EXPECT_EQ(empty.durability, "power");
  EXPECT_TRUE(empty.tasks.empty());
  const TaskConfig task = LoadTask("");
  EXPECT_EQ(task.source, "");
  EXPECT_EQ(task.missing_outcome, "unknown");
  EXPECT_EQ(task.autonomy, "act");
  EXPECT_EQ(task.retrain, "auto");
  EXPECT_EQ(task.lags, "auto");
  EXPECT_EQ(task.error_rate, 0.05);
}

TEST_F(ServiceConfigTest, LimitsAndEncryption) {
  const ServiceConfig config = Load(R"(
[service.tls]
certificate = "tls/service.pem"
private_key = "/etc/service.key"
[service.limits]
body = "16MB"
header = 65536
connections = 10
requests_per_second = 2.5
idle = "1.5m"
read = 10
)");
  EXPECT_EQ(config.http.certificate, In("tls/service.pem"));
  EXPECT_EQ(config.http.private_key, "/etc/service.key");
  EXPECT_EQ(config.http.most_body_bytes, 16'000'000U);
  EXPECT_EQ(config.http.most_header_bytes, 65536U);
  EXPECT_EQ(config.http.most_connections, 10U);
  EXPECT_EQ(config.http.requests_a_second, 2.5);
  EXPECT_EQ(config.http.idle_seconds, 90);
  EXPECT_EQ(config.http.read_seconds, 10);
}

TEST_F(ServiceConfigTest, TheRestOfATask) {
  const TaskConfig task = LoadTask(R"(
kind = "binary"
key = "id"
ignore = ["a", "b"]
outcome_after = "6h"
outcome_window = "1d"
missing_outcome = 0
roster = ["online_linear", "blend"]
lags = "none"
[tasks.t.types]
zip = "category"
"two words" = "text"
[tasks.t.set]
"gradient_boosting.trees" = 100
online_linear.rate = 0.5
online_linear.centred = true
)");
  EXPECT_EQ(task.kind, "binary");
  EXPECT_EQ(task.key, Texts{"id"});
  EXPECT_EQ(task.ignore, (Texts{"a", "b"}));
  EXPECT_EQ(task.outcome_after, "6h");
  EXPECT_EQ(task.missing_outcome, "0");
  EXPECT_EQ(task.roster, (Texts{"online_linear", "blend"}));
  EXPECT_EQ(task.lags, "none");
  EXPECT_EQ(task.types, (std::map<std::string, std::string>{{"two words", "text"}, {"zip", "category"}}));
  EXPECT_EQ(task.set, (std::map<std::string, std::string>{
                          {"gradient_boosting.trees", "100"}, {"online_linear.centred", "true"}, {"online_linear.rate", "0.5"}}));
}

TEST_F(ServiceConfigTest, TasksStandInTheOrderOfTheFile) {
  const ServiceConfig config =
      Load("[tasks.z]\ntarget = 'a'\n[tasks.B-2.learning]\nbudget = '1s'\n[tasks.B-2]\ntarget = 'b'\n[tasks.a_1]\ntarget='c'");
  ASSERT_EQ(config.tasks.size(), 3U);
  EXPECT_EQ(config.tasks[0].name + config.tasks[1].name + config.tasks[2].name, "zB-2a_1");
  EXPECT_EQ(config.tasks[1].budget, "1s");
}

TEST_F(ServiceConfigTest, WhatIsNoPathStays) {
  EXPECT_EQ(LoadTask("source = '-'").source, "-");
  EXPECT_EQ(LoadTask("source = 'SELECT * FROM a'").source, "SELECT * FROM a");
  EXPECT_EQ(LoadTask("source = 'postgresql://localhost/a'").source, "postgresql://localhost/a");
  EXPECT_EQ(LoadTask("source = '/data/a.csv'").source, "/data/a.csv");
  EXPECT_EQ(LoadTask("sql = 'SELECT 1'\nwatermark = 'w'").watermark, "w");
  EXPECT_EQ(LoadTask("postgresql = 'postgresql://h/d'\ntable = 'rows'").postgresql, "postgresql://h/d");
  EXPECT_EQ(Load("[service]\nledger = 'postgresql://h/d'").ledger, "postgresql://h/d");
}

TEST_F(ServiceConfigTest, UnknownKeysAreToldWithLineAndSuggestion) {
  EXPECT_EQ(Complaint("\n[tasks.t]\n\ntagret = 'y'"), "c.toml, line 4: [tasks.t] has no key 'tagret' / did you mean 'target'?");
  EXPECT_EQ(Complaint("[servce]\n"), "c.toml, line 1: the file has no key 'servce' / did you mean 'service'?");
  EXPECT_EQ(Complaint("[service]\nlimits = { boddy = 1 }"), "c.toml, line 2: [service.limits] has no key 'boddy' / did you mean 'body'?");
  EXPECT_EQ(Complaint("[service.keys]\na = { file = 'x' }"),
            "c.toml, line 2: [service.keys.a] has no key 'file' / known: key_file, rights");
  EXPECT_EQ(TaskComplaint("budget = '1s'"), "c.toml, line 3: [tasks.t] has no key 'budget' / it belongs under [tasks.t.learning]");
  EXPECT_EQ(Complaint("[service]\nbody = 1"), "c.toml, line 2: [service] has no key 'body' / it belongs under [service.limits]");
  EXPECT_EQ(Complaint("a = 1\n[tasks.t]\nb = 2"), "c.toml, line 1: the file has no key 'a' / known: service, tasks");
}

TEST_F(ServiceConfigTest, WrongValuesAreToldWithLine) {
  EXPECT_EQ(TaskComplaint("autonomy = 'acts'"), "c.toml, line 3: [tasks.t] autonomy: 'acts' is unknown / did you mean 'act'?");
  EXPECT_EQ(TaskComplaint("kind = 'regresion'"), "c.toml, line 3: [tasks.t] kind: 'regresion' is unknown / did you mean 'regression'?");
  EXPECT_EQ(TaskComplaint("metric = 'logloss'"), "c.toml, line 3: [tasks.t] metric: 'logloss' is unknown / did you mean 'log_loss'?");
  EXPECT_EQ(TaskComplaint("time = 3"), "c.toml, line 3: [tasks.t] time: must be a text / write it in quotes");
  EXPECT_EQ(TaskComplaint("key = ['a', 2]"), "c.toml, line 3: [tasks.t] key: must be a text / write it in quotes");
  EXPECT_EQ(TaskComplaint("types = { a = 'txt' }"), "c.toml, line 3: [tasks.t.types] a: 'txt' is unknown / did you mean 'text'?");
  EXPECT_EQ(TaskComplaint("outcome_after = 'soon'"),
            "c.toml, line 3: [tasks.t] outcome_after: 'soon' is no time / write it as 30s, 10m or 1.5h");
  EXPECT_EQ(TaskComplaint("[tasks.t.learning]\nmemory = '2XB'"),
            "c.toml, line 4: [tasks.t.learning] memory: '2XB' is no size / write it as 16MB, 32KiB or 2GB");
  EXPECT_EQ(TaskComplaint("[tasks.t.promotion]\nerror_rate = 0.6"),
            "c.toml, line 4: [tasks.t.promotion] error_rate: 0.6 is out of range / it goes from 1e-09 to 0.5");
  EXPECT_EQ(TaskComplaint("[tasks.t.promotion]\nerror_rate = nan").find("c.toml, line 4: [tasks.t.promotion] error_rate: "), 0U);
  EXPECT_EQ(TaskComplaint("[tasks.t.promotion]\nerror_rate = '0.1'"),
            "c.toml, line 4: [tasks.t.promotion] error_rate: must be a number / write it without quotes");
  EXPECT_EQ(TaskComplaint("set = { trees = 3 }"),
            "c.toml, line 3: [tasks.t.set] trees: is no setting / write it as learner.parameter = value");
  EXPECT_EQ(Complaint("[service]\ndurability = 'sync'").substr(0, 52), "c.toml, line 2: [service] durability: 'sync' is unkn");
  EXPECT_EQ(Complaint("[service]\nwebhook = 'example.org'"),
            "c.toml, line 2: [service] webhook: 'example.org' is no URL / it begins with https:// or http://");
  EXPECT_EQ(Complaint("[service.limits]\nidle = '0s'"),
            "c.toml, line 2: [service.limits] idle: 0 is out of range / it goes from 0.001 to 86400");
  EXPECT_EQ(Complaint("[service.limits]\nconnections = 0"),
            "c.toml, line 2: [service.limits] connections: 0 is out of range / it goes from 1 to 1000000");
  EXPECT_EQ(Complaint("service = 3"), "c.toml, line 1: [service] is no section / write it as [service] with its keys below");
}

TEST_F(ServiceConfigTest, WhatDoesNotGoTogether) {
  EXPECT_EQ(Complaint("\n[tasks.t]\ntime = 'a'"),
            "c.toml, line 2: [tasks.t] has no target / write target = \"COLUMN\", the column to predict");
  EXPECT_EQ(TaskComplaint("source = 'a.csv'\nsql = 'SELECT 1'"),
            "c.toml, line 1: [tasks.t] has both source and sql / a task has one source");
  EXPECT_EQ(TaskComplaint("watermark = 'w'"), "c.toml, line 1: [tasks.t] has a watermark, but no sql / a watermark is a column of a query");
  EXPECT_EQ(TaskComplaint("postgresql = 'postgresql://h/d'"),
            "c.toml, line 1: [tasks.t] has postgresql, but no table / the two go together");
  EXPECT_EQ(TaskComplaint("table = 'a'"), "c.toml, line 1: [tasks.t] has a table, but no postgresql / the two go together");
  EXPECT_EQ(TaskComplaint("time = 'a'\noutcome_time = 'b'\noutcome_after = '1h'"),
            "c.toml, line 1: [tasks.t] has both outcome_time and outcome_after / an outcome has one time");
  EXPECT_EQ(TaskComplaint("outcome_time = 'b'"),
            "c.toml, line 1: [tasks.t] has an outcome_time, but no time / name the column of the rows' own time");
  EXPECT_EQ(TaskComplaint("missing_outcome = 'no'"),
            "c.toml, line 1: [tasks.t] has a missing_outcome, but no outcome_window / without one an outcome may always still come");
  EXPECT_EQ(Complaint("[tasks.'a b']\ntarget = 'y'"), "c.toml, line 1: [tasks.a b] is no name of a task / use letters, digits, _ and -");
  EXPECT_EQ(Complaint("[service.tls]\ncertificate = 'c'"),
            "c.toml, line 1: [service.tls] needs both certificate and private_key / name two PEM files");
  EXPECT_EQ(Complaint("[service.keys]\na = { rights = ['predict'] }"),
            "c.toml, line 2: [service.keys.a] has no key_file / write key_file = \"FILE\", whose first line is the secret");
  EXPECT_EQ(Complaint("[service.keys]\na = { key_file = 'a' }").substr(0, 48), "c.toml, line 2: [service.keys.a] has no rights /");
  EXPECT_EQ(Complaint("[service.keys]\na = { key_file = 'a', rights = ['predikt'] }"),
            "c.toml, line 2: [service.keys.a] rights: there is no right 'predikt' / did you mean 'predict'?");
}

TEST_F(ServiceConfigTest, WhatIsNoToml) {
  EXPECT_EQ(Complaint("[service]\nlisten = nothing\n", ErrorKind::kInput).substr(0, 46), "c.toml, line 2, column 11: this is no TOML: Er");
  EXPECT_NE(Complaint("[a]\n[a]\n", ErrorKind::kInput), "nothing");
  EXPECT_NE(Complaint("a = '\xff'\n", ErrorKind::kInput), "nothing");
  EXPECT_NE(Complaint(std::string(2 << 20, '#'), ErrorKind::kInput), "nothing");
}

TEST_F(ServiceConfigTest, AFileThatIsNotThere) {
  for (const auto& [path, kind] : {std::pair(In("none.toml"), ErrorKind::kNotFound), {folder_.string(), ErrorKind::kInput}}) {
    try {
      LoadServiceConfig(path);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.message();
    }
  }
}

}  // namespace
}  // namespace everlearn
