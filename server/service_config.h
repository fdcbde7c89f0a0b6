// The configuration of `everlearn run`: TOML (interface.md) into plain values, checked before anything starts.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "server/http_server.h"

namespace everlearn {

// Values as they stand in the file; what a duration or a rule means is checked where LoopOptions are made (cli/replay_input does it for
// `replay`), so that flags and file say the same things with the same words.
struct TaskConfig {
  std::string name;
  std::string source, sql, watermark, postgresql, table;  // at most one of source, sql, postgresql
  std::string target, kind, metric, time;
  std::vector<std::string> key, ignore;
  std::map<std::string, std::string> types;  // column -> type
  std::vector<std::string> labels;           // classes, where there is no data to tell them
  std::string outcome_time, outcome_after, outcome_window, missing_outcome = "unknown";
  std::string autonomy = "act";  // observe, suggest, act
  std::vector<std::string> roster, detectors;
  std::map<std::string, std::string> set;  // learner.parameter -> value
  std::string lags = "auto";
  std::string budget, row_budget = "none", retrain = "auto", memory;  // [tasks.NAME.learning]
  double error_rate = 0.05, minimum_gain = 0;                         // [tasks.NAME.promotion]
  int line = 0;                                                       // where the task begins in the file; 0: from flags
};

struct ServiceConfig {
  HttpServerOptions http;  // listen, keys, tls, limits
  std::string ledger = "everlearn.db";
  std::string durability = "power";
  std::string webhook;
  std::vector<TaskConfig> tasks;  // in the order of the file
};

// Relative paths in the file (and the ledger's, where it names none) are relative to its folder. No task at all is no error here. Unknown
// keys, wrong types, values out of range and missing target are kUsage with "FILE, line N" and, for keys, a suggestion. Throws kNotFound,
// kPermission, kInput (no TOML, with line).
ServiceConfig LoadServiceConfig(const std::string& path);

// Letters, digits, _ and -: it stands in paths.
bool IsTaskName(const std::string& name);

}  // namespace everlearn
