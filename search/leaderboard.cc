#include "search/leaderboard.h"

#include <algorithm>

namespace everlearn {

std::string_view TrialStatusName(TrialStatus status) {
  switch (status) {
    case TrialStatus::kOk:
      return "ok";
    case TrialStatus::kStopped:
      return "stopped";
    case TrialStatus::kFailed:
      return "failed";
  }
  return "";
}

void Leaderboard::Sort() {
  std::sort(rows.begin(), rows.end(), [this](const LeaderboardRow& a, const LeaderboardRow& b) {
    if (a.status != b.status) return a.status < b.status;
    const bool a_known = !std::isnan(a.value), b_known = !std::isnan(b.value);
    if (a_known != b_known) return a_known;
    if (a_known && a.value != b.value) return higher_is_better ? a.value > b.value : a.value < b.value;
    return a.candidate < b.candidate;
  });
}

JsonObject ToJson(const LeaderboardRow& row) {
  JsonObject json;
  json["name"] = row.name;
  json["learner"] = row.learner;
  json["parameters"] = row.parameters;
  json["value"] = row.value;
  json["standard_error"] = row.standard_error;
  json["fit_seconds"] = row.fit_seconds;
  json["predict_seconds_per_row"] = row.predict_seconds_per_row;
  json["status"] = TrialStatusName(row.status);
  json["reason"] = row.reason;
  return json;
}

JsonArray ToJson(const Leaderboard& board) {
  JsonArray rows;
  for (const LeaderboardRow& row : board.rows) rows.push_back(ToJson(row));
  return rows;
}

}  // namespace everlearn
