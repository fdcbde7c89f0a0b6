#include "learners/stream_target.h"

#include <algorithm>
#include <cmath>

namespace everlearn {

void StreamTarget::Predict(double* out) const {
  if (classes_ > 0) {
    ApplyLink(link(), out, classes_, 1.0, out);
  } else if (!held_.empty()) {
    out[0] = std::clamp(held_.mean() + held_.deviation() * out[0], low_, high_);
  }
}

void StreamTarget::Slopes(double target, double* scores) {
  if (classes_ == 0) {
    const double held = held_.Learn(target);
    low_ = held_.was_absurd() ? held_.newest().low : std::min(low_, held);
    high_ = held_.was_absurd() ? held_.newest().high : std::max(high_, held);
    const double standardised = (held - held_.mean()) / held_.deviation();
    scores[0] -= std::clamp(standardised, -kOutlierDeviations, kOutlierDeviations);
  } else if (classes_ == 2) {
    scores[0] = 1 / (1 + std::exp(-scores[0])) - target;
  } else {
    ApplyLink(Link::kSoftmax, scores, classes_, 1.0, scores);
    scores[static_cast<size_t>(target)] -= 1;
  }
}

void StreamTarget::Complete(HashedLinearParameters* model) const {
  model->outputs = std::max<size_t>(classes_, 1);
  model->link = link();
  if (classes_ > 0) return;
  for (double& weight : model->weights) weight *= held_.deviation();
  for (double& bias : model->bias) bias = held_.mean() + held_.deviation() * bias;
}

void StreamTarget::Save(ByteWriter* out) const {
  held_.Save(out);
  out->Put(low_);
  out->Put(high_);
}

void StreamTarget::Load(ByteReader* in) {
  held_.Load(in);
  low_ = in->Get<double>();
  high_ = in->Get<double>();
  if (!held_.empty() && !(low_ <= high_ && std::isfinite(low_) && std::isfinite(high_)))
    throw Error(ErrorKind::kDamaged, "a stored state of an online learner has a wrong target");
}

}  // namespace everlearn
