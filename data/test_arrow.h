// For tests of the Arrow C data interface: DuckDB as a producer, and tables compared.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "data/arrow_reader.h"
#include "data/duck.h"

namespace everlearn {

using Strings = std::vector<std::string>;

inline Strings Texts(const Column& column) {
  Strings texts;
  for (size_t i = 0; i < column.size(); ++i) texts.push_back(column.missing(i) ? "-" : column.TextAt(i));
  return texts;
}

// DuckDB's answer to a query, as an Arrow stream made of DuckDB's own structures.
class DuckArrow {
 public:
  explicit DuckArrow(const std::string& sql) : fail_(sql.empty()) {
    EXPECT_EQ(duckdb_query(database_.connection(), fail_ ? "SELECT 1 AS one" : sql.c_str(), &result_), DuckDBSuccess)
        << duckdb_result_error(&result_);
    options_ = duckdb_result_get_arrow_options(&result_);
  }
  ~DuckArrow() {
    duckdb_destroy_arrow_options(&options_);
    duckdb_destroy_result(&result_);
  }

  ArrowArrayStream stream() {
    return {GetSchema, GetNext, [](ArrowArrayStream*) { return "the source broke"; },
            [](ArrowArrayStream* self) {
              ++static_cast<DuckArrow*>(self->private_data)->released;
              self->release = nullptr;
            },
            this};
  }
  int released = 0;

 private:
  static int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) {
    auto* const self = static_cast<DuckArrow*>(stream->private_data);
    std::vector<duckdb_logical_type> types;
    std::vector<const char*> names;
    for (idx_t c = 0; c < duckdb_column_count(&self->result_); ++c) {
      types.push_back(duckdb_column_logical_type(&self->result_, c));
      names.push_back(duckdb_column_name(&self->result_, c));
    }
    EXPECT_EQ(duckdb_to_arrow_schema(self->options_, types.data(), names.data(), names.size(), out), nullptr);
    for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
    return 0;
  }
  static int GetNext(ArrowArrayStream* stream, ArrowArray* out) {
    auto* const self = static_cast<DuckArrow*>(stream->private_data);
    if (self->fail_) return EIO;
    duckdb_data_chunk chunk = duckdb_fetch_chunk(self->result_);
    *out = {};
    if (chunk == nullptr) return 0;
    EXPECT_EQ(duckdb_data_chunk_to_arrow(self->options_, chunk, out), nullptr);
    duckdb_destroy_data_chunk(&chunk);
    return 0;
  }

  DuckDatabase database_;
  bool fail_;
  duckdb_result result_{};
  duckdb_arrow_options options_ = nullptr;
};

// Every type that a table has, with missing values, over several chunks of DuckDB.
inline const char* const kQuery =
    "SELECT i::INTEGER AS number, (i * 3)::BIGINT AS \"big\", i / 8.0::DOUBLE AS real, CASE WHEN i % 7 > 0 THEN i % 2 = 0 END AS flag, "
    "CASE WHEN i % 5 > 0 THEN 'text é ' || i END AS words, "
    "CASE WHEN i % 4 > 0 THEN (CASE i % 3 WHEN 0 THEN 'red' WHEN 1 THEN 'green' ELSE 'blue' END)::ENUM('green', 'blue', 'red') END AS "
    "colour, "
    "DATE '2020-01-01' + i::INTEGER AS day, TIMESTAMP '1969-12-31 23:59:59.5' + INTERVAL (i) SECOND AS moment, "
    "TIMESTAMPTZ '2020-01-01 00:00:00+00' AS zoned, (i / 4)::DECIMAL(12, 2) AS price, NULL AS nothing "
    "FROM range(5000) AS source(i)";

inline void ExpectSame(const Table& actual, const Table& expected) {
  ASSERT_EQ(actual.rows, expected.rows);
  ASSERT_EQ(actual.Names(), expected.Names());
  for (size_t c = 0; c < expected.columns.size(); ++c) {
    EXPECT_EQ(actual.columns[c].type, expected.columns[c].type) << expected.columns[c].name;
    EXPECT_EQ(actual.columns[c].dictionary, expected.columns[c].dictionary) << expected.columns[c].name;
    EXPECT_TRUE(Texts(actual.columns[c]) == Texts(expected.columns[c])) << expected.columns[c].name;
  }
}

inline Table ReadStream(ArrowArrayStream stream) {
  Table table;
  OpenArrowReader(&stream, "frame")->Next(SIZE_MAX, &table);
  EXPECT_EQ(stream.release, nullptr);
  return table;
}

}  // namespace everlearn
