// Writes search/builtin_experience.cc from a file of experience that portfolio_trials filled.
//
//   build/release/benchmarks/portfolio/portfolio_table trials.jsonl search/builtin_experience.cc
#include <fmt/format.h>

#include <fstream>
#include <map>

#include "base/error.h"
#include "search/experience_table.h"
#include "search/search_space.h"

namespace everlearn {
namespace {

// Only what is not at its default, so that it holds for later versions with other parameters too.
JsonObject Changed(const ExperienceTrial& trial) {
  JsonObject changed;
  const LearnerInfo* learner = Learners().Find(trial.learner);
  if (learner == nullptr) throw Error(ErrorKind::kInput, "there is no learner " + trial.learner);
  const Json defaults = ParameterValues(learner->parameters).ToJson();
  for (const auto& [name, value] : trial.parameters) {
    const Json* usual = defaults.get_object().if_contains(name);
    if (usual == nullptr || ToText(*usual) != ToText(value)) changed[name] = value;
  }
  return changed;
}

void Write(const std::string& from, const std::string& to) {
  std::map<std::string, ExperienceRun> runs;
  const Experience experience = Experience::Load(from);
  for (const ExperienceRun& run : experience.runs()) {
    ExperienceRun& whole =
        runs.try_emplace(run.source, ExperienceRun{run.source, run.kind, run.metric, run.data, run.constant_loss, {}}).first->second;
    for (ExperienceTrial trial : run.trials) {
      trial.parameters = Changed(trial);
      whole.trials.push_back(std::move(trial));
    }
  }
  Experience whole;
  for (auto& [source, run] : runs) whole.Add(std::move(run));
  std::ofstream file(to);
  file << "// What the program ships with of experience: its own runs on public data sets. Written by benchmarks/portfolio; not to be "
          "edited.\n"
          "#include \"search/experience_table.h\"\n\nnamespace everlearn {\nnamespace {\n\n// clang-format off\nconstexpr const char* "
          "kTable = R\"table("
       << ExperienceTable(whole)
       << ")table\";\n// clang-format on\n\n}  // namespace\n\n"
          "const Experience& Experience::BuiltIn() {\n  static const Experience experience = ExperienceFromTable(kTable);\n  return "
          "experience;\n}\n\n"
          "}  // namespace everlearn\n";
  file.close();
  if (!file) throw Error(ErrorKind::kResource, to + " cannot be written");
}

}  // namespace
}  // namespace everlearn

int main(int count, char** arguments) {
  using namespace everlearn;
  try {
    if (count != 3) throw Error(ErrorKind::kUsage, "portfolio_table FROM.jsonl TO.cc");
    Write(arguments[1], arguments[2]);
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.message());
    return 1;
  }
  return 0;
}
