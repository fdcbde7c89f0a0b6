// Sigmoid, softmax and exp, and their names in model files.
#include "model/link.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "model/check.h"

namespace everlearn {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"identity", "sigmoid", "softmax", "exp"};

}  // namespace

std::string_view LinkName(Link link) { return kNames[static_cast<size_t>(link)]; }

Link ParseLink(const std::string& name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  CheckModel(found != kNames.end(), "its link function is not known");
  return static_cast<Link>(found - kNames.begin());
}

size_t LinkScores(Link link, size_t outputs) {
  CheckModel(outputs >= 1, "it has no outputs");
  CheckModel(link != Link::kSigmoid || outputs == 2, "a sigmoid has two outputs");
  return link == Link::kSigmoid ? 1 : outputs;
}

void ApplyLink(Link link, const double* scores, size_t outputs, double sigmoid_scale, double* out) {
  switch (link) {
    case Link::kIdentity:
      std::copy_n(scores, outputs, out);
      break;
    case Link::kSigmoid: {
      const double p = 1.0 / (1.0 + std::exp(-sigmoid_scale * scores[0]));
      out[0] = 1.0 - p;
      out[1] = p;
      break;
    }
    case Link::kSoftmax: {
      const double largest = *std::max_element(scores, scores + outputs);
      double sum = 0;
      for (size_t k = 0; k < outputs; ++k) {
        out[k] = std::exp(scores[k] - largest);
        sum += out[k];
      }
      for (size_t k = 0; k < outputs; ++k) out[k] /= sum;
      break;
    }
    case Link::kExp:
      for (size_t k = 0; k < outputs; ++k) out[k] = std::exp(scores[k]);
      break;
  }
}

}  // namespace everlearn
