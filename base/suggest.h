// Finds the name that a user probably meant, for the hint of an error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace everlearn {

// Number of single-character insertions, deletions, substitutions and swaps of neighbours between two texts, ignoring case.
int EditDistance(std::string_view a, std::string_view b);

// "did you mean 'x'?" where one is near, else "known: a, b, c" (at most 40 of them).
std::string SuggestionHint(std::string_view wrong, const std::vector<std::string>& known);

}  // namespace everlearn
