// Link functions: from the raw scores of a linear or tree model to the numbers of a prediction.
//
// Pure functions, safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace everlearn {

enum class Link {
  kIdentity,  // one score an output
  kSigmoid,   // one score s, two outputs: 1 - p and p = 1 / (1 + exp(-scale * s))
  kSoftmax,   // one score a class
  kExp,       // one score an output, exp(s): Poisson, gamma, Tweedie
};

std::string_view LinkName(Link link);          // "identity", "sigmoid", "softmax", "exp"
Link ParseLink(const std::string& name);       // throws kDamaged
size_t LinkScores(Link link, size_t outputs);  // how many raw scores make `outputs` numbers; throws kDamaged where none do

// `out` may be `scores`. A softmax subtracts the largest score first.
void ApplyLink(Link link, const double* scores, size_t outputs, double sigmoid_scale, double* out);

}  // namespace everlearn
