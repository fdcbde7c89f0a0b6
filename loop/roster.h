// The models of a task that are alive, and those that were: members, their lineages, the champion.
//
// Plain data, changed only by Step. Numbers of members and lineages begin with 1 and are never used again; 0 is none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "evaluation/running_score.h"
#include "learner/learner.h"
#include "loop/loss_alarm.h"
#include "model/model.h"
#include "statistics/block_mean.h"

namespace everlearn {

enum class MemberKind : uint8_t { kOnline, kBatch, kBlend };

// A configuration together with all its later updates and refits; what a promotion test is about.
struct Lineage {
  uint32_t id = 0;
  MemberKind kind = MemberKind::kOnline;
  std::string learner;     // "blend" for the blend
  std::string parameters;  // JSON
  bool eligible = true;    // may serve, and is an expert of the blend
  bool sees_lags = true;   // online: its rows have the lag features
  bool baseline = false;   // a safe one: the champion must not be worse
  uint32_t newest = 0;     // its latest member
  uint32_t refits = 0;
  uint64_t paid_off = 0;  // outcomes at which its last training has cost no more than LoopOptions::row_units allow
};

// Of a member: rows in [from, wakes) are nothing to it.
struct Rest {
  uint64_t from, wakes;
};

struct Member {
  uint32_t id = 0;
  uint32_t lineage = 0;
  std::string name;
  bool alive = true;                   // predicts
  uint32_t version = 1;                // of a batch member; changes with each refit that replaces its model
  std::shared_ptr<const Model> model;  // batch; null while events are only recomputed
  std::string model_hash;
  std::unique_ptr<OnlineModel> online;  // online; null while events are only recomputed
  uint64_t since_row = 0;
  // An online member that costs more than it gives rests (loop/router.h). The oldest first; of those that are over, what a row that still
  // waits for its outcome may lie in.
  std::vector<Rest> resting;
  uint32_t rests = 0;  // since it last paid
  RunningScore score;
  BlockMeanSequence loss;                        // of its row loss
  LossAlarm alarm{4 * LossAlarm::kBlocksApart};  // of an expert that learns online
  double cpu_seconds = 0;                        // sampled; not part of what is deterministic

  bool Takes(uint64_t row) const {
    for (auto rest = resting.rbegin(); rest != resting.rend(); ++rest) {
      if (row >= rest->wakes) return true;
      if (row >= rest->from) return false;
    }
    return true;
  }
};

struct Roster {
  std::vector<Lineage> lineages;
  std::vector<Member> members;
  uint32_t champion = 0;
  uint32_t former = 0;   // the champion before, kept in shadow for a roll back
  uint32_t day_one = 0;  // the first model, kept in shadow for ever; 0 where the task began without history

  Member& Get(uint32_t id) { return members[id - 1]; }
  const Member& Get(uint32_t id) const { return members[id - 1]; }
  Lineage& LineageOf(uint32_t member) { return lineages[Get(member).lineage - 1]; }
  const Lineage& LineageOf(uint32_t member) const { return lineages[Get(member).lineage - 1]; }
};

}  // namespace everlearn
