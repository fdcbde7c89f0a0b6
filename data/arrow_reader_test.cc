// Tests of tables out of the Arrow C data interface: arrays built by hand as the specification lays them out, DuckDB as producer, and
// structures that a stranger damaged.
#include "data/arrow_reader.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <functional>
#include <memory>

#include "base/error.h"
#include "base/timestamp.h"
#include "data/test_arrow.h"

namespace everlearn {
namespace {

constexpr int64_t kDay = kMicrosecondsPerDay;

// A record batch whose structures lie here, and that counts how often each is released.
struct Producer {
  struct Leaf {
    ArrowSchema schema{}, dictionary_schema{};
    ArrowArray array{}, dictionary{};
    std::vector<const void*> buffers, dictionary_buffers;
  };

  ArrowSchema schema{};
  ArrowArray array{};
  std::deque<Leaf> leaves;
  std::vector<ArrowSchema*> schemas;
  std::vector<ArrowArray*> arrays;
  std::vector<const void*> buffers{nullptr};
  int schemas_released = 0, arrays_released = 0;

  explicit Producer(int64_t rows) {
    schema.format = "+s";
    schema.name = "";
    array.length = rows;
    array.n_buffers = 1;
    Own(&schema, &schemas_released);
    Own(&array, &arrays_released);
  }

  template <typename Structure>
  static void Own(Structure* structure, int* released) {
    structure->private_data = released;
    structure->release = [](Structure* self) {
      ++*static_cast<int*>(self->private_data);
      self->release = nullptr;
    };
  }

  Leaf& Add(const char* name, const char* format, std::vector<const void*> of_buffers, int64_t nulls = 0, int64_t offset = 0) {
    Leaf& leaf = leaves.emplace_back();
    leaf.schema.name = name;
    leaf.schema.format = format;
    leaf.schema.release = [](ArrowSchema* self) { self->release = nullptr; };
    leaf.buffers = std::move(of_buffers);
    leaf.array.length = array.length;
    leaf.array.null_count = nulls;
    leaf.array.offset = offset;
    leaf.array.n_buffers = static_cast<int64_t>(leaf.buffers.size());
    leaf.array.buffers = leaf.buffers.data();
    leaf.array.release = [](ArrowArray* self) { self->release = nullptr; };
    return leaf;
  }

  static void AddDictionary(Leaf* leaf, const char* format, std::vector<const void*> of_buffers, int64_t length) {
    leaf->dictionary_buffers = std::move(of_buffers);
    leaf->dictionary_schema.format = format;
    leaf->dictionary_schema.release = [](ArrowSchema* self) { self->release = nullptr; };
    leaf->dictionary.length = length;
    leaf->dictionary.n_buffers = static_cast<int64_t>(leaf->dictionary_buffers.size());
    leaf->dictionary.buffers = leaf->dictionary_buffers.data();
    leaf->dictionary.release = [](ArrowArray* self) { self->release = nullptr; };
    leaf->schema.dictionary = &leaf->dictionary_schema;
    leaf->array.dictionary = &leaf->dictionary;
  }

  // As it is handed over.
  void Link() {
    for (Leaf& leaf : leaves) {
      schemas.push_back(&leaf.schema);
      arrays.push_back(&leaf.array);
    }
    schema.n_children = array.n_children = static_cast<int64_t>(leaves.size());
    schema.children = schemas.data();
    array.children = arrays.data();
    array.buffers = buffers.data();
  }

  std::unique_ptr<TableReader> Open() {
    Link();
    return OpenArrowReader(&schema, &array, "frame");
  }
  Table Read() {
    Table table;
    Open()->Next(SIZE_MAX, &table);
    return table;
  }
};

TEST(ArrowReader, ReadsEveryWidthOfInteger) {
  const int8_t c[] = {-128, 127, 5};
  const uint8_t C[] = {0, 255, 5};
  const int16_t s[] = {-32768, 32767, 5};
  const uint16_t S[] = {0, 65535, 5};
  const int32_t i[] = {INT32_MIN, INT32_MAX, 5};
  const uint32_t I[] = {0, UINT32_MAX, 5};
  const int64_t l[] = {-9007199254740992, 9007199254740992, 5};
  const uint64_t L[] = {0, 9007199254740992, 5};
  Producer producer(3);
  const uint8_t validity = 0b011;
  for (const auto& [format, values] :
       std::vector<std::pair<const char*, const void*>>{{"c", c}, {"C", C}, {"s", s}, {"S", S}, {"i", i}, {"I", I}, {"l", l}, {"L", L}})
    producer.Add(format, format, {&validity, values}, 1);
  const Table table = producer.Read();
  ASSERT_EQ(table.rows, 3u);
  const std::vector<Strings> expected = {{"-128", "127", "-"},
                                         {"0", "255", "-"},
                                         {"-32768", "32767", "-"},
                                         {"0", "65535", "-"},
                                         {"-2147483648", "2147483647", "-"},
                                         {"0", "4294967295", "-"},
                                         {"-9007199254740992", "9007199254740992", "-"},
                                         {"0", "9007199254740992", "-"}};
  for (size_t k = 0; k < expected.size(); ++k) {
    EXPECT_EQ(table.columns[k].type, ColumnType::kInteger);
    EXPECT_EQ(Texts(table.columns[k]), expected[k]);
  }
}

TEST(ArrowReader, MakesIntegersText_ThatDoublesLeaveOut) {
  const uint64_t values[] = {1, UINT64_MAX};
  Producer producer(2);
  producer.Add("id", "L", {nullptr, values});
  const Table table = producer.Read();
  EXPECT_EQ(table.columns[0].type, ColumnType::kText);
  EXPECT_EQ(Texts(table.columns[0]), (Strings{"1", "18446744073709551615"}));
}

TEST(ArrowReader, ReadsNumbersBooleansAndNulls) {
  const float f[] = {0.5F, NAN, 2};
  const double g[] = {0.1, -INFINITY, 3};
  const uint8_t bits = 0b101;
  const __int128 decimals[] = {1234, -5, 0};
  Producer producer(3);
  producer.Add("f", "f", {nullptr, f});
  producer.Add("g", "g", {nullptr, g});
  producer.Add("b", "b", {nullptr, &bits});
  producer.Add("n", "n", {}, 3);
  producer.Add("d", "d:10,2", {nullptr, decimals});
  const auto reader = producer.Open();
  EXPECT_EQ(reader->header().columns[3].type, ColumnType::kText);
  Table table;
  ASSERT_TRUE(reader->Next(SIZE_MAX, &table));
  EXPECT_EQ(Texts(table.columns[0]), (Strings{"0.5", "-", "2"}));
  EXPECT_EQ(Texts(table.columns[1]), (Strings{"0.1", "-", "3"}));
  EXPECT_EQ(Texts(table.columns[2]), (Strings{"true", "false", "true"}));
  EXPECT_EQ(Texts(table.columns[3]), (Strings{"-", "-", "-"}));
  EXPECT_EQ(Texts(table.columns[4]), (Strings{"12.34", "-0.05", "0"}));
  EXPECT_EQ(reader->warnings(), (Strings{"frame: column 'g' has infinite values, which count as missing"}));
  EXPECT_FALSE(reader->Next(SIZE_MAX, &table));
}

TEST(ArrowReader, ReadsTimesToTheMicrosecond) {
  const int32_t days[] = {-1, 19000};
  const int64_t milliseconds[] = {-1, kDay / 1000}, seconds[] = {-1, 1}, microseconds[] = {-1, INT64_MAX}, nanoseconds[] = {-1, 1999};
  Producer producer(2);
  producer.Add("days", "tdD", {nullptr, days});
  producer.Add("date64", "tdm", {nullptr, milliseconds});
  producer.Add("s", "tss:", {nullptr, seconds});
  producer.Add("ms", "tsm:Europe/Zurich", {nullptr, milliseconds});
  producer.Add("us", "tsu:UTC", {nullptr, microseconds});
  producer.Add("ns", "tsn:", {nullptr, nanoseconds});
  const Table table = producer.Read();
  const auto numbers = [&](size_t c) { return table.columns[c].numbers; };
  EXPECT_EQ(table.columns[3].type, ColumnType::kTimestamp);
  EXPECT_EQ(numbers(0), (std::vector<double>{-1.0 * kDay, 19000.0 * kDay}));
  EXPECT_EQ(numbers(1), (std::vector<double>{-1000, 1.0 * kDay}));
  EXPECT_EQ(numbers(2), (std::vector<double>{-1e6, 1e6}));
  EXPECT_EQ(numbers(3), numbers(1));
  EXPECT_EQ(Texts(table.columns[4]).back(), "-");  // infinite
  EXPECT_EQ(numbers(4)[0], -1);
  EXPECT_EQ(numbers(5), (std::vector<double>{-1, 1}));  // rounded down
}

TEST(ArrowReader, ReadsTextsOfThreeLayouts) {
  const std::string characters = "Zoëa";
  const int32_t small[] = {0, 4, 4, 5};
  const int64_t large[] = {0, 4, 4, 5};
  const std::string long_text = "longer than twelve characters";
  struct View {
    int32_t length;
    char prefix[4];
    int32_t buffer, begin;
  } views[3] = {{4, {'Z', 'o', '\xc3', '\xab'}, 0, 0}, {26, {'e', 'r', ' ', 't'}, 0, 3}, {0, {}, 0, 0}};
  const int64_t lengths[] = {static_cast<int64_t>(long_text.size())};
  const uint8_t validity = 0b101;
  Producer producer(3);
  producer.Add("u", "u", {nullptr, small, characters.data()});
  producer.Add("U", "U", {&validity, large, characters.data()}, -1);
  producer.Add("vu", "vu", {nullptr, views, long_text.data(), lengths});
  const Table table = producer.Read();
  EXPECT_EQ(Texts(table.columns[0]), (Strings{"Zoë", "", "a"}));
  EXPECT_EQ(Texts(table.columns[1]), (Strings{"Zoë", "-", "a"}));
  EXPECT_EQ(Texts(table.columns[2]), (Strings{"Zoë", "ger than twelve characters", ""}));
}

TEST(ArrowReader, ReadsDictionariesInOrderOfAppearance) {
  const int8_t codes[] = {2, 0, 2, 1, 0};
  const int32_t ends[] = {0, 1, 2, 3};
  const uint8_t known = 0b101;  // the dictionary's value 1 is null
  const uint16_t years[] = {0, 1, 0, 1, 0};
  const int64_t values[] = {2020, 2021};
  Producer producer(5);
  Producer::AddDictionary(&producer.Add("c", "c", {nullptr, codes}), "u", {&known, ends, "abc"}, 3);
  Producer::AddDictionary(&producer.Add("y", "S", {nullptr, years}), "l", {nullptr, values}, 2);
  const Table table = producer.Read();
  EXPECT_EQ(table.columns[0].type, ColumnType::kCategory);
  EXPECT_EQ(table.columns[0].dictionary, (Strings{"c", "a"}));
  EXPECT_EQ(Texts(table.columns[0]), (Strings{"c", "a", "c", "-", "a"}));
  EXPECT_EQ(Texts(table.columns[1]), (Strings{"2020", "2021", "2020", "2021", "2020"}));
}

TEST(ArrowReader, HonoursOffsetsOfColumnsAndOfTheBatch) {
  const int32_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const int32_t ends[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const uint8_t validity[] = {0b11111111, 0b101}, batch_validity = 0b11011;  // number 9, and the batch's value 2
  Producer producer(6);
  producer.Add("n", "i", {validity, numbers}, 1, 5);
  producer.Add("t", "u", {nullptr, ends, "abcdefghijkl"}, 0, 6);
  producer.Add("b", "b", {nullptr, validity}, 0, 6);
  producer.array.length = 4;
  producer.array.offset = 1;
  producer.array.null_count = 1;
  producer.buffers[0] = &batch_validity;
  const auto reader = producer.Open();
  Table table;
  Strings n, t, b;
  while (reader->Next(3, &table)) {
    EXPECT_LE(table.rows, 3u);
    for (const std::string& text : Texts(table.columns[0])) n.push_back(text);
    for (const std::string& text : Texts(table.columns[1])) t.push_back(text);
    for (const std::string& text : Texts(table.columns[2])) b.push_back(text);
  }
  EXPECT_EQ(n, (Strings{"6", "-", "8", "-"}));
  EXPECT_EQ(t, (Strings{"h", "-", "j", "k"}));
  EXPECT_EQ(b, (Strings{"true", "-", "false", "true"}));
}

TEST(ArrowReader, ReleasesOnceAlsoWhenItThrows) {
  const int32_t values[] = {1, 2};
  for (const char* format : {"i", "+l"}) {
    Producer producer(2);
    producer.Add("a", format, {nullptr, values});
    try {
      Table table;
      producer.Open()->Next(SIZE_MAX, &table);
      EXPECT_EQ(std::string(format), "i");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_EQ(error.message(), "frame: column 'a' is of Arrow type '+l', which is not read");
    }
    EXPECT_EQ(producer.schema.release, nullptr);  // moved away
    EXPECT_EQ(producer.array.release, nullptr);
    EXPECT_EQ(producer.schemas_released, 1);
    EXPECT_EQ(producer.arrays_released, 1);
    EXPECT_THROW(OpenArrowReader(&producer.schema, &producer.array, "frame"), Error);  // empty by now
    EXPECT_EQ(producer.arrays_released, 1);
  }
}

TEST(ArrowReader, RefusesWhatContradictsItself) {
  using Damage = std::function<void(Producer*)>;
  const auto leaf = [](Producer* producer, size_t c) -> ArrowArray& { return producer->leaves[c].array; };
  static const int32_t kBackwards[] = {0, 3, 1}, kBelow[] = {-1, 0, 1};
  const std::vector<std::pair<const char*, Damage>> damages = {
      {"length", [&](Producer* p) { leaf(p, 0).length = -1; }},
      {"batch length", [](Producer* p) { p->array.length = -2; }},
      {"huge length", [&](Producer* p) { leaf(p, 0).length = INT64_MAX; }},
      {"offset", [&](Producer* p) { leaf(p, 0).offset = -1; }},
      {"huge offset", [](Producer* p) { p->array.offset = INT64_MAX; }},
      {"short column", [&](Producer* p) { leaf(p, 0).length = 1; }},
      {"nulls", [&](Producer* p) { leaf(p, 0).null_count = 3; }},
      {"nulls without bitmap", [&](Producer* p) { leaf(p, 0).null_count = 1; }},
      {"no values", [](Producer* p) { p->leaves[0].buffers[1] = nullptr; }},
      {"no offsets", [](Producer* p) { p->leaves[1].buffers[1] = nullptr; }},
      {"no characters", [](Producer* p) { p->leaves[1].buffers[2] = nullptr; }},
      {"offsets backwards", [](Producer* p) { p->leaves[1].buffers[1] = kBackwards; }},
      {"offsets below", [](Producer* p) { p->leaves[1].buffers[1] = kBelow; }},
      {"no UTF-8", [](Producer* p) { p->leaves[1].buffers[2] = "\xff\xff"; }},
      {"buffers", [&](Producer* p) { leaf(p, 0).n_buffers = 1; }},
      {"negative buffers", [&](Producer* p) { leaf(p, 0).n_buffers = -1; }},
      {"null buffers", [&](Producer* p) { leaf(p, 0).buffers = nullptr; }},
      {"grandchildren", [&](Producer* p) { leaf(p, 0).n_children = 1; }},
      {"moved column", [&](Producer* p) { leaf(p, 0).release = nullptr; }},
      {"missing column", [](Producer* p) { p->arrays[0] = nullptr; }},
      {"columns of the array", [](Producer* p) { p->array.n_children = 2; }},
      {"null columns", [](Producer* p) { p->array.children = nullptr; }},
      {"absurd columns", [](Producer* p) { p->schema.n_children = p->array.n_children = INT64_MAX; }},
      {"negative columns", [](Producer* p) { p->schema.n_children = p->array.n_children = -1; }},
      {"no columns", [](Producer* p) { p->schema.n_children = p->array.n_children = 0; }},
      {"null column schemas", [](Producer* p) { p->schema.children = nullptr; }},
      {"missing column schema", [](Producer* p) { p->schemas[1] = nullptr; }},
      {"no format", [](Producer* p) { p->leaves[0].schema.format = nullptr; }},
      {"strange format", [](Producer* p) { p->leaves[0].schema.format = "tsx:"; }},
      {"no table", [](Producer* p) { p->schema.format = "i"; }},
      {"code", [](Producer* p) { p->leaves[2].dictionary.length = 1; }},
      {"negative code",
       [](Producer* p) {
         static const int32_t kCodes[] = {0, -1};
         p->leaves[2].buffers[1] = kCodes;
       }},
      {"no dictionary", [&](Producer* p) { leaf(p, 2).dictionary = nullptr; }},
      {"unexpected dictionary", [&](Producer* p) { leaf(p, 0).dictionary = &p->leaves[2].dictionary; }},
      {"codes are no integers", [](Producer* p) { p->leaves[2].schema.format = "f"; }},
      {"dictionary of lists", [](Producer* p) { p->leaves[2].dictionary_schema.format = "+l"; }},
      {"dictionary of a dictionary", [](Producer* p) { p->leaves[2].dictionary_schema.dictionary = &p->leaves[0].schema; }},
      {"view's buffer", [](Producer* p) { static_cast<int32_t*>(const_cast<void*>(p->leaves[3].buffers[1]))[2] = 1; }},
      {"view's begin", [](Producer* p) { static_cast<int32_t*>(const_cast<void*>(p->leaves[3].buffers[1]))[3] = 1; }},
      {"view's length", [](Producer* p) { static_cast<int32_t*>(const_cast<void*>(p->leaves[3].buffers[1]))[0] = -5; }},
  };
  const int32_t values[] = {1, 0}, ends[] = {0, 1, 2};
  for (size_t at = 0; at <= damages.size(); ++at) {
    int32_t views[8] = {13, 0, 0, 0, 0, 0, 0, 0};
    const int64_t lengths[] = {13};
    Producer producer(2);
    producer.Add("number", "i", {nullptr, values});
    producer.Add("text", "u", {nullptr, ends, "ab"});
    Producer::AddDictionary(&producer.Add("category", "i", {nullptr, values}), "u", {nullptr, ends, "ab"}, 2);
    producer.Add("view", "vu", {nullptr, views, "thirteen long", lengths});
    producer.Link();
    if (at < damages.size()) damages[at].second(&producer);
    Table table;
    const auto read = [&] { OpenArrowReader(&producer.schema, &producer.array, "frame")->Next(SIZE_MAX, &table); };
    if (at == damages.size()) {  // sound as it is
      EXPECT_NO_THROW(read());
      EXPECT_EQ(Texts(table.columns[3]), (Strings{"thirteen long", ""}));
    } else {
      try {
        read();
        ADD_FAILURE() << damages[at].first;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kInput) << damages[at].first;
        EXPECT_TRUE(error.message().starts_with("frame")) << error.message();
      }
    }
    EXPECT_EQ(producer.schemas_released, 1) << at;
    EXPECT_EQ(producer.arrays_released, 1) << at;
  }
}

TEST(ArrowReader, ReadsFromDuckDbWhatTheTableReaderReads) {
  DuckArrow duck(kQuery);
  const Table table = ReadStream(duck.stream());
  EXPECT_EQ(duck.released, 1);
  ExpectSame(table, ReadTable(kQuery, {}));
}

TEST(ArrowReader, ReportsWhatTheProducerReports) {
  DuckArrow duck("");
  try {
    ReadStream(duck.stream());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "frame: the source broke");
  }
  EXPECT_EQ(duck.released, 1);
}

TEST(ArrowReader, RefusesNestedColumnsByName) {
  DuckArrow duck("SELECT 1 AS fine, [1, 2] AS list");
  try {
    ReadStream(duck.stream());
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(error.message().starts_with("frame: column 'list' is of Arrow type")) << error.message();
  }
  EXPECT_EQ(duck.released, 1);
}

}  // namespace
}  // namespace everlearn
