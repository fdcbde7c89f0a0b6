#include "server/service_config.h"

#include <toml++/toml.h>
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/byte_size.h"
#include "base/error.h"
#include "base/suggest.h"
#include "base/timestamp.h"
#include "data/source.h"
#include "data/task.h"
#include "evaluation/metric.h"

namespace everlearn {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// One value of the file, with what a message about it needs.
class Value {
 public:
  Value(const std::string& file, std::string section, std::string key, const toml::node& node)
      : file_(&file), section_(std::move(section)), key_(std::move(key)), node_(&node) {}

  int line() const { return static_cast<int>(node_->source().begin.line); }
  const std::string& key() const { return key_; }
  bool is_section() const { return node_->is_table(); }
  // As a section: the dotted name of its values.
  std::string path() const { return section_.empty() ? key_ : section_ + "." + key_; }

  // "FILE, line N: [SECTION] KEY: WHAT"
  [[noreturn]] void Refuse(const std::string& what, const std::string& hint) const {
    throw Error(ErrorKind::kUsage,
                Place() + (is_section() || section_.empty() ? "[" + path() + "] " : "[" + section_ + "] " + key_ + ": ") + what, hint);
  }
  [[noreturn]] void RefuseKey(const std::string& hint) const {
    throw Error(ErrorKind::kUsage, Place() + (section_.empty() ? "the file" : "[" + section_ + "]") + " has no key '" + key_ + "'", hint);
  }

  // The values of a table, in the order of the file.
  std::vector<Value> Entries() const {
    const toml::table* table = node_->as_table();
    if (table == nullptr) Refuse("is no section", "write it as [" + path() + "] with its keys below");
    std::vector<std::pair<toml::source_position, Value>> found;
    for (const auto& [key, node] : *table) found.emplace_back(key.source().begin, Value(*file_, path(), std::string(key.str()), node));
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Value> entries;
    for (auto& [position, value] : found) entries.push_back(std::move(value));
    return entries;
  }

  std::string Text() const {
    if (const auto text = node_->value_exact<std::string>()) return *text;
    Refuse("must be a text", "write it in quotes");
  }
  // A text, or what a number or true/false is as text.
  std::string Scalar() const {
    if (node_->is_boolean()) return node_->ref<bool>() ? "true" : "false";
    if (const auto number = node_->value<double>(); number && !node_->is_string()) return PlainNumber(*number);
    return Text();
  }
  Words Texts() const {
    const toml::array* list = node_->as_array();
    if (list == nullptr) return {Text()};
    Words texts;
    for (const toml::node& item : *list) texts.push_back(Value(*file_, section_, key_, item).Text());
    return texts;
  }
  std::string Word(const Words& known) const {
    std::string word = Text();
    if (std::find(known.begin(), known.end(), word) == known.end()) Refuse("'" + word + "' is unknown", SuggestionHint(word, known));
    return word;
  }
  double Number(double low, double high) const {
    const auto number = node_->is_number() ? node_->value<double>() : std::nullopt;
    if (!number) Refuse("must be a number", "write it without quotes");
    CheckRange(*number, low, high);
    return *number;
  }
  // Seconds, or a text such as "30s".
  double Seconds(double low, double high) const {
    if (node_->is_number()) return Number(low, high);
    const auto duration = ParseDuration(Text());
    if (!duration) Refuse("'" + Text() + "' is no time", "write it as 30s, 10m or 1.5h");
    const double seconds = static_cast<double>(*duration) / static_cast<double>(kMicrosecondsPerSecond);
    CheckRange(seconds, low, high);
    return seconds;
  }
  // Bytes, or a text such as "16MB".
  size_t Bytes(double low, double high) const {
    if (node_->is_number()) return static_cast<size_t>(Number(low, high));
    const auto bytes = ParseByteSize(Text());
    if (!bytes) Refuse("'" + Text() + "' is no size", "write it as 16MB, 32KiB or 2GB");
    CheckRange(static_cast<double>(*bytes), low, high);
    return *bytes;
  }
  // A path as it is from here; what is no path (SQL, a URL, standard input) stays.
  std::string Path() const {
    const std::string text = Text();
    if (text.empty()) Refuse("is empty", "name a file");
    return ResolvePath(*file_, text);
  }
  static std::string ResolvePath(const std::string& file, const std::string& text) {
    if (text == "-" || text.find("://") != std::string::npos || BeginsAsSql(text)) return text;
    return (fs::path(file).parent_path() / text).string();  // an absolute one stays as it is
  }

 private:
  std::string Place() const { return *file_ + ", line " + std::to_string(line()) + ": "; }
  void CheckRange(double value, double low, double high) const {
    if (value >= low && value <= high) return;
    Refuse(PlainNumber(value) + " is out of range", "it goes from " + PlainNumber(low) + " to " + PlainNumber(high));
  }

  const std::string* file_;
  std::string section_, key_;
  const toml::node* node_;
};

// A key that is known: what it sets, and where it is a section, the keys inside.
template <typename T>
struct Setting {
  std::string key;
  std::function<void(const Value&, T*)> set;
  Words inside = {};
};
template <typename T>
using Settings = std::vector<Setting<T>>;

template <typename T>
Words KeysOf(const Settings<T>& settings) {
  Words keys;
  for (const Setting<T>& setting : settings) keys.push_back(setting.key);
  return keys;
}

template <typename T>
void Apply(const Settings<T>& settings, const Value& section, T* out) {
  for (const Value& value : section.Entries()) {
    const auto known = std::find_if(settings.begin(), settings.end(), [&](const auto& setting) { return setting.key == value.key(); });
    if (known != settings.end()) {
      known->set(value, out);
      continue;
    }
    for (const Setting<T>& setting : settings) {
      if (std::find(setting.inside.begin(), setting.inside.end(), value.key()) != setting.inside.end())
        value.RefuseKey("it belongs under [" + (section.path().empty() ? "" : section.path() + ".") + setting.key + "]");
    }
    value.RefuseKey(SuggestionHint(value.key(), KeysOf(settings)));
  }
}

// What a key sets, by the form of its value.
template <typename T>
Setting<T> Text(std::string key, std::string T::*member) {
  return {std::move(key), [member](const Value& value, T* out) { out->*member = value.Text(); }};
}
template <typename T>
Setting<T> Texts(std::string key, Words T::*member) {
  return {std::move(key), [member](const Value& value, T* out) { out->*member = value.Texts(); }};
}
template <typename T>
Setting<T> Path(std::string key, std::string T::*member) {
  return {std::move(key), [member](const Value& value, T* out) { out->*member = value.Path(); }};
}
template <typename T>
Setting<T> Word(std::string key, std::string T::*member, Words known) {
  return {std::move(key), [member, known = std::move(known)](const Value& value, T* out) { out->*member = value.Word(known); }};
}
template <typename T>
Setting<T> Number(std::string key, double T::*member, double low, double high) {
  return {std::move(key), [=](const Value& value, T* out) { out->*member = value.Number(low, high); }};
}
template <typename T>
Setting<T> Seconds(std::string key, double T::*member, double low, double high) {
  return {std::move(key), [=](const Value& value, T* out) { out->*member = value.Seconds(low, high); }};
}
template <typename T>
Setting<T> Bytes(std::string key, size_t T::*member, double low, double high) {
  return {std::move(key), [=](const Value& value, T* out) { out->*member = value.Bytes(low, high); }};
}
// A section whose keys set members of the same object.
template <typename T>
Setting<T> Section(std::string key, const Settings<T>& settings) {
  return {std::move(key), [&settings](const Value& value, T* out) { Apply(settings, value, out); }, KeysOf(settings)};
}

// The known keys, section by section; interface.md says what they mean.

constexpr double kDay = 86'400;

const Settings<HttpServerOptions>& TlsSettings() {
  static const Settings<HttpServerOptions> settings = {
      Path("certificate", &HttpServerOptions::certificate),
      Path("private_key", &HttpServerOptions::private_key),
  };
  return settings;
}

const Settings<HttpServerOptions>& LimitSettings() {
  static const Settings<HttpServerOptions> settings = {
      Bytes("body", &HttpServerOptions::most_body_bytes, 1024, 4e9),
      Bytes("header", &HttpServerOptions::most_header_bytes, 1024, 16e6),
      {"connections",
       [](const Value& value, HttpServerOptions* out) { out->most_connections = static_cast<size_t>(value.Number(1, 1e6)); }},
      Number("requests_per_second", &HttpServerOptions::requests_a_second, 0, 1e9),
      Seconds("read", &HttpServerOptions::read_seconds, 0.001, kDay),
      Seconds("idle", &HttpServerOptions::idle_seconds, 0.001, kDay),
  };
  return settings;
}

const Settings<HttpKey>& KeySettings() {
  static const Settings<HttpKey> settings = {
      Path("key_file", &HttpKey::key_file),
      {"rights",
       [](const Value& value, HttpKey* out) {
         const Words known = {"predict", "outcome", "admin"};
         for (const std::string& right : out->rights = value.Texts()) {
           if (std::find(known.begin(), known.end(), right) == known.end())
             value.Refuse("there is no right '" + right + "'", SuggestionHint(right, known));
         }
       }},
  };
  return settings;
}

void SetKeys(const Value& section, ServiceConfig* config) {
  for (const Value& value : section.Entries()) {
    HttpKey key;
    Apply(KeySettings(), value, &key);
    if (key.key_file.empty()) value.Refuse("has no key_file", "write key_file = \"FILE\", whose first line is the secret");
    if (key.rights.empty()) value.Refuse("has no rights", "write rights = [\"predict\", \"outcome\", \"admin\"], or some of them");
    config->http.keys[value.key()] = key;
  }
}

const Settings<ServiceConfig>& ServiceSettings() {
  static const Settings<ServiceConfig> settings = {
      {"listen", [](const Value& value, ServiceConfig* out) { out->http.listen = value.Text(); }},
      Path("ledger", &ServiceConfig::ledger),
      Word("durability", &ServiceConfig::durability, {"power", "process"}),
      {"webhook",
       [](const Value& value, ServiceConfig* out) {
         out->webhook = value.Text();
         if (!out->webhook.starts_with("http://") && !out->webhook.starts_with("https://"))
           value.Refuse("'" + out->webhook + "' is no URL", "it begins with https:// or http://");
       }},
      {"tls",
       [](const Value& value, ServiceConfig* out) {
         Apply(TlsSettings(), value, &out->http);
         if (out->http.certificate.empty() || out->http.private_key.empty())
           value.Refuse("needs both certificate and private_key", "name two PEM files");
       },
       KeysOf(TlsSettings())},
      {"limits", [](const Value& value, ServiceConfig* out) { Apply(LimitSettings(), value, &out->http); }, KeysOf(LimitSettings())},
      {"keys", SetKeys},
  };
  return settings;
}

const Settings<TaskConfig>& LearningSettings() {
  static const Settings<TaskConfig> settings = {
      Text("budget", &TaskConfig::budget),
      Text("row_budget", &TaskConfig::row_budget),
      Text("retrain", &TaskConfig::retrain),
      {"memory",
       [](const Value& value, TaskConfig* out) {
         out->memory = value.Scalar();
         value.Bytes(1, 1e18);
       }},
  };
  return settings;
}

const Settings<TaskConfig>& PromotionSettings() {
  static const Settings<TaskConfig> settings = {
      Number("error_rate", &TaskConfig::error_rate, 1e-9, 0.5),
      Number("minimum_gain", &TaskConfig::minimum_gain, 0, 1e300),
  };
  return settings;
}

Words KindNames() {
  Words names;
  for (const TaskKind kind : {TaskKind::kBinary, TaskKind::kMulticlass, TaskKind::kRegression}) names.emplace_back(TaskKindName(kind));
  return names;
}

Words TypeNames() {
  Words names;
  for (const ColumnType type :
       {ColumnType::kNumber, ColumnType::kInteger, ColumnType::kBoolean, ColumnType::kTimestamp, ColumnType::kCategory, ColumnType::kText})
    names.emplace_back(ColumnTypeName(type));
  return names;
}

// learner.parameter = value, quoted, dotted or with the learner as a section of its own.
void SetParameters(const Value& section, const std::string& before, TaskConfig* task) {
  for (const Value& value : section.Entries()) {
    const std::string name = before.empty() ? value.key() : before + "." + value.key();
    if (value.is_section()) SetParameters(value, name, task);
    else if (name.find('.') == std::string::npos) value.Refuse("is no setting", "write it as learner.parameter = value");
    else task->set[name] = value.Scalar();
  }
}

const Settings<TaskConfig>& TaskSettings() {
  static const Settings<TaskConfig> settings = {
      Path("source", &TaskConfig::source),
      Text("sql", &TaskConfig::sql),
      Text("watermark", &TaskConfig::watermark),
      Text("postgresql", &TaskConfig::postgresql),
      Text("table", &TaskConfig::table),
      Text("target", &TaskConfig::target),
      Word("kind", &TaskConfig::kind, KindNames()),
      Word("metric", &TaskConfig::metric, Metrics().Names()),
      Text("time", &TaskConfig::time),
      Texts("key", &TaskConfig::key),
      Texts("ignore", &TaskConfig::ignore),
      {"types",
       [](const Value& section, TaskConfig* out) {
         for (const Value& value : section.Entries()) out->types[value.key()] = value.Word(TypeNames());
       }},
      Texts("labels", &TaskConfig::labels),
      Text("outcome_time", &TaskConfig::outcome_time),
      {"outcome_after",
       [](const Value& value, TaskConfig* out) {
         out->outcome_after = value.Text();
         value.Seconds(0, 1e12);
       }},
      Text("outcome_window", &TaskConfig::outcome_window),
      {"missing_outcome", [](const Value& value, TaskConfig* out) { out->missing_outcome = value.Scalar(); }},
      Word("autonomy", &TaskConfig::autonomy, {"observe", "suggest", "act"}),
      Texts("roster", &TaskConfig::roster),
      Texts("detectors", &TaskConfig::detectors),
      {"set", [](const Value& value, TaskConfig* out) { SetParameters(value, "", out); }},
      Word("lags", &TaskConfig::lags, {"auto", "none"}),
      Section("learning", LearningSettings()),
      Section("promotion", PromotionSettings()),
  };
  return settings;
}

// What only all keys of a task together tell.
void CheckTask(const Value& section, const TaskConfig& task) {
  if (task.target.empty()) section.Refuse("has no target", "write target = \"COLUMN\", the column to predict");
  Words sources;
  for (const auto& [key, value] : {std::pair("source", &task.source), {"sql", &task.sql}, {"postgresql", &task.postgresql}})
    if (!value->empty()) sources.emplace_back(key);
  if (sources.size() > 1) section.Refuse("has both " + sources[0] + " and " + sources[1], "a task has one source");
  if (!task.watermark.empty() && task.sql.empty() && task.postgresql.empty())
    section.Refuse("has a watermark, but no sql", "a watermark is a column of a query");
  if (task.postgresql.empty() != task.table.empty())
    section.Refuse(task.table.empty() ? "has postgresql, but no table" : "has a table, but no postgresql", "the two go together");
  if (!task.outcome_time.empty() && !task.outcome_after.empty())
    section.Refuse("has both outcome_time and outcome_after", "an outcome has one time");
  if (!task.outcome_time.empty() && task.time.empty())
    section.Refuse("has an outcome_time, but no time", "name the column of the rows' own time");
  if (task.missing_outcome != "unknown" && task.outcome_window.empty())
    section.Refuse("has a missing_outcome, but no outcome_window", "without one an outcome may always still come");
}

void SetTasks(const Value& section, ServiceConfig* config) {
  for (const Value& value : section.Entries()) {
    if (!IsTaskName(value.key())) value.Refuse("is no name of a task", "use letters, digits, _ and -");
    TaskConfig task;
    task.name = value.key();
    task.line = value.line();
    Apply(TaskSettings(), value, &task);
    CheckTask(value, task);
    config->tasks.push_back(std::move(task));
  }
}

const Settings<ServiceConfig>& FileSettings() {
  static const Settings<ServiceConfig> settings = {Section("service", ServiceSettings()), {"tasks", SetTasks}};
  return settings;
}

std::string ReadConfigFile(const std::string& path) {
  constexpr size_t kMostBytes = 1 << 20;
  std::error_code none;
  if (fs::is_directory(path, none)) throw Error(ErrorKind::kInput, path + " is a folder, not a configuration");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (file == nullptr) {
    const int code = errno;
    if (code == EACCES || code == EPERM) throw Error(ErrorKind::kPermission, path + " may not be read");
    throw Error(ErrorKind::kNotFound, path + " cannot be opened: " + std::strerror(code));
  }
  std::string text(kMostBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) throw Error(ErrorKind::kResource, path + " cannot be read");
  if (text.size() > kMostBytes) throw Error(ErrorKind::kInput, path + " is too large for a configuration");
  return text;
}

toml::table ParseToml(const std::string& text, const std::string& path) {
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& problem) {
    const toml::source_position place = problem.source().begin;
    throw Error(ErrorKind::kInput,
                path + ", line " + std::to_string(place.line) + ", column " + std::to_string(place.column) +
                    ": this is no TOML: " + std::string(problem.description()),
                "see https://toml.io");
  }
}

}  // namespace

bool IsTaskName(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

ServiceConfig LoadServiceConfig(const std::string& path) {
  const std::string text = ReadConfigFile(path);
  const toml::table root = ParseToml(text, path);
  ServiceConfig config;
  config.ledger = Value::ResolvePath(path, config.ledger);
  Apply(FileSettings(), Value(path, "", "", root), &config);
  return config;
}

}  // namespace everlearn
