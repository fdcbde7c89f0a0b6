// The registry of learners, checked parameter values, and the one way in which a learner is fitted by name.
#include "learner/learner.h"

#include <boost/json/value_from.hpp>
#include <cassert>
#include <charconv>
#include <cmath>

namespace everlearn {

namespace {

std::string RangeText(const Parameter& parameter) {
  if (parameter.type == ParameterType::kBoolean) return "true or false";
  if (parameter.type == ParameterType::kChoice) {
    std::string text = "one of";
    for (const std::string& choice : parameter.choices) text += (&choice == &parameter.choices.front() ? " " : ", ") + choice;
    return text;
  }
  const std::string range = "from " + NumberText(parameter.low) + " to " + NumberText(parameter.high);
  return parameter.type == ParameterType::kInteger ? "an integer " + range : "a number " + range;
}

// The value that `text` says, or NaN where it is not one of this parameter's.
double ParseValue(const Parameter& parameter, const std::string& text) {
  if (parameter.type == ParameterType::kBoolean) {
    if (text == "true" || text == "1") return 1;
    return text == "false" || text == "0" ? 0 : kMissing;
  }
  if (parameter.type == ParameterType::kChoice) {
    for (size_t i = 0; i < parameter.choices.size(); ++i) {
      if (parameter.choices[i] == text) return static_cast<double>(i);
    }
    return kMissing;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole_text = error == std::errc() && end == text.data() + text.size();
  if (!whole_text || !(value >= parameter.low && value <= parameter.high)) return kMissing;
  return parameter.type == ParameterType::kInteger && value != std::floor(value) ? kMissing : value;
}

Json ValueJson(const Parameter& parameter, double value) {
  switch (parameter.type) {
    case ParameterType::kBoolean:
      return value != 0;
    case ParameterType::kChoice:
      return boost::json::string(parameter.choices.at(static_cast<size_t>(value)));
    case ParameterType::kInteger:
      return static_cast<int64_t>(value);
    case ParameterType::kNumber:
      return value;
  }
  return nullptr;
}

std::string_view TypeName(ParameterType type) {
  switch (type) {
    case ParameterType::kNumber:
      return "number";
    case ParameterType::kInteger:
      return "integer";
    case ParameterType::kBoolean:
      return "boolean";
    case ParameterType::kChoice:
      return "choice";
  }
  return "";
}

Json DescribeParameter(const Parameter& parameter) {
  JsonObject json{{"name", parameter.name}, {"type", TypeName(parameter.type)}, {"default", ValueJson(parameter, parameter.value)}};
  if (parameter.type == ParameterType::kNumber || parameter.type == ParameterType::kInteger) {
    json["low"] = ValueJson(parameter, parameter.low);
    json["high"] = ValueJson(parameter, parameter.high);
    json["scale"] = parameter.scale == ParameterScale::kLog ? "log" : "linear";
  }
  if (parameter.type == ParameterType::kChoice) json["choices"] = boost::json::value_from(parameter.choices);
  json["doc"] = parameter.doc;
  return json;
}

}  // namespace

ParameterValues::ParameterValues(std::vector<Parameter> declared) : declared_(std::move(declared)) {
  for (const Parameter& parameter : declared_) values_.push_back(parameter.value);
}

void ParameterValues::Set(const std::string& learner, const std::string& name, const std::string& text) {
  std::vector<std::string> names;
  for (size_t i = 0; i < declared_.size(); ++i) {
    if (declared_[i].name == name) {
      const double value = ParseValue(declared_[i], text);
      if (std::isnan(value)) {
        throw Error(ErrorKind::kUsage, learner + "." + name + " is '" + text + "', but must be " + RangeText(declared_[i]));
      }
      values_[i] = value;
      return;
    }
    names.push_back(declared_[i].name);
  }
  throw Error(ErrorKind::kUsage, "the learner " + learner + " has no parameter '" + name + "'",
              names.empty() ? "it has no parameters" : SuggestionHint(name, names));
}

double ParameterValues::Number(std::string_view name) const { return values_[Index(name)]; }

int64_t ParameterValues::Integer(std::string_view name) const { return static_cast<int64_t>(values_[Index(name)]); }

bool ParameterValues::Boolean(std::string_view name) const { return values_[Index(name)] != 0; }

const std::string& ParameterValues::Choice(std::string_view name) const {
  const size_t i = Index(name);
  return declared_[i].choices.at(static_cast<size_t>(values_[i]));
}

Json ParameterValues::ToJson() const {
  JsonObject json;
  for (size_t i = 0; i < declared_.size(); ++i) json[declared_[i].name] = ValueJson(declared_[i], values_[i]);
  return json;
}

ParameterValues ParameterValues::FromJson(const std::string& learner, const std::vector<Parameter>& declared, const Json& json) {
  ParameterValues values(declared);
  if (!json.is_object()) throw Error(ErrorKind::kUsage, "the parameters of " + learner + " are not a JSON object");
  for (const auto& [name, value] : json.get_object()) {
    values.Set(learner, name, value.is_string() ? std::string(value.get_string()) : ToText(value));
  }
  return values;
}

size_t ParameterValues::Index(std::string_view name) const {
  size_t i = 0;
  while (i < declared_.size() && declared_[i].name != name) ++i;
  assert(i < declared_.size());
  return i;
}

Registry<LearnerInfo>& Learners() {
  static Registry<LearnerInfo> registry("learner");
  return registry;
}

std::shared_ptr<const Model> FitLearner(const std::string& name, const TrainingRows& training, const ParameterValues& parameters,
                                        const FitOptions& options) {
  const LearnerInfo& learner = Learners().Get(name);
  const Dataset& data = *training.data;
  if (!learner.supports(data.classes())) {
    const std::string kind = data.classes() == 0   ? "regression"
                             : data.classes() == 2 ? "binary classification"
                                                   : "classification with " + std::to_string(data.classes()) + " classes";
    throw Error(ErrorKind::kUsage, "the learner " + name + " cannot do " + kind, "everlearn learners shows what each can do");
  }
  if (learner.fit) return learner.fit(training, parameters, options);

  constexpr size_t kRowsBetweenStops = 1024;
  StreamShape shape{{}, data.classes()};
  for (size_t i = 0; i < data.features(); ++i) shape.is_category.push_back(data.is_category(i));
  const auto model = learner.start(shape, parameters, options.seed);
  for (size_t i = 0; i < training.rows.size(); ++i) {
    if (i % kRowsBetweenStops == 0 && options.stop && options.stop()) break;
    const uint32_t row = training.rows[i];
    model->Learn(data.row(row), data.target()[row], data.weight(row));
  }
  return model->Snapshot();
}

Json DescribeLearner(const std::string& name) {
  const LearnerInfo& learner = Learners().Get(name);
  JsonArray tasks, parameters;
  if (learner.binary) tasks.emplace_back("binary");
  if (learner.multiclass) tasks.emplace_back("multiclass");
  if (learner.regression) tasks.emplace_back("regression");
  for (const Parameter& parameter : learner.parameters) parameters.push_back(DescribeParameter(parameter));
  return JsonObject{{"name", name},
                    {"summary", learner.summary},
                    {"paper", learner.paper},
                    {"tasks", tasks},
                    {"online", learner.online()},
                    {"baseline", learner.baseline},
                    {"weights", learner.weights},
                    {"parameters", parameters}};
}

}  // namespace everlearn
