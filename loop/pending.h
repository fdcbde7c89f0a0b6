// Rows whose outcome may still come: their features and what every member predicted, until they are no longer needed.
//
// Rows have consecutive numbers. The young ones lie in a ring without allocation after warm-up; those whose window closed without an
// outcome move to a side store of bounded size. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/bytes.h"
#include "loop/event.h"

namespace everlearn {

struct PendingRow {
  uint64_t row = 0;
  int64_t time = kNoTime;
  uint64_t informed = 0;            // rows that had counted for tests when the prediction was made
  uint64_t settled = 0;             // rows before this number were known or given up then
  double no_change = 0;             // the outcome last known when the prediction was made; NaN where none was
  double truth = 0;                 // NaN until known
  double half_width = kNoInterval;  // of the interval that was announced; NaN: none
  double estimated_loss = kNoInterval, estimated_accuracy = kNoInterval;  // of the served answer (loss_estimate.h); NaN: none
  bool history = false;
  std::vector<uint32_t> members;    // the champion of that moment first
  std::vector<double> predictions;  // members × outputs
  std::vector<double> parties;      // what Blend::Predict gave for Learn; empty where it had no expert
  std::vector<double> features;

  bool known() const { return truth == truth; }
  // Prediction of a member, or null.
  const double* Of(uint32_t member, size_t outputs) const {
    for (size_t i = 0; i < members.size(); ++i)
      if (members[i] == member) return predictions.data() + i * outputs;
    return nullptr;
  }
};

class PendingRows {
 public:
  explicit PendingRows(uint64_t most_aside = 1'000'000) : most_aside_(most_aside) {}

  // A slot for the next row (number next_row()), its vectors still holding the memory of an earlier one.
  PendingRow& Push();
  uint64_t next_row() const { return end_; }

  // The row, in the ring or in the side store; null when it is gone.
  PendingRow* Find(uint64_t row);

  // The oldest row of the ring; all before it are known, aside, or gone.
  uint64_t first_row() const { return begin_; }
  // No outcome of a row before this one is waited for.
  uint64_t first_waiting() const { return aside_.empty() ? begin_ : aside_.begin()->first; }
  bool empty() const { return begin_ == end_; }
  size_t size() const { return end_ - begin_; }
  const PendingRow& Front() const { return ring_[begin_ & (ring_.size() - 1)]; }
  void PopFront();
  // Moves the oldest row to the side store (dropping the store's oldest beyond its bound).
  void SetFrontAside();
  void DropAside(uint64_t row);
  size_t aside() const { return aside_.size(); }
  // Rows whose outcome is not known; looks at each.
  size_t CountOpen() const;

  // Whether all rows are of this shape and their truths possible; for what was loaded.
  bool Fits(size_t members, size_t outputs, size_t features, const std::function<bool(double)>& is_outcome) const;
  // Rows that were given up because too many waited; an outcome of theirs is neither scored nor learnt from.
  uint64_t given_up() const { return given_up_; }

  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);

  // The same in pieces, while rows go on changing: SaveBounds() and BeginSave() at the moment that is to be saved; then SavePart() until it
  // returns false, each time for about so many bytes of the rows as they were at that moment.
  void SaveBounds(ByteWriter* out) const;
  void BeginSave();
  bool SavePart(size_t bytes, ByteWriter* out);
  // Back: the bounds, then all parts, then EndLoad(), which throws kDamaged where rows are missing.
  void LoadBounds(ByteReader* in);
  void LoadPart(ByteReader* in);
  void EndLoad();

 private:
  // A save that is under way. A row that changes or goes before its turn is saved just before that.
  struct Saving {
    explicit Saving(uint64_t end_row) : next(0), end(end_row) {}
    uint64_t next, end;        // rows in [next, end) are not yet saved,
    std::set<uint64_t> saved;  // but for these,
    ByteWriter rows;           // which are here
  };
  void Grow();
  void BeforeChange(const PendingRow& row);

  std::vector<PendingRow> ring_ = std::vector<PendingRow>(16);  // size is a power of two
  uint64_t most_aside_;
  uint64_t begin_ = 0, end_ = 0;
  uint64_t given_up_ = 0;
  std::map<uint64_t, PendingRow> aside_;
  std::optional<Saving> saving_;
};

}  // namespace everlearn
