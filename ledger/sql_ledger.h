// The ledger of one task inside a database. Events lie in segments of some hundred, so that a million a second can be appended.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "ledger/segments.h"
#include "ledger/sql_store.h"

namespace everlearn {

class SqlLedger : public Ledger {
 public:
  // `task` is its number in the store, which must outlive it.
  SqlLedger(SqlStore& store, int64_t task);

  void SetFact(const std::string& name, const std::string& value) override;
  std::optional<std::string> Fact(const std::string& name) const override;
  uint64_t Append(std::string_view event) override;
  uint64_t last_event() const override { return tail_.last_event(); }
  void AddNotice(const LedgerNotice& notice) override;
  void AddDecision(const LedgerDecision& decision) override;
  void PutModel(const std::string& hash, const std::string& name, std::string_view bytes) override;
  void PutCheckpoint(const LedgerCheckpoint& checkpoint) override;
  void PutRow(const LedgerRow& row) override;
  void EraseRow(uint64_t row) override;
  std::optional<LedgerRow> Row(uint64_t row) const override;
  std::vector<uint64_t> RowsOfKey(uint64_t key) const override;
  void PutOutcome(const LedgerOutcome& outcome) override;
  std::optional<LedgerOutcome> Outcome(uint64_t row) const override;
  LedgerOutcomes NewestOutcomes(uint64_t most) const override;
  void ReadRows(uint64_t first, const std::function<bool(const LedgerRow&, const double*)>& visit) const override;
  void PutNote(const std::string& name, int64_t time, std::string_view value) override;
  std::optional<std::string> Note(const std::string& name) const override;
  void ReadNotes(const std::string& first, const std::string& end,
                 const std::function<void(const std::string&, std::string_view)>& visit) const override;
  void DropNotes(const std::string& first, const std::string& end, int64_t before) override;
  std::string ChainHead() const override;
  void VerifyChain() const override;
  void Commit() override { store_.Commit(); }
  void ReadEvents(uint64_t first, uint64_t last, const std::function<bool(uint64_t, std::string_view)>& visit) const override;
  std::vector<LedgerNotice> Notices(uint64_t after, uint64_t most) const override;
  std::vector<LedgerDecision> Decisions() const override;
  std::optional<std::string> Model(const std::string& hash) const override;
  std::vector<LedgerCheckpoint> Checkpoints() const override;

  // For the store: the buffered events become a segment; what was written is durable; it was taken back; what is stored is asked anew.
  void WriteSegment();
  void Committed();
  void TakenBack() noexcept;
  void Reload();

 private:
  // A number of this task as the store has it, and back.
  int64_t Id(uint64_t number) const;
  uint64_t Number(int64_t id) const { return static_cast<uint64_t>(id - Id(0)); }
  // The bytes of one cell, where the query gives a row.
  std::optional<std::string> Cell(const char* sql, SqlValues values) const;
  // The rows whose number ($1 to $2) stands in their first column, in order, some ($3) at once.
  void ReadPages(const char* sql, int64_t first, int64_t last, int64_t rows_of_a_page, const SqlStore::Visit& visit) const;

  SqlStore& store_;
  int64_t task_;
  uint64_t committed_ = 0;
  uint64_t last_notice_ = 0, committed_notice_ = 0;
  std::string committed_chain_;
  SegmentTail tail_;
};

}  // namespace everlearn
