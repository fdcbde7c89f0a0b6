#include "data/csv_records.h"

#include <algorithm>

#include "data/field.h"

namespace everlearn {
namespace {

constexpr size_t kLongestRecord = 1'000'000;  // bytes; a quote that never ends must not hold up a file

}  // namespace

void CsvFaults::Add(uint64_t at_line, std::string why) {
  if (count++ > 0) return;
  line = at_line;
  reason = std::move(why);
}

Table CsvRecords::Header() const {
  Table table;
  for (const std::string& name : header_.names) table.columns.push_back(Column{.name = name, .type = ColumnType::kText});
  return table;
}

// One record at the front of `text`, with the end of its line, into fields_.
CsvRecords::Record CsvRecords::Split(std::string_view text, bool ended, size_t* size) {
  size_t count = 0;
  bool quoted = false, was_quoted = false;
  bad_.clear();
  const auto next_field = [&] {
    if (fields_.size() <= count) fields_.resize(count + 1);
    fields_[count].clear();
    was_quoted = false;
    ++count;
  };
  next_field();
  for (size_t i = 0; i < text.size() && i < kLongestRecord; ++i) {
    const char c = text[i];
    std::string& field = fields_[count - 1];
    if (quoted) {
      if (c != '"') field.push_back(c);
      else if (i + 1 < text.size() && text[i + 1] == '"') field.push_back(text[++i]);
      else quoted = false;
    } else if (c == header_.separator) {
      next_field();
    } else if (c == '\n') {
      *size = i + 1;
      if (field.ends_with('\r')) field.pop_back();
      if (count != header_.names.size() && !(count == 1 && field.empty()))
        bad_ = "has " + std::to_string(count) + " values, the header " + std::to_string(header_.names.size()) + " names";
      fields_.resize(count);
      return bad_.empty() ? Record::kWhole : Record::kBad;
    } else if (c == '"' && field.empty() && !was_quoted) {
      quoted = was_quoted = true;
    } else {
      if (was_quoted && c != '\r') bad_ = "has text after a closing quote";
      field.push_back(c);
    }
  }
  if (text.size() >= kLongestRecord) {
    bad_ = "does not end within " + std::to_string(kLongestRecord) + " bytes; is a quote not closed?";
  } else if (!ended || text.empty()) {
    return Record::kBegun;
  } else if (!quoted) {
    const Record record = Split(std::string(text) + "\n", false, size);
    *size = text.size();
    return record;
  } else {
    bad_ = "has a quote that is not closed";
  }
  *size = std::min(text.find('\n'), text.size() - 1) + 1;
  return Record::kBad;
}

size_t CsvRecords::Take(std::string_view text, size_t most, bool ended, Table* table, CsvFaults* faults) {
  size_t used = 0;
  for (size_t taken = 0; taken < most;) {
    size_t size = 0;
    const Record record = Split(text.substr(used), ended, &size);
    if (record == Record::kBegun) break;
    const std::string_view whole = text.substr(used, size);
    const bool blank = record == Record::kWhole && fields_.size() == 1 && fields_[0].empty();
    if (record == Record::kBad) {
      faults->Add(line_ + 1, bad_);
    } else if (!blank && !IsUtf8(whole)) {
      faults->Add(line_ + 1, "is no UTF-8 text");
    } else if (!blank) {
      for (size_t i = 0; i < fields_.size(); ++i) {
        TextArray& column = table->columns[i].text;
        if (fields_[i].empty()) column.AppendMissing();
        else column.Append(fields_[i]);
      }
      ++table->rows;
      ++taken;
    }
    used += size;
    line_ += static_cast<uint64_t>(std::count(whole.begin(), whole.end(), '\n'));
  }
  return used;
}

}  // namespace everlearn
