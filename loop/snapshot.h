// What answers requests: an immutable picture of the champion, and, where that is the blend, of its experts and weights.
//
// Immutable, so any thread may use it; a newer one takes its place (design.md, contract 8).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "loop/blend.h"
#include "loop/state.h"
#include "loop/task_frame.h"
#include "model/row_encoder.h"

namespace everlearn {

class Snapshot {
 public:
  // Null where the state has no champion yet. The frame is copied, but for the copy that `before` (an earlier snapshot of the same task, or
  // null) already has where no dictionary has grown since.
  static std::shared_ptr<const Snapshot> Of(const LoopState& state, const TaskFrame& frame, const Snapshot* before = nullptr);

  const TaskFrame& frame() const { return reading_->frame; }
  const RowEncoder& encoder() const { return reading_->encoder; }
  uint64_t learnt() const { return learnt_; }  // the last event whose outcome its models know
  const std::string& champion() const { return champion_name_; }
  uint32_t version() const { return version_; }      // of the champion
  double half_width() const { return half_width_; }  // of the interval around an answer; NaN: none
  bool learns() const { return learns_; }            // a member of it learns at every outcome

  // Who answered (the champion first) and what they said: members × outputs.
  void Predict(const double* features, std::vector<uint32_t>* members, std::vector<double>* predictions) const;

 private:
  struct Speaker {
    uint32_t member;
    std::shared_ptr<const Model> model;
  };
  // How rows are read.
  struct Reading {
    explicit Reading(const TaskFrame& its_frame) : frame(its_frame), encoder(frame.schema, frame.task, frame.space) {}
    bool Fits(const TaskFrame& newer) const;
    TaskFrame frame;
    RowEncoder encoder;
  };
  Snapshot(const LoopState& state, std::shared_ptr<const Reading> reading);

  std::shared_ptr<const Reading> reading_;
  uint64_t learnt_;
  uint32_t champion_, version_;
  std::string champion_name_;
  double half_width_;
  std::vector<double> usual_;  // what the blend says where no expert has anything to say
  bool learns_ = false, blends_ = false;
  Blend blend_;
  std::vector<double> lags_;  // of the row after the newest that this knows
  std::vector<Speaker> speakers_;
  size_t outputs_;
};

}  // namespace everlearn
