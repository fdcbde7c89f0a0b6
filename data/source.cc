#include "data/source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/error.h"
#include "base/suggest.h"
#include "data/field.h"

namespace everlearn {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void ThrowNoSuchFile(const std::string& path) {
  std::error_code error;
  const fs::path folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  if (!fs::is_directory(folder, error)) throw Error(ErrorKind::kNotFound, path + " does not exist: there is no folder " + folder.string());
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (FormatOf(name)) names.push_back(std::move(name));
  }
  const std::string hint = SuggestionHint(fs::path(path).filename().string(), names);
  throw Error(ErrorKind::kNotFound, path + " does not exist", hint.starts_with("did you mean") ? hint : "");
}

}  // namespace

std::string OneStatement(std::string_view sql) {
  sql = Trim(sql);
  while (sql.ends_with(';')) sql = Trim(sql.substr(0, sql.size() - 1));
  return std::string(sql);
}

std::optional<SourceFormat> FormatOf(const std::string& path) {
  std::string lower = LowerCase(path);
  bool compressed = false;
  for (const std::string_view ending : {".gz", ".zst"}) {
    if (!lower.ends_with(ending)) continue;
    lower.resize(lower.size() - ending.size());
    compressed = true;
    break;
  }
  for (const std::string_view ending : {".csv", ".txt"})
    if (lower.ends_with(ending)) return SourceFormat::kCsv;
  if (lower.ends_with(".tsv")) return SourceFormat::kTsv;
  for (const std::string_view ending : {".json", ".jsonl", ".ndjson"})
    if (lower.ends_with(ending)) return SourceFormat::kJson;
  if (lower.ends_with(".parquet") && !compressed) return SourceFormat::kParquet;
  return std::nullopt;
}

bool BeginsAsSql(std::string_view text) {
  text = Trim(text);
  for (const std::string_view word : {"select", "with", "from"}) {
    if (LowerCase(text.substr(0, word.size())) != word || text.size() == word.size()) continue;
    if (std::string_view(" \t\r\n('\"").find(text[word.size()]) != std::string_view::npos) return true;
  }
  return false;
}

Source ResolveSource(const std::string& text, DuckDatabase* database) {
  struct stat status {};
  const bool exists = stat(text.c_str(), &status) == 0;
  if (!exists && BeginsAsSql(text)) return {.format = SourceFormat::kSql, .name = "the query", .sql = OneStatement(text), .files = {}};
  Source source{.format = SourceFormat::kCsv, .name = text, .sql = "", .files = {}};
  if (exists && S_ISDIR(status.st_mode)) throw Error(ErrorKind::kInput, text + " is a folder", "name its files: '" + text + "/*.csv'");
  if (!exists && errno == EACCES) throw Error(ErrorKind::kPermission, text + " may not be read");
  const auto format = FormatOf(text);
  if (!format) {
    if (!exists) ThrowNoSuchFile(text);
    throw Error(ErrorKind::kInput, text + " has an ending that is not known",
                "sources end in .csv, .tsv, .json, .jsonl or .parquet, also with .gz or .zst");
  }
  source.format = *format;
  if (exists) {
    source.files = {text};
  } else if (text.find_first_of("*?[") != std::string::npos) {
    source.files = database->Texts("SELECT file FROM glob(" + SqlText(text) + ") ORDER BY file", text);
    if (source.files.empty()) throw Error(ErrorKind::kNotFound, "no file matches " + text);
  } else {
    ThrowNoSuchFile(text);
  }
  for (const std::string& file : source.files) {
    if (access(file.c_str(), R_OK) != 0) throw Error(ErrorKind::kPermission, file + " may not be read: " + std::strerror(errno));
    if (stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0)
      throw Error(ErrorKind::kInput, file + " is empty");
  }
  return source;
}

StandardInputCopy::StandardInputCopy() {
  std::error_code error;
  std::string path = (fs::temp_directory_path(error) / "everlearn-input-XXXXXX").string();
  file_ = mkostemp(path.data(), O_CLOEXEC);
  const auto fail = [&](const std::string& what) {
    const int code = errno;
    if (file_ >= 0) close(file_);
    throw Error(ErrorKind::kResource, what + ": " + std::strerror(code), "set TMPDIR to a folder with room");
  };
  if (file_ < 0) fail("standard input cannot be copied to " + path);
  unlink(path.c_str());
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("standard input cannot be read");
    if (got == 0) break;
    for (ssize_t done = 0; done < got;) {
      const ssize_t wrote = write(file_, buffer.data() + done, static_cast<size_t>(got - done));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) fail("standard input cannot be copied to a temporary file");
      done += wrote;
    }
  }
  if (lseek(file_, 0, SEEK_CUR) == 0) {
    close(file_);
    throw Error(ErrorKind::kInput, "standard input is empty");
  }
}

StandardInputCopy::~StandardInputCopy() { close(file_); }

std::string StandardInputCopy::path() const { return "/proc/self/fd/" + std::to_string(file_); }

}  // namespace everlearn
