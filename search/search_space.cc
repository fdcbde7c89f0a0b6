#include "search/search_space.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/hash.h"

namespace everlearn {
namespace {

// A linear range that is searched on the scale of log(1 + x): penalties and counts that may be zero and large.
bool IsWide(const Parameter& axis) { return axis.scale == ParameterScale::kLinear && axis.low >= 0 && axis.low < 1 && axis.high >= 50; }

double Transformed(const Parameter& axis, double value) {
  if (axis.scale == ParameterScale::kLog) return std::log(value);
  return IsWide(axis) ? std::log1p(value) : value;
}

double Restored(const Parameter& axis, double value) {
  if (axis.scale == ParameterScale::kLog) return std::exp(value);
  return IsWide(axis) ? std::expm1(value) : value;
}

size_t Levels(const Parameter& axis) {
  return axis.type == ParameterType::kBoolean ? 2 : axis.type == ParameterType::kChoice ? axis.choices.size() : 0;
}

std::string ValueText(const Parameter& parameter, double value) {
  switch (parameter.type) {
    case ParameterType::kBoolean:
      return value != 0 ? "true" : "false";
    case ParameterType::kChoice:
      return parameter.choices.at(static_cast<size_t>(value));
    case ParameterType::kInteger:
      return NumberText(std::round(value));
    case ParameterType::kNumber:
      return NumberText(value);
  }
  return "";
}

// Four significant digits: differences below that are noise, and names and files stay readable.
double Rounded(double value) {
  if (value == 0) return 0;
  const double unit = std::pow(10.0, std::floor(std::log10(std::abs(value))) - 3);
  return std::round(value / unit) * unit;
}

std::string TextOf(const Json& value) { return value.is_string() ? std::string(value.get_string()) : ToText(value); }

}  // namespace

SearchSpace::SearchSpace(const std::string& learner) : learner_(learner), base_(Learners().Get(learner).parameters) {
  for (Parameter parameter : Learners().Get(learner).parameters) {
    if (parameter.search) {
      parameter.low = parameter.search->low;
      parameter.high = parameter.search->high;
    }
    if (Levels(parameter) == 0 ? parameter.low == parameter.high : parameter.search.has_value()) {
      base_.Set(learner_, parameter.name, ValueText(parameter, parameter.low));
    } else {
      axes_.push_back(std::move(parameter));
    }
  }
}

size_t SearchSpace::levels(size_t axis) const { return Levels(axes_[axis]); }

std::vector<double> SearchSpace::Position(const ParameterValues& values) const {
  std::vector<double> position;
  for (const Parameter& axis : axes_) {
    const double value = values.Number(axis.name);
    if (const size_t levels = Levels(axis); levels > 0) {
      position.push_back((value + 0.5) / static_cast<double>(levels));
    } else {
      const double low = Transformed(axis, axis.low), high = Transformed(axis, axis.high);
      position.push_back((Transformed(axis, std::clamp(value, axis.low, axis.high)) - low) / (high - low));
    }
  }
  return position;
}

Candidate SearchSpace::At(std::span<const double> position) const {
  ParameterValues values = base_;
  for (size_t i = 0; i < axes_.size(); ++i) {
    const Parameter& axis = axes_[i];
    const double place = std::clamp(position[i], 0.0, 1.0);
    double value = 0;
    if (const size_t levels = Levels(axis); levels > 0) {
      value = std::min(std::floor(place * static_cast<double>(levels)), static_cast<double>(levels - 1));
    } else {
      const double low = Transformed(axis, axis.low), high = Transformed(axis, axis.high);
      value = std::clamp(Rounded(Restored(axis, low + place * (high - low))), axis.low, axis.high);
    }
    values.Set(learner_, axis.name, ValueText(axis, value));
  }
  return NamedCandidate(learner_, std::move(values));
}

std::vector<double> SearchSpace::RandomPosition(Random* random) const {
  std::vector<double> position(axes_.size());
  for (double& place : position) place = random->Uniform();
  return position;
}

std::vector<double> SearchSpace::CheapPosition(const DataDescription& data) const {
  constexpr double kNearEnd = 0.1, kDearer = 1.5;
  std::vector<double> position = Position(base_);
  for (size_t i = 0; i < axes_.size(); ++i) {
    if (Levels(axes_[i]) > 0) continue;
    std::vector<double> low = position, high = position;
    low[i] = kNearEnd;
    high[i] = 1 - kNearEnd;
    const double ratio = CandidateUnits(At(high), data) / CandidateUnits(At(low), data);
    if (ratio > kDearer) position[i] = std::min(position[i], kNearEnd);
    if (ratio < 1 / kDearer) position[i] = std::max(position[i], 1 - kNearEnd);
  }
  return position;
}

std::optional<Candidate> CandidateFrom(const std::string& learner, const JsonObject& parameters) {
  const LearnerInfo* info = Learners().Find(learner);
  if (info == nullptr) return std::nullopt;
  ParameterValues values(info->parameters);
  for (const Parameter& parameter : info->parameters) {
    const Json* value = parameters.if_contains(parameter.name);
    if (value == nullptr) continue;
    try {
      values.Set(learner, parameter.name, TextOf(*value));
    } catch (const Error&) {
      return std::nullopt;
    }
  }
  return NamedCandidate(learner, std::move(values));
}

Candidate NamedCandidate(const std::string& learner, ParameterValues parameters) {
  const std::string text = ToText(parameters.ToJson());
  const bool is_default = text == ToText(ParameterValues(Learners().Get(learner).parameters).ToJson());
  std::string name = is_default ? learner : learner + "-" + HashText(HashBytes(text)).substr(0, 4);
  return {std::move(name), learner, std::move(parameters)};
}

std::string CandidateKey(const Candidate& candidate) { return candidate.learner + " " + ToText(candidate.parameters.ToJson()); }

double CandidateUnits(const Candidate& candidate, const DataDescription& data) {
  return Learners().Get(candidate.learner).cost_units(data.rows, data.features, std::max(1.0, data.classes), candidate.parameters);
}

}  // namespace everlearn
