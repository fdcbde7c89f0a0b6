#include "learners/stream_target.h"

#include <algorithm>
#include <cmath>

namespace everlearn {

void StreamTarget::Predict(double* out) const {
  if (classes_ > 0) {
    ApplyLink(link(), out, classes_, 1.0, out);
  } else if (moments_.count > 0) {
    out[0] = std::clamp(moments_.mean + moments_.deviation * out[0], low_, high_);
  }
}

void StreamTarget::Slopes(double target, double* scores) {
  if (classes_ == 0) {
    low_ = std::min(low_, target);
    high_ = std::max(high_, target);
    moments_.Add(target);
    if (early_.Add({&moments_.count, &moments_.mean, &moments_.squares, &moments_.deviation}, &target)) {
      low_ = early_.newest(0).low;
      high_ = early_.newest(0).high;
    }
    const double standardised = (target - moments_.mean) / moments_.deviation;
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
  for (double& weight : model->weights) weight *= moments_.deviation;
  for (double& bias : model->bias) bias = moments_.mean + moments_.deviation * bias;
}

void StreamTarget::Save(ByteWriter* out) const {
  out->Put(moments_);
  out->Put(low_);
  out->Put(high_);
  early_.Save(out);
}

void StreamTarget::Load(ByteReader* in) {
  moments_ = in->Get<RunningMoments>();
  low_ = in->Get<double>();
  high_ = in->Get<double>();
  early_.Load(in);
  if (!std::isfinite(moments_.mean) || !std::isfinite(moments_.squares) || !(moments_.deviation > 0) || !(moments_.count >= 0) ||
      (moments_.count > 0 && !(low_ <= high_)))
    throw Error(ErrorKind::kDamaged, "a stored state of an online learner has a wrong target");
}

}  // namespace everlearn
