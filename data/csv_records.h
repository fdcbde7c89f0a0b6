// Splits the text of a CSV file that is still being written into records: whole ones are taken, a record that has only begun is left.
//
// RFC 4180, read as the reader of whole files does: a quote counts at the beginning of a field only, two of them inside are one, lines end
// in \n or \r\n. Pure but for the object's own place; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/csv_header.h"
#include "data/table.h"

namespace everlearn {

// Records that are no rows and were left out.
struct CsvFaults {
  uint64_t count = 0;
  uint64_t line = 0;   // of the first, from 1
  std::string reason;  // of the first: "has 3 values, the header 5 names"
  void Add(uint64_t at_line, std::string why);
};

class CsvRecords {
 public:
  // `header` with names made unique; `line`: lines of the file before the text that Take is given first.
  CsvRecords(CsvHeader header, uint64_t line) : header_(std::move(header)), line_(line) {}

  // A table without rows.
  Table Header() const;
  uint64_t line() const { return line_; }
  // Appends at most `most` records to `table` (made by Header()); returns how many bytes of `text` they and the records left out took.
  // `ended`: no more text follows, so that a last line without its end is a record.
  size_t Take(std::string_view text, size_t most, bool ended, Table* table, CsvFaults* faults);

 private:
  enum class Record { kWhole, kBegun, kBad };
  Record Split(std::string_view text, bool ended, size_t* size);

  CsvHeader header_;
  uint64_t line_;
  std::vector<std::string> fields_;
  std::string bad_;  // what is wrong with the record
};

}  // namespace everlearn
