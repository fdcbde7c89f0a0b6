// Fuzz entry: no text of a growing CSV file may crash its splitter, and what comes in two pieces gives the rows of the whole.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/csv_records.h"

namespace {

using namespace everlearn;

std::vector<std::string> Cells(const Table& table) {
  std::vector<std::string> cells;
  for (const Column& column : table.columns)
    for (size_t row = 0; row < table.rows; ++row) cells.push_back(column.missing(row) ? "(missing)" : column.TextAt(row));
  return cells;
}

// The rest is given again from where the first piece was taken to, as a file is read on.
std::vector<std::string> InTwoPieces(std::string_view text, size_t first, size_t most) {
  CsvRecords records(ParseCsvHeader("a,b", ',', "input"), 1);
  Table table = records.Header();
  CsvFaults faults;
  const size_t taken = records.Take(text.substr(0, first), most, false, &table, &faults);
  if (taken > first) std::abort();
  for (size_t at = taken; at < text.size();) {
    const size_t more = records.Take(text.substr(at), most, true, &table, &faults);
    if (more == 0 || more > text.size() - at) std::abort();
    at += more;
  }
  return Cells(table);
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  return {"1,2\n3,4\n", "\"a\"\"b\",\"c\nd\"\r\n5,\n", "1,2,3\n4\n5,6", "\"open,1\n2,3\n", ",\n\n\r\n\"\",x\n"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const std::vector<std::string> whole = InTwoPieces(text, 0, 1000);
    for (const size_t first : {size / 3, size / 2, size})
      if (InTwoPieces(text, first, 2) != whole) std::abort();
  } catch (const everlearn::Error&) {
  }
  return 0;
}
