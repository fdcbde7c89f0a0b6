// What a source names: standard input, SQL, or files of one format.
//
// Pure but for looking at the file system and copying standard input.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/duck.h"

namespace everlearn {

enum class SourceFormat { kCsv, kTsv, kJson, kParquet, kSql };

struct Source {
  SourceFormat format = SourceFormat::kCsv;
  std::string name;                // for messages: the file or pattern as given, "standard input", "the query"
  std::string sql;                 // kSql: one statement without a semicolon at its end
  std::vector<std::string> files;  // all others: paths without pattern characters left, in order of their names
};

// Whether a source is SQL: it begins with SELECT, WITH or FROM. A file of that name goes before.
bool BeginsAsSql(std::string_view text);

// SQL without the semicolons and blanks at its end.
std::string OneStatement(std::string_view sql);

// The format of a file or pattern by its ending, compressed or not; nothing where it is unknown.
std::optional<SourceFormat> FormatOf(const std::string& path);

// Throws kNotFound (with the nearest file as hint), kPermission, kInput (empty file, a folder, unknown ending).
Source ResolveSource(const std::string& text, DuckDatabase* database);

// A copy of standard input in a file without a name, which is gone with this object.
class StandardInputCopy {
 public:
  StandardInputCopy();  // throws kResource when the disk is full
  ~StandardInputCopy();
  StandardInputCopy(const StandardInputCopy&) = delete;
  StandardInputCopy& operator=(const StandardInputCopy&) = delete;
  std::string path() const;

 private:
  int file_ = -1;
};

}  // namespace everlearn
