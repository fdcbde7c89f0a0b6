#include "loop/snapshot.h"

#include <algorithm>

namespace everlearn {

// Dictionaries only grow, and nothing else of a frame changes.
bool Snapshot::Reading::Fits(const TaskFrame& newer) const {
  return std::equal(frame.space.features().begin(), frame.space.features().end(), newer.space.features().begin(),
                    newer.space.features().end(),
                    [](const Feature& a, const Feature& b) { return a.dictionary.size() == b.dictionary.size(); });
}

std::shared_ptr<const Snapshot> Snapshot::Of(const LoopState& state, const TaskFrame& frame, const Snapshot* before) {
  if (state.roster.champion == 0) return nullptr;
  auto reading = before != nullptr && before->reading_->Fits(frame) ? before->reading_ : std::make_shared<const Reading>(frame);
  return std::shared_ptr<const Snapshot>(new Snapshot(state, std::move(reading)));
}

Snapshot::Snapshot(const LoopState& state, std::shared_ptr<const Reading> reading)
    : reading_(std::move(reading)),
      learnt_(state.events),
      champion_(state.roster.champion),
      version_(state.roster.Get(state.roster.champion).version),
      champion_name_(state.roster.Get(state.roster.champion).name),
      half_width_(state.interval.Get()),
      usual_(state.options.outputs()),
      blend_(state.blend),
      lags_(state.options.lag_features),
      outputs_(state.options.outputs()) {
  if (!lags_.empty()) state.lags.Fill(state.pending.next_row(), lags_.data());
  state.served.Usual(usual_.data());
  const auto add = [&](const Member& member) {
    learns_ = learns_ || member.online != nullptr;
    speakers_.push_back({member.id, member.online != nullptr ? member.online->Snapshot() : member.model});
  };
  blends_ = state.roster.LineageOf(champion_).kind == MemberKind::kBlend;
  if (!blends_) {
    add(state.roster.Get(champion_));
    return;
  }
  for (const Blend::Expert& expert : blend_.experts())
    if (const Member& member = state.roster.Get(expert.member); member.Takes(state.pending.next_row())) add(member);
}

void Snapshot::Predict(const double* features, std::vector<uint32_t>* members, std::vector<double>* predictions) const {
  members->clear();
  std::vector<double> with_lags;
  if (!lags_.empty()) {
    const size_t own = reading_->frame.space.size() - lags_.size();
    with_lags.assign(features, features + own);
    with_lags.insert(with_lags.end(), lags_.begin(), lags_.end());
    features = with_lags.data();
  }
  const size_t first = blends_ ? 1 : 0;
  predictions->assign((speakers_.size() + first) * outputs_, 0.0);
  if (blends_) members->push_back(champion_);
  for (size_t i = 0; i < speakers_.size(); ++i) {
    double* out = predictions->data() + (first + i) * outputs_;
    speakers_[i].model->PredictRow(features, out);
    if (reading_->frame.task.is_classification() && outputs_ == 2) out[0] = 1.0 - out[1];  // as it is stored
    members->push_back(speakers_[i].member);
  }
  if (blends_ && !blend_.Predict(*members, *predictions, predictions->data()))
    std::copy(usual_.begin(), usual_.end(), predictions->begin());
}

}  // namespace everlearn
