// Outcomes that a source has told before the task's clock has come to their time. They lie in the ledger's notes, committed with the row
// that brought them, so that no restart loses them.
//
// One thread.
#pragma once

#include <cstdint>
#include <queue>
#include <string>
#include <vector>

#include "ledger/ledger.h"

namespace everlearn {

struct DueOutcome {
  int64_t time = 0;  // microseconds since 1970
  uint64_t row = 0;
  double truth = 0;
};

class DueOutcomes {
 public:
  explicit DueOutcomes(Ledger& ledger) : ledger_(ledger) {}

  // As the ledger has them.
  void Load();
  size_t size() const { return waiting_.size(); }
  void Add(const DueOutcome& outcome);
  // Takes out the earliest one whose time has come (of equal times the row that came first); false where there is none.
  bool Take(int64_t now, DueOutcome* outcome);

 private:
  struct Later {
    bool operator()(const DueOutcome& a, const DueOutcome& b) const { return a.time != b.time ? a.time > b.time : a.row > b.row; }
  };
  Ledger& ledger_;
  std::priority_queue<DueOutcome, std::vector<DueOutcome>, Later> waiting_;
};

}  // namespace everlearn
