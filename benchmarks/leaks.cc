// What the checks of a fit find: faults planted in every public set, and what they say of the sets as they are.
//
//     build/release/benchmarks/leaks FOLDER [SET…]        (with an index.tsv; the figures stand in docs/benchmarks.md)
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <map>

#include "base/error.h"
#include "guard/planted_leaks.h"
#include "guard/training_check.h"

namespace everlearn {
namespace {

struct Tally {
  int due = 0, found = 0;
  std::string missed;
};

bool Has(const std::vector<GuardFinding>& findings, const Plant& plant) {
  return std::any_of(findings.begin(), findings.end(),
                     [&](const GuardFinding& finding) { return finding.code == plant.code && finding.column == plant.column; });
}

// As the program has them: row by row.
GuardInput RowByRow(const PlantedTable& table, std::vector<double>* values) {
  GuardInput input = table.Input();
  const size_t columns = table.columns.size();
  values->resize(input.rows * columns);
  for (size_t j = 0; j < columns; ++j) {
    for (size_t i = 0; i < input.rows; ++i) (*values)[i * columns + j] = table.values[j][i];
    input.columns[j].values = values->data() + j;
    input.columns[j].stride = columns;
  }
  return input;
}

void Run(const std::string& folder, const std::vector<std::string>& wanted) {
  std::map<std::string, Tally> tallies;
  std::vector<Plant> plants = PlantsOfColumns();
  for (Plant& plant : PlantsOfRows()) plants.push_back(std::move(plant));
  double slowest = 0;
  int sets = 0, leaks = 0;
  for (const PublicSet& set : PublicSets(folder)) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), set.name) == wanted.end()) continue;
    const PlantedTable clean = ReadPlantedTable(set.path, set.target);
    std::vector<double> values;
    const GuardInput input = RowByRow(clean, &values);
    const std::clock_t start = std::clock();
    const std::vector<GuardFinding> said = CheckTraining(input);
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;

    slowest = std::max(slowest, seconds);
    ++sets;
    fmt::print("{} ({} rows, {} columns): {:.2f} s\n", set.name, clean.target.size(), clean.columns.size(), seconds);
    for (const GuardFinding& finding : said) {
      leaks += finding.code == "leak" ? 1 : 0;
      fmt::print("    {}: {}\n", finding.code, finding.message);
    }
    for (const Plant& plant : plants) {
      if (plant.needs_order && !set.stream) continue;
      if (plant.needs_order && clean.classes > 2 && plant.name.find("mean") != std::string::npos) continue;
      PlantedTable planted = clean;
      Random random(3);
      plant.add(&planted, &random);
      Tally& tally = tallies[plant.name];
      ++tally.due;
      if (Has(CheckTraining(planted.Input()), plant)) ++tally.found;
      else tally.missed += " " + set.name;
    }
    std::fflush(stdout);
  }
  fmt::print(
      "\n{} sets, {} findings of a leak in them as they are; the slowest took {:.2f} s of a core\n\n| planted | found | of | not in "
      "|\n|---|---|---|---|\n",
      sets, leaks, slowest);
  for (const Plant& plant : plants) {
    const Tally& tally = tallies[plant.name];
    fmt::print("| {} | {} | {} |{} |\n", plant.name, tally.found, tally.due, tally.missed);
  }
}

}  // namespace
}  // namespace everlearn

int main(int count, char** arguments) {
  if (count < 2) {
    fmt::print(stderr, "usage: leaks FOLDER [SET…]\n");
    return 2;
  }
  try {
    everlearn::Run(arguments[1], {arguments + 2, arguments + count});
  } catch (const everlearn::Error& error) {
    fmt::print(stderr, "{}\n", error.message());
    return 1;
  }
  return 0;
}
