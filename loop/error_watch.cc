#include "loop/error_watch.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace everlearn {

ErrorWatch::ErrorWatch(const std::vector<std::string>& names, size_t classes) : classes_(classes) {
  for (const std::string& name : names) {
    if (std::count(names.begin(), names.end(), name) > 1) throw Error(ErrorKind::kUsage, "the drift detector " + name + " is named twice");
    const DetectorInfo& info = Detectors().Get(name);
    if (info.errors_only && classes == 0)
      throw Error(ErrorKind::kUsage, "the drift detector " + name + " watches right and wrong classes, not errors of values",
                  "leave it out of --detectors");
    watchers_.push_back({name, info.make()});
  }
}

std::vector<std::string> ErrorWatch::Add(const double* prediction, double truth) {
  double error = 0;
  if (classes_ > 0) {
    const auto said = std::max_element(prediction, prediction + classes_) - prediction;
    error = static_cast<double>(said) == truth ? 0 : 1;
  } else {
    const double distance = std::abs(prediction[0] - truth);
    if (!std::isfinite(distance)) return {};
    if (rows_ < kRowsOfScale) mean_ += (distance - mean_) / ++rows_;
    error = distance > 0 ? distance / (distance + mean_) : 0;
  }
  std::vector<std::string> alarmed;
  for (Watcher& watcher : watchers_)
    if (watcher.detector->Add(error)) alarmed.push_back(watcher.name);
  return alarmed;
}

void ErrorWatch::Save(ByteWriter* out) const {
  out->Put(rows_);
  out->Put(mean_);
  for (const Watcher& watcher : watchers_) watcher.detector->Save(out);
}

void ErrorWatch::Load(ByteReader* in) {
  rows_ = in->Get<double>();
  mean_ = in->Get<double>();
  if (!(rows_ >= 0 && rows_ <= kRowsOfScale && mean_ >= 0)) throw Error(ErrorKind::kDamaged, "the stored watch over errors is wrong");
  for (Watcher& watcher : watchers_) watcher.detector->Load(in);
}

}  // namespace everlearn
