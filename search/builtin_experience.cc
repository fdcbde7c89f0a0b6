// What the program ships with of experience. Written by benchmarks/portfolio; not to be edited.
#include "search/experience.h"

namespace everlearn {

const Experience& Experience::BuiltIn() {
  static const Experience experience;
  return experience;
}

}  // namespace everlearn
