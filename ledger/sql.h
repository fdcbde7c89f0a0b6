// Parameters and rows of SQL statements, as the ledger gives and takes them of any database.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace everlearn {

// One parameter. Texts and blobs must live until the statement has been run.
struct SqlValue {
  enum class Kind { kNull, kInteger, kNumber, kText, kBlob };

  template <std::integral T>
  SqlValue(T value) : kind(Kind::kInteger), integer(static_cast<int64_t>(value)) {}
  SqlValue(double value) : kind(Kind::kNumber), number(value) {}
  SqlValue(std::string_view text) : kind(Kind::kText), bytes(text) {}
  static SqlValue Null() { return SqlValue(Kind::kNull, {}); }
  static SqlValue Blob(std::string_view bytes) { return SqlValue(Kind::kBlob, bytes); }

  Kind kind;
  int64_t integer = 0;
  double number = 0;
  std::string_view bytes = {};

 private:
  SqlValue(Kind its_kind, std::string_view its_bytes) : kind(its_kind), bytes(its_bytes) {}
};
using SqlValues = std::initializer_list<SqlValue>;

// A row that a query gave. Columns count from 0; what is null reads as 0 or empty.
class SqlRow {
 public:
  virtual ~SqlRow() = default;
  virtual int64_t Integer(int column) const = 0;
  virtual double Number(int column) const = 0;
  virtual bool is_null(int column) const = 0;
  virtual std::string_view Bytes(int column) const = 0;  // of texts and blobs; valid while the row is visited
};

}  // namespace everlearn
