// Files as a growing source: what each line-wise file has more, and whole files as they come.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "data/csv_records.h"
#include "data/duck.h"
#include "data/field.h"
#include "data/growing_source.h"
#include "data/source.h"

namespace everlearn {
namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr size_t kComparedBytes = 256;  // at the beginning (behind the first line) and at the end of what was read
constexpr int64_t kRestSeconds = 10;    // then a last line without an end is a line, and a file that cannot be read is told

enum class FileForm { kCsv, kJsonLines, kWhole };

FileForm FormOf(const std::string& path) {
  const std::string lower = LowerCase(path);
  if (lower.ends_with(".jsonl") || lower.ends_with(".ndjson")) return FileForm::kJsonLines;
  for (const std::string_view ending : {".csv", ".tsv", ".txt"})
    if (lower.ends_with(ending)) return FileForm::kCsv;
  return FileForm::kWhole;
}

int64_t Modified(const struct stat& status) { return status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec; }
bool Rests(const struct stat& status) { return time(nullptr) - status.st_mtim.tv_sec >= kRestSeconds; }

// How far a file was read, and what tells it from another of that name.
struct FilePlace {
  uint64_t offset = 0, line = 0;   // of line-wise files: bytes and lines that were taken,
  uint64_t first_line = 0;         // bytes of the header,
  std::string head, tail;          // hashes of the first and last of these bytes
  uint64_t rows = 0;               // of whole files: that were taken
  uint64_t size = 0;               // when it was last looked at: bytes,
  int64_t modified = 0;            // nanoseconds,
  bool done = false;               // and whether all was taken
  bool gone = false, cut = false;  // vanished, shorter than what was read: was told

  Json ToJson() const { return JsonArray{offset, line, first_line, head, tail, rows, size, modified, done, gone, cut}; }
  static FilePlace FromJson(const Json& json) {
    const JsonArray& a = json.as_array();
    const auto whole = [&](size_t i) { return a.at(i).to_number<uint64_t>(); };
    return {.offset = whole(0),
            .line = whole(1),
            .first_line = whole(2),
            .head = std::string(a.at(3).as_string()),
            .tail = std::string(a.at(4).as_string()),
            .rows = whole(5),
            .size = whole(6),
            .modified = a.at(7).to_number<int64_t>(),
            .done = a.at(8).as_bool(),
            .gone = a.at(9).as_bool(),
            .cut = a.at(10).as_bool()};
  }
  bool IsAsSeen(const struct stat& status) const { return size == static_cast<uint64_t>(status.st_size) && modified == Modified(status); }
  void See(const struct stat& status) {
    size = static_cast<uint64_t>(status.st_size);
    modified = Modified(status);
  }
};

using Places = std::map<std::string, FilePlace>;  // by path

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : file_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (file_ >= 0) return;
    const int code = errno;
    throw Error(code == EACCES ? ErrorKind::kPermission : ErrorKind::kNotFound, path + " may not be read: " + std::strerror(code));
  }
  ~Descriptor() { close(file_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  // Fewer than `size` bytes at the end of the file.
  std::string Read(uint64_t offset, size_t size, const std::string& path) const {
    std::string bytes(size, '\0');
    size_t done = 0;
    while (done < size) {
      const ssize_t got = pread(file_, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Error(ErrorKind::kResource, path + " cannot be read: " + std::strerror(errno));
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    bytes.resize(done);
    return bytes;
  }

 private:
  int file_;
};

// A text as a file that readers can open by its name.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& text) : file_(memfd_create("everlearn-lines", MFD_CLOEXEC)) {
    size_t done = 0;
    while (file_ >= 0 && done < text.size()) {
      const ssize_t wrote = write(file_, text.data() + done, text.size() - done);
      if (wrote < 0 && errno != EINTR) break;
      if (wrote > 0) done += static_cast<size_t>(wrote);
    }
    if (done == text.size() && file_ >= 0) return;
    if (file_ >= 0) close(file_);
    throw Error(ErrorKind::kResource, std::string("no memory for lines that were read: ") + std::strerror(errno));
  }
  ~MemoryFile() { close(file_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  int file_;
};

class GrowingFiles : public GrowingSource {
 public:
  GrowingFiles(std::string pattern, const ReadOptions& options) : pattern_(std::move(pattern)), options_(options) {
    struct stat status {};
    if (stat(pattern_.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
      throw Error(ErrorKind::kInput, pattern_ + " is a folder", "name its files: '" + pattern_ + "/*.csv'");
    if (!FormatOf(pattern_)) ResolveSource(pattern_, &database_);  // throws, and says what is known
  }

  std::string kind() const override { return "files"; }

  bool Next(size_t most, std::string* position, GrowthBatch* batch) override {
    *batch = {};
    if (*position != position_text_ || position->empty()) Load(*position);
    std::string path = std::exchange(current_, "");
    bool found = !path.empty() && Take(path, most, batch);
    if (!found) {
      const std::vector<std::string> files = Files();
      FindVanished(files, batch);
      for (size_t i = 0; i < files.size() && !found; ++i) found = Take(path = files[i], most, batch);
    }
    if (found) current_ = path;  // go on with it: it may have more
    *position = position_text_ = Text();
    return found;
  }

  bool Wait(std::chrono::milliseconds timeout) override {
    std::this_thread::sleep_for(timeout);
    return false;
  }

 private:
  void Load(const std::string& position) {
    places_.clear();
    Forget();
    current_.clear();
    position_text_ = position;
    if (position.empty()) return;
    const Json json = ParseJson(position, "the position in files");
    for (const auto& [path, place] : Field(json, "files").as_object()) places_[std::string(path)] = FilePlace::FromJson(place);
  }

  std::string Text() const {
    JsonObject files;
    for (const auto& [path, place] : places_) files[path] = place.ToJson();
    return ToText(JsonObject{{"files", files}});
  }

  std::vector<std::string> Files() {
    struct stat status {};
    if (stat(pattern_.c_str(), &status) == 0) return {pattern_};
    if (pattern_.find_first_of("*?[") == std::string::npos) return {};
    return database_.Texts("SELECT file FROM glob(" + SqlText(pattern_) + ") ORDER BY file", pattern_);
  }

  void FindVanished(const std::vector<std::string>& files, GrowthBatch* batch) {
    for (auto& [path, place] : places_) {
      const bool gone = std::find(files.begin(), files.end(), path) == files.end();
      if (gone && !place.gone) batch->findings.push_back({path + " has vanished; it is waited for", false});
      place.gone = gone;
    }
  }

  // The same words are told once.
  void Tell(const std::string& message, bool lost, GrowthBatch* batch) {
    if (told_.insert(message).second) batch->findings.push_back({message, lost});
  }

  // The next rows of one file; false where it has none.
  bool Take(const std::string& path, size_t most, GrowthBatch* batch) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || !FormatOf(path)) return false;
    batch->from = path;
    try {
      return FormOf(path) == FileForm::kWhole ? TakeWhole(path, status, most, batch) : TakeLines(path, status, most, batch);
    } catch (const Error& error) {
      Forget();
      batch->rows = {};
      Tell(error.message(), true, batch);
      return false;
    }
  }

  // Whether what was read of the file is still what it begins with. A file that was replaced begins anew.
  bool Continues(const Descriptor& file, const std::string& path, uint64_t size, FilePlace* place, GrowthBatch* batch) {
    const bool has_head = size >= std::min(place->offset, place->first_line + kComparedBytes);
    const bool same_head = !has_head || HeadOf(file, path, *place) == place->head;
    if (same_head && size < place->offset) {
      if (!place->cut) batch->findings.push_back({path + " is shorter than what was read of it; it is waited for", false});
      place->cut = true;
      return false;
    }
    if (!same_head || TailOf(file, path, *place) != place->tail) {
      batch->findings.push_back({path + " was replaced by another file of that name, and is read from its beginning", false});
      *place = {};
    }
    place->cut = false;
    return true;
  }

  static std::string ContentOf(const std::string& path) {
    const Descriptor file(path);
    uint64_t hash = 0, offset = 0;
    for (std::string piece = file.Read(0, kReadBytes, path); !piece.empty(); piece = file.Read(offset, kReadBytes, path)) {
      hash = HashBytes(piece, hash);
      offset += piece.size();
    }
    return HashText(hash);
  }

  static std::string HeadOf(const Descriptor& file, const std::string& path, const FilePlace& place) {
    return HashText(HashBytes(file.Read(0, std::min(place.offset, place.first_line + kComparedBytes), path)));
  }
  static std::string TailOf(const Descriptor& file, const std::string& path, const FilePlace& place) {
    const uint64_t size = std::min<uint64_t>(place.offset - place.first_line, kComparedBytes);
    return HashText(HashBytes(file.Read(place.offset - size, size, path)));
  }

  // The header, and the place behind it where the file is new; false where the file has no whole first line yet.
  bool ReadHeader(const Descriptor& file, const std::string& path, FilePlace* place, GrowthBatch* batch) {
    const std::string text = file.Read(0, kReadBytes, path);
    const size_t end = text.find('\n');
    if (end == std::string::npos && text.size() < kReadBytes) return false;
    if (end == std::string::npos) throw Error(ErrorKind::kInput, path + " is no table: its first line does not end");
    std::string line = text.substr(0, end);
    if (line.ends_with('\r')) line.pop_back();
    CsvHeader header = ParseCsvHeader(line, FormatOf(path) == SourceFormat::kTsv ? '\t' : '\0', path);
    std::vector<std::string> said;
    MakeNamesUnique(&header.names, path, &said);
    for (const std::string& message : said) Tell(message, false, batch);
    if (place->offset == 0) place->offset = place->first_line = end + 1, place->line = 1;
    records_.emplace(std::move(header), place->line);
    return true;
  }

  bool TakeLines(const std::string& path, const struct stat& status, size_t most, GrowthBatch* batch) {
    FilePlace& place = places_[path];
    if (place.done && place.IsAsSeen(status)) return false;
    const Descriptor file(path);
    const bool is_open = path == open_path_ && status.st_ino == open_inode_ && place.offset == open_offset_ &&
                         place.offset + text_.size() <= static_cast<uint64_t>(status.st_size) && HeadOf(file, path, place) == place.head &&
                         TailOf(file, path, place) == place.tail;
    if (is_open && !place.IsAsSeen(status)) text_.clear();  // what was begun may have changed
    if (!is_open) {
      Forget();
      if (place.offset > 0 && !Continues(file, path, static_cast<uint64_t>(status.st_size), &place, batch)) return false;
      if (FormOf(path) == FileForm::kCsv && !ReadHeader(file, path, &place, batch)) return false;
    }
    bool end = false;
    for (;;) {
      const bool last = end && Rests(status);
      const size_t used = FormOf(path) == FileForm::kCsv ? TakeCsv(path, most, last, batch) : TakeJson(path, most, last, &place, batch);
      text_.erase(0, used);
      place.offset += used;
      if (batch->rows.rows > 0 || end) break;
      const std::string more = file.Read(place.offset + text_.size(), kReadBytes, path);
      end = more.empty();
      text_ += more;
    }
    if (records_) place.line = records_->line();
    place.head = HeadOf(file, path, place);
    place.tail = TailOf(file, path, place);
    place.done = batch->rows.rows == 0 && (text_.empty() || Rests(status));
    place.See(status);
    open_path_ = path;
    open_inode_ = status.st_ino;
    open_offset_ = place.offset;
    return batch->rows.rows > 0;
  }

  void TellFaults(const std::string& path, const CsvFaults& faults, GrowthBatch* batch) {
    if (faults.count == 0) return;
    const std::string others =
        faults.count == 1 ? "it is left out" : "it and " + std::to_string(faults.count - 1) + " later ones are left out";
    batch->findings.push_back({path + ", line " + std::to_string(faults.line) + " " + faults.reason + "; " + others, true});
  }

  size_t TakeCsv(const std::string& path, size_t most, bool last, GrowthBatch* batch) {
    CsvFaults faults;
    batch->rows = records_->Header();
    const size_t used = records_->Take(text_, most, last, &batch->rows, &faults);
    TellFaults(path, faults, batch);
    return used;
  }

  size_t TakeJson(const std::string& path, size_t most, bool last, FilePlace* place, GrowthBatch* batch) {
    constexpr size_t kLongestLine = 64 << 20;
    CsvFaults faults;
    std::string good;
    size_t used = 0;
    for (size_t rows = 0; rows < most && used < text_.size();) {
      size_t end = text_.find('\n', used);
      if (end == std::string::npos && text_.size() - used > kLongestLine)
        throw Error(ErrorKind::kInput, path + " has a line without an end");
      if (end == std::string::npos && !last) break;
      end = std::min(end, text_.size() - 1) + 1;
      const std::string_view line = Trim(std::string_view(text_).substr(used, end - used));
      used = end;
      ++place->line;
      if (line.empty()) continue;
      if (!IsJsonObject(line)) {
        faults.Add(place->line, "is no JSON object");
        continue;
      }
      good.append(line).push_back('\n');
      ++rows;
    }
    TellFaults(path, faults, batch);
    if (good.empty()) return used;
    const MemoryFile lines(good);
    batch->sparse = true;
    batch->rows = ReadTable("SELECT * FROM read_json(" + SqlText(lines.path()) + ", format='newline_delimited', sample_size=-1)", options_);
    return used;
  }

  static bool IsJsonObject(std::string_view line) {
    try {
      return ParseJson(line, "a line").is_object();
    } catch (const Error&) {
      return false;
    }
  }

  bool TakeWhole(const std::string& path, const struct stat& status, size_t most, GrowthBatch* batch) {
    FilePlace& place = places_[path];
    if (place.done && place.IsAsSeen(status)) return false;
    if (status.st_size == 0) return false;
    if ((place.rows > 0 || place.done) && !place.IsAsSeen(status)) {
      if (place.size == static_cast<uint64_t>(status.st_size) && place.head == ContentOf(path)) {
        place.See(status);  // only its time is another
        return false;
      }
      if (place.rows > 0)
        batch->findings.push_back({path + " was replaced by another file of that name, and is read from its beginning", false});
      place = {};
    }
    place.See(status);
    if (path != open_path_ || status.st_ino != open_inode_ || place.rows == 0) {
      Forget();
      place.head = ContentOf(path);
      try {
        whole_ = ReadTable(path, options_);
      } catch (const Error&) {
        if (!Rests(status)) return false;  // it is being written
        place.done = true;                 // until it changes
        throw;
      }
      open_path_ = path;
      open_inode_ = status.st_ino;
    }
    const size_t count = whole_.rows;
    if (place.rows == 0 && count <= most) {
      batch->rows = std::move(whole_);
      place.rows = count;
    } else {
      std::vector<uint32_t> rows;
      for (; place.rows < count && rows.size() < most; ++place.rows) rows.push_back(static_cast<uint32_t>(place.rows));
      batch->rows = whole_.Select(rows);
    }
    place.done = place.rows >= count;
    if (place.done) Forget();
    return batch->rows.rows > 0;
  }

  // What is kept of the file that was read last.
  void Forget() {
    open_path_.clear();
    text_.clear();
    records_.reset();
    whole_ = {};
  }

  std::string pattern_;
  ReadOptions options_;
  DuckDatabase database_{1};
  Places places_;
  std::string position_text_;   // of places_
  std::string current_;         // the file that may have more rows
  std::set<std::string> told_;  // messages
  std::string open_path_;       // of what follows
  ino_t open_inode_ = 0;
  uint64_t open_offset_ = 0;
  std::string text_;                   // bytes behind open_offset_
  std::optional<CsvRecords> records_;  // of a CSV file
  Table whole_;                        // of a whole file
};

}  // namespace

std::unique_ptr<GrowingSource> MakeGrowingFiles(const std::string& pattern, const ReadOptions& options) {
  return std::make_unique<GrowingFiles>(pattern, options);
}

}  // namespace everlearn
