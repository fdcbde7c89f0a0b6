// An entry of a roster as people write it: a learner, or a learner with parameters of its own, `online_linear:forgetting=0.01;bits=16`.
// `lags=no` is none of the learner: an online member with it does not see the lag features.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace everlearn {

struct RosterEntry {
  std::string name;        // as written; the member's name
  std::string learner;     // or "blend"
  std::string parameters;  // JSON
  bool sees_lags = true;

  // The same member under another name.
  bool IsSameAs(const RosterEntry& other) const;
};

// `parameters`: JSON by learner, which the entry's own go before. Throws kUsage for what is no learner, parameter or value.
RosterEntry ParseRosterEntry(const std::string& text, const std::map<std::string, std::string>& parameters);

// What learns where nobody says what shall; `quick`: without forests and neighbours, whose copies for answers would be large.
std::vector<std::string> DefaultRoster(size_t classes, bool lag_features, bool quick);

inline constexpr const char* kBlendName = "blend";

}  // namespace everlearn
