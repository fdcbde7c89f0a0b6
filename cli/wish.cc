#include "cli/wish.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "base/error.h"
#include "cli/service_target.h"
#include "cli/terminal.h"

namespace everlearn {
namespace {

int Send(const std::string& wish, const TargetFlags& target, const JsonObject& body, const CommonOptions& options) {
  if (!IsUrl(target.place))
    throw Error(ErrorKind::kUsage, "a ledger that is not served changes nothing: give the service's URL", "such as http://127.0.0.1:8080");
  const Json answer = ServedTask(target).Post("/" + wish, body);
  if (options.json || !answer.is_object()) {
    PrintDocument(answer);
    return 0;
  }
  std::string text;
  for (const auto& [name, value] : answer.get_object()) text += std::string(name) + ": " + CellText(value) + "\n";
  PrintText(text.empty() ? "done\n" : text);
  return 0;
}

}  // namespace

Command WishCommand(int order, const std::string& wish, const std::string& summary, bool names_member) {
  Command command;
  command.order = order;
  command.summary = summary;
  command.example = "everlearn " + wish + " http://127.0.0.1:8080 " + (names_member ? "online_linear " : "") + "--task late";
  command.setup = [wish, names_member](CLI::App& app, const CommonOptions& options) -> std::function<int()> {
    auto target = std::make_shared<TargetFlags>();
    auto member = std::make_shared<std::string>();
    AddTargetFlags(app, "URL", target.get());
    if (names_member) app.add_option("MEMBER", *member, "its name, as `everlearn models` lists it")->required()->type_name("");
    return [=, &options] { return Send(wish, *target, names_member ? JsonObject{{"member", *member}} : JsonObject{}, options); };
  };
  return command;
}

}  // namespace everlearn
