// Tests of tables handed out as Arrow streams: read back by our reader, and by DuckDB.
#include "data/arrow_export.h"

#include "data/test_arrow.h"

namespace everlearn {
namespace {

TEST(ArrowExport, ComesBackEqual) {
  const Table table = ReadTable(kQuery, {});
  for (const size_t rows : {size_t{1} << 20, size_t{777}}) {
    ArrowArrayStream stream;
    ExportArrow(table, &stream, rows);
    ExpectSame(ReadStream(stream), table);
  }
  ArrowArrayStream stream;
  ExportArrow({.rows = 0, .columns = {Column{.name = "a"}}}, &stream);
  const Table none = ReadStream(stream);
  EXPECT_EQ(none.rows, 0u);
  EXPECT_EQ(none.Names(), Strings{"a"});
}

TEST(ArrowExport, LivesOnWhenMovedOutAndWithoutTheStream) {
  ArrowArrayStream stream;
  ExportArrow(ReadTable(kQuery, {}), &stream);
  ArrowSchema schema;
  ArrowArray array, end;
  ASSERT_EQ(stream.get_schema(&stream, &schema), 0);
  ASSERT_EQ(stream.get_next(&stream, &array), 0);
  ASSERT_EQ(stream.get_next(&stream, &end), 0);
  EXPECT_EQ(end.release, nullptr);
  EXPECT_EQ(stream.get_last_error(&stream), nullptr);
  stream.release(&stream);
  EXPECT_EQ(stream.release, nullptr);

  ArrowArray words = *array.children[4];  // moved
  array.children[4]->release = nullptr;
  array.release(&array);
  EXPECT_EQ(array.release, nullptr);
  EXPECT_EQ(words.length, 5000);
  EXPECT_EQ(words.null_count, 1000);
  const auto* const ends = static_cast<const int64_t*>(words.buffers[1]);
  EXPECT_EQ(std::string(static_cast<const char*>(words.buffers[2]) + ends[1], static_cast<size_t>(ends[2] - ends[1])), "text é 1");
  words.release(&words);
  schema.release(&schema);
}

TEST(ArrowExport, IsReadByDuckDb) {
  const Table table = ReadTable(kQuery, {});
  ArrowArrayStream stream;
  ExportArrow(table, &stream, 2000);  // at most what a chunk of DuckDB holds
  ArrowSchema schema;
  ASSERT_EQ(stream.get_schema(&stream, &schema), 0);
  const DuckDatabase database;
  duckdb_arrow_converted_schema converted = nullptr;
  ASSERT_EQ(duckdb_schema_from_arrow(database.connection(), &schema, &converted), nullptr);
  size_t row = 0;
  while (true) {
    ArrowArray array;
    ASSERT_EQ(stream.get_next(&stream, &array), 0);
    if (array.release == nullptr) break;
    duckdb_data_chunk chunk = nullptr;
    ASSERT_EQ(duckdb_data_chunk_from_arrow(database.connection(), &array, converted, &chunk), nullptr);
    const auto size = duckdb_data_chunk_get_size(chunk);
    const auto valid = [&](idx_t c, idx_t i) {
      uint64_t* const validity = duckdb_vector_get_validity(duckdb_data_chunk_get_vector(chunk, c));
      return validity == nullptr || duckdb_validity_row_is_valid(validity, i);
    };
    const auto data = [&](idx_t c) { return duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, c)); };
    for (idx_t i = 0; i < size; ++i, ++row) {
      EXPECT_EQ(static_cast<int64_t*>(data(0))[i], static_cast<int64_t>(row));
      EXPECT_EQ(static_cast<double*>(data(2))[i], static_cast<double>(row) / 8);
      EXPECT_EQ(valid(3, i), row % 7 > 0);
      if (row % 7 > 0) {
        EXPECT_EQ(static_cast<bool*>(data(3))[i], row % 2 == 0);
      }
      EXPECT_EQ(valid(4, i), row % 5 > 0);
      duckdb_string_t text = static_cast<duckdb_string_t*>(data(4))[i];
      if (row % 5 > 0) {
        EXPECT_EQ(std::string(duckdb_string_t_data(&text), duckdb_string_t_length(text)), "text é " + std::to_string(row));
      }
      EXPECT_EQ(static_cast<int64_t*>(data(7))[i], static_cast<int64_t>(row) * 1'000'000 - 500'000);
    }
    duckdb_destroy_data_chunk(&chunk);
    if (array.release != nullptr) array.release(&array);
  }
  EXPECT_EQ(row, 5000u);
  duckdb_destroy_arrow_converted_schema(&converted);
  schema.release(&schema);
  stream.release(&stream);
}

}  // namespace
}  // namespace everlearn
