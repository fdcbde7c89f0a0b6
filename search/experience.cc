#include "search/experience.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <set>
#include <system_error>
#include <thread>

#include "base/error.h"
#include "base/hash.h"
#include "data/source.h"

namespace everlearn {
namespace {

constexpr uintmax_t kLargestFile = 256U << 20;
constexpr auto kLongestWait = std::chrono::seconds(2);
constexpr size_t kMostFolds = 1000;

[[noreturn]] void ThrowSystem(const std::string& path, const std::string& what, int code) {
  const bool refused = code == EACCES || code == EPERM || code == EROFS;
  throw Error(refused ? ErrorKind::kPermission : ErrorKind::kResource, path + what + ": " + std::generic_category().message(code),
              "choose another file with --experience, or none");
}

// Held while a file is written. On a file of its own, since the one it protects is replaced when something is forgotten.
class WriteLock {
 public:
  explicit WriteLock(const std::string& path) : descriptor_(open((path + "-lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (descriptor_ < 0) ThrowSystem(path, " cannot be locked", errno);
    const auto end = std::chrono::steady_clock::now() + kLongestWait;
    while (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      const int code = errno;
      if ((code != EWOULDBLOCK && code != EINTR) || std::chrono::steady_clock::now() > end) {
        close(descriptor_);
        ThrowSystem(path, " is being written by another program", code);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  ~WriteLock() { close(descriptor_); }
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;

 private:
  int descriptor_;
};

std::string ReadWhole(const std::string& path, uintmax_t most = kLargestFile) {
  std::error_code code;
  const auto size = std::filesystem::file_size(path, code);
  if (code == std::errc::no_such_file_or_directory || code == std::errc::not_a_directory) return "";
  if (code) ThrowSystem(path, " cannot be read", code.value());
  if (size > most) throw Error(ErrorKind::kResource, path + " is larger than 256 MB", "everlearn experience forget makes it smaller");
  std::ifstream file(path, std::ios::binary);
  if (!file) ThrowSystem(path, " cannot be read", errno);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteAll(int descriptor, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ThrowSystem(path, " cannot be written", errno);
    text.remove_prefix(static_cast<size_t>(written));
  }
}

// Adds lines at the end; a last line that a crash cut short is ended first, so that only it is lost.
void AppendLines(const std::string& path, std::string lines) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor < 0) ThrowSystem(path, " cannot be written", errno);
  try {
    const off_t size = lseek(descriptor, 0, SEEK_END);
    char last = '\n';
    if (size > 0 && pread(descriptor, &last, 1, size - 1) == 1 && last != '\n') lines.insert(lines.begin(), '\n');
    WriteAll(descriptor, lines, path);
  } catch (...) {
    close(descriptor);
    throw;
  }
  close(descriptor);
}

void ReplaceFile(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  const int descriptor = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) ThrowSystem(path, " cannot be written", errno);
  try {
    WriteAll(descriptor, text, path);
  } catch (...) {
    close(descriptor);
    unlink(beside.c_str());
    throw;
  }
  fsync(descriptor);
  close(descriptor);
  if (rename(beside.c_str(), path.c_str()) != 0) ThrowSystem(path, " cannot be written", errno);
}

// Calls `use` with each line and its run, or nullptr where it cannot be read.
void ForEachLine(std::string_view text, const std::function<void(std::string_view, const ExperienceRun*)>& use) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(" \r\t") == std::string_view::npos) continue;
    try {
      const ExperienceRun run = ExperienceRunFromJson(ParseJson(line, "a line of the experience"));
      use(line, &run);
    } catch (const Error&) {
      use(line, nullptr);
    }
  }
}

std::string Line(const ExperienceRun& run) { return ToText(ToJson(run)) + "\n"; }

// A number, or NaN for null.
double NumberOrNull(const Json& value) {
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!value.is_number()) throw Error(ErrorKind::kDamaged, "a loss in the experience is not a number");
  return value.to_number<double>();
}

double AtLeastZero(const Json& json, std::string_view name) {
  const double value = NumberField(json, name);
  if (!(std::isfinite(value) && value >= 0)) throw Error(ErrorKind::kDamaged, "the experience holds " + std::string(name) + " below zero");
  return value;
}

ExperienceTrial TrialFromJson(const Json& json) {
  ExperienceTrial trial;
  trial.learner = TextField(json, "learner");
  trial.status = TextField(json, "status");
  trial.seconds = AtLeastZero(json, "seconds");
  trial.units = AtLeastZero(json, "units");
  const Json& parameters = Field(json, "parameters");
  if (!parameters.is_object()) throw Error(ErrorKind::kDamaged, "parameters in the experience are not an object");
  for (const auto& [name, value] : parameters.get_object()) {
    if (!value.is_number() && !value.is_bool() && !value.is_string())
      throw Error(ErrorKind::kDamaged, "a parameter in the experience has no value");
  }
  trial.parameters = parameters.get_object();
  const JsonArray& losses = ArrayField(json, "fold_losses");
  if (losses.size() > kMostFolds) throw Error(ErrorKind::kDamaged, "a trial in the experience has too many folds");
  for (const Json& loss : losses) trial.fold_losses.push_back(NumberOrNull(loss));
  return trial;
}

void MakeFolder(const std::string& path) {
  std::error_code code;
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, code);
  if (code) ThrowSystem(path, " cannot be written", code.value());
}

// Keeps a file that grows with every search at a size that is quickly read: half of the limit once it is reached, the newest lines.
void DropOldest(const std::string& path) {
  constexpr uintmax_t kMost = 32U << 20;
  std::error_code code;
  if (const auto size = std::filesystem::file_size(path, code); code || size <= kMost) return;
  const std::string text = ReadWhole(path, std::numeric_limits<uintmax_t>::max());
  const size_t begin = text.find('\n', text.size() - kMost / 2);
  if (begin != std::string::npos && begin + 1 < text.size()) ReplaceFile(path, text.substr(begin + 1));
}

bool EndsWith(std::string_view text, std::string_view ending) {
  return text.size() > ending.size() && text.substr(text.size() - ending.size()) == ending;
}

}  // namespace

double ExperienceTrial::loss() const {
  double sum = 0, count = 0;
  for (const double loss : fold_losses) {
    if (!std::isfinite(loss)) continue;
    sum += loss;
    ++count;
  }
  return count == 0 || status != "ok" ? std::numeric_limits<double>::quiet_NaN() : sum / count;
}

void ExperienceRun::KeepBest(size_t most) {
  if (trials.size() <= most) return;
  std::stable_sort(trials.begin(), trials.end(), [](const ExperienceTrial& a, const ExperienceTrial& b) {
    const double left = a.loss(), right = b.loss();
    return std::isnan(right) ? !std::isnan(left) : left < right;
  });
  trials.erase(trials.begin() + static_cast<std::ptrdiff_t>(most), trials.end());
}

Json ToJson(const ExperienceRun& run) {
  JsonArray trials;
  for (const ExperienceTrial& trial : run.trials) {
    trials.push_back(JsonObject{{"learner", trial.learner},
                                {"parameters", trial.parameters},
                                {"fold_losses", JsonArray(trial.fold_losses.begin(), trial.fold_losses.end())},
                                {"seconds", trial.seconds},
                                {"units", trial.units},
                                {"status", trial.status}});
  }
  return JsonObject{{"source", run.source},
                    {"kind", run.kind},
                    {"metric", run.metric},
                    {"data", run.data.ToJson()},
                    {"constant_loss", run.constant_loss},
                    {"trials", std::move(trials)}};
}

ExperienceRun ExperienceRunFromJson(const Json& json) {
  ExperienceRun run;
  run.source = TextField(json, "source");
  run.kind = TextField(json, "kind");
  run.metric = TextField(json, "metric");
  run.data = DataDescription::FromJson(Field(json, "data"));
  run.constant_loss = NumberOrNull(Field(json, "constant_loss"));
  for (const Json& trial : ArrayField(json, "trials")) run.trials.push_back(TrialFromJson(trial));
  return run;
}

Experience Experience::Load(const std::string& path) {
  Experience experience;
  ForEachLine(ReadWhole(path), [&](std::string_view, const ExperienceRun* run) {
    if (run != nullptr) {
      experience.runs_.push_back(*run);
    } else {
      ++experience.damaged_lines_;
    }
  });
  return experience;
}

std::string Experience::Append(const std::string& path, const ExperienceRun& run) {
  if (path.empty()) return "there is no folder for the experience: neither XDG_DATA_HOME nor HOME is set";
  try {
    MakeFolder(path);
    const WriteLock lock(path);
    AppendLines(path, Line(run));
    DropOldest(path);
    return "";
  } catch (const Error& error) {
    return error.message();
  }
}

size_t Experience::Forget(const std::string& path, std::string_view name) {
  if (!std::filesystem::exists(path)) return 0;
  const WriteLock lock(path);
  std::string kept;
  size_t forgotten = 0;
  ForEachLine(ReadWhole(path, std::numeric_limits<uintmax_t>::max()), [&](std::string_view line, const ExperienceRun* run) {
    if (run != nullptr && IsSourceNamed(run->source, name)) {
      ++forgotten;
    } else {
      kept.append(line).push_back('\n');
    }
  });
  if (forgotten > 0) ReplaceFile(path, kept);
  return forgotten;
}

size_t Experience::Import(const std::string& from, const std::string& to) {
  if (!std::filesystem::exists(from)) throw Error(ErrorKind::kNotFound, "there is no file " + from);
  const Experience source = Load(from);
  MakeFolder(to);
  const WriteLock lock(to);
  std::set<std::string> known;
  const Experience present = Load(to);
  for (const ExperienceRun& run : present.runs()) known.insert(Line(run));
  std::string lines;
  size_t added = 0;
  for (const ExperienceRun& run : source.runs()) {
    const std::string line = Line(run);
    if (!known.insert(line).second) continue;
    lines += line;
    ++added;
  }
  if (added > 0) AppendLines(to, lines);
  return added;
}

std::string Experience::Hash() const { return HashText(HashBytes(Export())); }

std::string Experience::Export() const {
  std::string text;
  for (const ExperienceRun& run : runs_) text += Line(run);
  return text;
}

Experience Experience::With(const Experience& other) const {
  Experience both = *this;
  both.runs_.insert(both.runs_.end(), other.runs_.begin(), other.runs_.end());
  return both;
}

Experience Experience::Without(std::string_view name) const {
  Experience rest = *this;
  std::erase_if(rest.runs_, [&](const ExperienceRun& run) { return IsSourceNamed(run.source, name); });
  return rest;
}

std::string DefaultExperiencePath() {
  const char* data = std::getenv("XDG_DATA_HOME");
  const char* home = std::getenv("HOME");
  std::string folder;
  if (data != nullptr && data[0] == '/') {
    folder = data;
  } else if (home != nullptr && home[0] == '/') {
    folder = std::string(home) + "/.local/share";
  }
  return folder.empty() ? "" : folder + "/everlearn/experience.jsonl";
}

std::string ExperienceSource(const std::string& source) {
  const auto hashed = [&](const char* what) { return what + HashText(HashBytes(source)).substr(0, 8); };
  if (source == "-") return "standard input";
  if (source.find("://") != std::string::npos) return hashed("server ");
  if (BeginsAsSql(source)) return hashed("query ");
  return std::filesystem::path(source).filename().string();
}

bool IsSourceNamed(std::string_view source, std::string_view name) {
  if (source == name) return true;
  for (const auto ending : {".gz", ".zst", ".csv", ".tsv", ".jsonl", ".json", ".parquet"}) {
    if (EndsWith(source, ending)) source.remove_suffix(std::string_view(ending).size());
    if (source == name) return true;
  }
  return false;
}

}  // namespace everlearn
