#include "cli/service_target.h"

#include <CLI/CLI.hpp>
#include <cctype>
#include <cstring>

#include "base/error.h"
#include "data/postgres.h"

namespace everlearn {
namespace {

// As a value in a query.
std::string Encoded(const std::string& text) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || std::string_view("-_.~").find(c) != std::string_view::npos) encoded += c;
    else encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return encoded;
}

std::string OnlyTask(const Json& answer) {
  std::vector<std::string> names;
  for (const Json& task : ArrayField(answer, "tasks")) names.push_back(TextField(task, "name"));
  if (names.size() == 1) return names.front();
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  if (names.empty()) throw Error(ErrorKind::kNotFound, "the service has no task");
  throw Error(ErrorKind::kUsage, "the service has several tasks: " + all, "choose one with --task");
}

}  // namespace

void AddTargetFlags(CLI::App& app, const char* name, TargetFlags* flags) {
  const bool url = std::strstr(name, "URL") != nullptr, ledger = std::strstr(name, "LEDGER") != nullptr;
  const char* doc = !url     ? "the ledger: a file or postgresql://…"
                    : ledger ? "where a service listens, or a ledger (a file or postgresql://…)"
                             : "where the service listens";
  app.add_option(name, flags->place, doc)->required()->type_name("");
  app.add_option("--task", flags->task, "which task, where there are several")->type_name("NAME");
  if (url) app.add_option("--api-key-file", flags->api_key_file, "the secret that the service asks for")->type_name("FILE");
}

void CheckTaskName(const std::string& name) {
  for (const char c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-')
      throw Error(ErrorKind::kUsage, "--task: '" + name + "' is no name of a task", "they have letters, digits, _ and -");
  }
}

std::shared_ptr<Ledger> OpenTarget(const TargetFlags& flags) {
  if (IsUrl(flags.place)) throw Error(ErrorKind::kUsage, flags.place + " is a service", "this command reads a ledger: give its path");
  if (!flags.api_key_file.empty())
    throw Error(ErrorKind::kUsage, "--api-key-file is for a service, " + ShownPlace(flags.place) + " is a ledger");
  return OpenLedger(flags.place, {.read_only = true}, flags.task);
}

void ThrowProblem(const HttpAnswer& answer, const std::string& what) {
  constexpr size_t kLongest = 300;
  std::string detail = answer.body.substr(0, kLongest);
  if (answer.Header("content-type").find("json") != std::string::npos) {
    const Json problem = ParseJson(answer.body, "the service's answer");
    const Json* text = problem.is_object() ? problem.get_object().if_contains("detail") : nullptr;
    if (text != nullptr && text->is_string()) detail = std::string(text->get_string());
  }
  const int status = answer.status;
  const ErrorKind kind = status == 401 || status == 403                   ? ErrorKind::kPermission
                         : status == 404                                  ? ErrorKind::kNotFound
                         : status >= 400 && status < 500 && status != 429 ? ErrorKind::kInput
                                                                          : ErrorKind::kResource;
  throw Error(kind, what + ": the service answered " + std::to_string(status) + (detail.empty() ? "" : ": " + detail));
}

ServedTask::ServedTask(const TargetFlags& flags) : client_(HttpClient::Make(flags.place, {.api_key_file = flags.api_key_file})) {
  CheckTaskName(flags.task);
  path_ = "/v1/tasks";
  path_ += "/" + (flags.task.empty() ? OnlyTask(Send("GET", path_, "")) : flags.task);
}

Json ServedTask::Get(const std::string& rest) { return Send("GET", path_ + rest, ""); }

Json ServedTask::Post(const std::string& rest, const JsonObject& body) { return Send("POST", path_ + rest, ToText(body)); }

JsonArray ServedTask::GetAll(const std::string& list) {
  JsonArray all;
  std::string after;
  for (;;) {
    const Json page = Get("/" + list + (after.empty() ? "" : "?after=" + Encoded(after)));
    for (const Json& element : ArrayField(page, list)) all.push_back(element);
    const Json* next = page.get_object().if_contains("next");
    if (next == nullptr || next->is_null()) return all;
    const std::string wanted = next->is_string() ? std::string(next->get_string()) : ToText(*next);
    if (wanted.empty() || wanted == after) throw Error(ErrorKind::kInput, "the service's list of " + list + " has no end");
    after = wanted;
  }
}

Json ServedTask::Send(const std::string& method, const std::string& target, const std::string& body) {
  const HttpAnswer answer = client_->Send(method, target, body);
  if (answer.status < 200 || answer.status > 299) ThrowProblem(answer, target);
  return answer.body.empty() ? Json(JsonObject{}) : ParseJson(answer.body, "the service's answer");
}

}  // namespace everlearn
