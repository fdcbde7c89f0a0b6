// Experience as a compact text, the form in which the program ships it: every configuration once, then a line of losses and seconds for
// each data set on which all of them were tried.
//
// Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "search/experience.h"

namespace everlearn {

// Lines of JSON: first [{"learner", "parameters"}, …], then a run each {"source", "kind", "metric", "data", "constant_loss", "losses",
// "seconds", "units"}, one value a configuration; null: it failed, or was not tried. Losses are means over folds.
std::string ExperienceTable(const Experience& experience);

// Throws kInput, kDamaged.
Experience ExperienceFromTable(std::string_view text);

}  // namespace everlearn
