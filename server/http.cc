#include "server/http.h"

#include "base/json.h"
#include "server/http_text.h"

namespace everlearn {

HttpResponse ProblemResponse(int status, const std::string& detail, const std::vector<std::pair<std::string, std::string>>& text_members) {
  JsonObject problem{{"type", "about:blank"}, {"title", StatusTitle(status)}, {"status", status}, {"detail", detail}};
  for (const auto& [name, value] : text_members) problem[name] = value;
  return HttpResponse{.status = status, .content_type = "application/problem+json", .body = ToText(problem)};
}

}  // namespace everlearn
