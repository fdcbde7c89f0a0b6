#include "search/experience_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"

namespace everlearn {
namespace {

// Five significant digits; null where it is not finite.
Json Short(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (value == 0) return 0.0;
  const double unit = std::pow(10.0, std::floor(std::log10(std::abs(value))) - 4);
  const double scaled = std::round(value / unit);
  return unit >= 1 ? scaled * unit : scaled / std::round(1 / unit);
}

double Value(const JsonArray& array, size_t i) {
  if (array.at(i).is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!array.at(i).is_number()) throw Error(ErrorKind::kDamaged, "a table of experience holds what is no number");
  return array.at(i).to_number<double>();
}

Json RunLine(const ExperienceRun& run, const std::map<std::string, size_t>& places) {
  JsonArray losses(places.size()), seconds(places.size()), units(places.size());
  for (const ExperienceTrial& trial : run.trials) {
    if (!std::isfinite(trial.loss())) continue;
    const size_t place = places.at(trial.learner + ToText(trial.parameters));
    losses[place] = Short(trial.loss());
    seconds[place] = Short(trial.seconds);
    units[place] = Short(trial.units);
  }
  return JsonObject{{"source", run.source},
                    {"kind", run.kind},
                    {"metric", run.metric},
                    {"data", run.data.ToJson()},
                    {"constant_loss", run.constant_loss},
                    {"losses", losses},
                    {"seconds", seconds},
                    {"units", units}};
}

ExperienceRun RunFromLine(const Json& json, const JsonArray& configurations) {
  ExperienceRun run;
  run.source = TextField(json, "source");
  run.kind = TextField(json, "kind");
  run.metric = TextField(json, "metric");
  run.data = DataDescription::FromJson(Field(json, "data"));
  run.constant_loss = NumberField(json, "constant_loss");
  const JsonArray &losses = ArrayField(json, "losses"), &seconds = ArrayField(json, "seconds"), &units = ArrayField(json, "units");
  if (losses.size() != configurations.size() || seconds.size() != losses.size() || units.size() != losses.size())
    throw Error(ErrorKind::kDamaged, "a table of experience has rows of different lengths");
  for (size_t i = 0; i < losses.size(); ++i) {
    if (losses[i].is_null()) continue;
    const Json& parameters = Field(configurations[i], "parameters");
    if (!parameters.is_object()) throw Error(ErrorKind::kDamaged, "a table of experience has a configuration without parameters");
    run.trials.push_back({.learner = TextField(configurations[i], "learner"),
                          .parameters = parameters.get_object(),
                          .fold_losses = {Value(losses, i)},
                          .seconds = Value(seconds, i),
                          .units = Value(units, i)});
  }
  return run;
}

}  // namespace

std::string ExperienceTable(const Experience& experience) {
  std::map<std::string, size_t> places;
  JsonArray configurations;
  for (const ExperienceRun& run : experience.runs()) {
    for (const ExperienceTrial& trial : run.trials) {
      if (!std::isfinite(trial.loss()) || !places.emplace(trial.learner + ToText(trial.parameters), configurations.size()).second) continue;
      configurations.push_back(JsonObject{{"learner", trial.learner}, {"parameters", trial.parameters}});
    }
  }
  std::string text = ToText(configurations) + "\n";
  for (const ExperienceRun& run : experience.runs()) text += ToText(RunLine(run, places)) + "\n";
  return text;
}

Experience ExperienceFromTable(std::string_view text) {
  Experience experience;
  JsonArray configurations;
  for (bool is_first = true; !text.empty(); is_first = false) {
    const size_t end = std::min(text.find('\n'), text.size());
    const Json line = ParseJson(text.substr(0, end), "a table of experience");
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!is_first) {
      experience.Add(RunFromLine(line, configurations));
    } else if (line.is_array()) {
      configurations = line.get_array();
    } else {
      throw Error(ErrorKind::kDamaged, "a table of experience does not begin with its configurations");
    }
  }
  return experience;
}

}  // namespace everlearn
