// The space that a search moves in: the parameters of one learner, as its declaration says, each as a position in [0, 1].
//
// Immutable, safe to share. Numbers lie on the declared scale (a linear range that begins near zero and is wide, on that of log(1 + x)),
// integers are rounded, booleans and choices are equal parts of the interval.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "search/cross_validation.h"
#include "search/data_description.h"

namespace everlearn {

class SearchSpace {
 public:
  // Throws kUsage where there is no such learner.
  explicit SearchSpace(const std::string& learner);

  size_t size() const { return axes_.size(); }
  // The number of values of a boolean or choice; 0: a number.
  size_t levels(size_t axis) const;
  std::vector<double> Position(const ParameterValues& values) const;
  Candidate At(std::span<const double> position) const;
  std::vector<double> RandomPosition(Random* random) const;
  // The defaults, with every parameter that makes a fit dearer moved to its cheap end.
  std::vector<double> CheapPosition(const DataDescription& data) const;

 private:
  std::string learner_;
  ParameterValues base_;  // defaults, and what is always the same
  std::vector<Parameter> axes_;
};

// A candidate with these parameters and the learner's defaults. Parameters that the learner does not have are left out. Nothing where there
// is no such learner or a value is outside its range.
std::optional<Candidate> CandidateFrom(const std::string& learner, const JsonObject& parameters);

// The learner's name; where a parameter is not at its default, with four digits that tell such candidates apart.
Candidate NamedCandidate(const std::string& learner, ParameterValues parameters);

// Equal for equal learners and parameters, whatever the name.
std::string CandidateKey(const Candidate& candidate);

// Units of one fit by the learner's formula.
double CandidateUnits(const Candidate& candidate, const DataDescription& data);

}  // namespace everlearn
