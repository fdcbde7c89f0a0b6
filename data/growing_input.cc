// Standard input as a growing source: CSV lines as they come.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "data/csv_records.h"
#include "data/growing_source.h"

namespace everlearn {
namespace {

constexpr size_t kReadBytes = 1 << 16, kMostBuffered = 1 << 20;
const std::string kName = "standard input";

class GrowingInput : public GrowingSource {
 public:
  explicit GrowingInput(int descriptor) : descriptor_(descriptor) {}

  std::string kind() const override { return kName; }
  bool ended() const override { return ended_ && text_.empty(); }

  bool Next(size_t most, std::string*, GrowthBatch* batch) override {
    *batch = {.rows = {}, .from = kName, .findings = {}};
    Fill();
    if (!records_ && !ReadHeader(batch)) return false;
    batch->rows = records_->Header();
    CsvFaults faults;
    text_.erase(0, records_->Take(text_, most, ended_, &batch->rows, &faults));
    if (faults.count > 0)
      batch->findings.push_back(
          {kName + ", line " + std::to_string(faults.line) + ": " + faults.reason + "; " + std::to_string(faults.count) + " left out",
           true});
    return batch->rows.rows > 0;
  }

  bool Wait(std::chrono::milliseconds timeout) override {
    if (ended_) {
      poll(nullptr, 0, static_cast<int>(timeout.count()));
      return false;
    }
    return Ready(static_cast<int>(timeout.count()));
  }

 private:
  // The descriptor stays as it is: it may be shared with other processes, which would not expect it to be non-blocking.
  bool Ready(int milliseconds) const {
    pollfd waiting{descriptor_, POLLIN, 0};
    return poll(&waiting, 1, milliseconds) > 0;
  }

  void Fill() {
    while (!ended_ && text_.size() < kMostBuffered && Ready(0)) {
      const size_t before = text_.size();
      text_.resize(before + kReadBytes);
      const ssize_t got = read(descriptor_, text_.data() + before, kReadBytes);
      const int code = errno;
      text_.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
      if (got == 0) ended_ = true;
      if (got < 0 && code != EINTR) throw Error(ErrorKind::kResource, kName + " cannot be read: " + std::strerror(code));
    }
  }

  bool ReadHeader(GrowthBatch* batch) {
    size_t end = text_.find('\n');
    if (end == std::string::npos && !ended_) return false;
    if (end == std::string::npos && text_.empty()) return false;
    end = std::min(end, text_.size() - 1);
    std::string line = text_.substr(0, end + 1);
    while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
    CsvHeader header = ParseCsvHeader(line, '\0', kName);
    std::vector<std::string> said;
    MakeNamesUnique(&header.names, kName, &said);
    for (std::string& message : said) batch->findings.push_back({std::move(message), false});
    records_.emplace(std::move(header), 1);
    text_.erase(0, end + 1);
    return true;
  }

  int descriptor_;
  bool ended_ = false;
  std::string text_;  // that was read and not taken
  std::optional<CsvRecords> records_;
};

}  // namespace

std::unique_ptr<GrowingSource> MakeGrowingInput(int descriptor) { return std::make_unique<GrowingInput>(descriptor); }

}  // namespace everlearn
