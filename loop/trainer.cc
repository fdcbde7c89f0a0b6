#include "loop/trainer.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>

#include "base/bytes.h"
#include "ledger/ledger.h"
#include "loop/ledger_rows.h"

extern char** environ;

namespace everlearn {
namespace {

// Where a worker finds what it needs.
constexpr int kDataFile = 3, kJobFile = 4, kResultFile = 5;
constexpr int kPriority = 10;

[[noreturn]] void Fail(const char* what) {
  throw Error(ErrorKind::kResource, std::string("a training worker could not be started: ") + what + ": " + std::strerror(errno));
}

// A file that exists in memory only, closed at the end of its owner's life.
class MemoryFile {
 public:
  explicit MemoryFile(const char* name) : descriptor_(memfd_create(name, MFD_CLOEXEC)) {
    if (descriptor_ < 0) Fail("memory file");
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int descriptor() const { return descriptor_; }
  void Append(const void* bytes, size_t size) {
    const auto* at = static_cast<const char*>(bytes);
    while (size > 0) {
      const ssize_t written = write(descriptor_, at, size);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) Fail("memory file");
      at += written;
      size -= static_cast<size_t>(written);
    }
  }

 private:
  int descriptor_;
};

// The whole content of a file as mapped memory.
class Mapping {
 public:
  explicit Mapping(int descriptor) {
    struct stat status {};
    if (fstat(descriptor, &status) != 0) Fail("mapping");
    size_ = static_cast<size_t>(status.st_size);
    if (size_ == 0) return;
    bytes_ = mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0);
    if (bytes_ == MAP_FAILED) Fail("mapping");
  }
  ~Mapping() {
    if (size_ > 0) munmap(bytes_, size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  std::string_view bytes() const { return {static_cast<const char*>(bytes_), size_}; }

 private:
  void* bytes_ = nullptr;
  size_t size_ = 0;
};

// Header of the data file; rows × features values and the targets follow, then one byte a feature: is it a category?
struct DataHeader {
  uint64_t rows, features, classes;
};
// In the place of `rows`: path of a ledger and name of a task follow.
constexpr uint64_t kFromLedger = std::numeric_limits<uint64_t>::max();

// Header of the job file; the encoded job follows.
struct JobHeader {
  uint64_t memory_bytes;
  int64_t parent;  // process
};

class InlineTrainer : public Trainer {
 public:
  explicit InlineTrainer(const EncodedRows& data) : data_(data) {}
  void Start(uint32_t ticket, const TrainingJob& job) override { jobs_[ticket] = job; }
  bool Ended(uint32_t) override { return true; }
  void Kill(uint32_t) override {}
  std::optional<TrainingResult> Wait(uint32_t ticket, const std::function<bool()>&) override {
    const auto job = jobs_.extract(ticket);
    return RunTraining(job.mapped(), data_);
  }

 private:
  EncodedRows data_;
  std::map<uint32_t, TrainingJob> jobs_;
};

class ProcessTrainer : public Trainer {
 public:
  explicit ProcessTrainer(const WorkerOptions& options) : options_(options), data_("everlearn-data") {
    // Workers share the processors with the loop: their idle OpenMP threads must sleep, not spin.
    setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
  }

  void UseRows(const EncodedRows& data) {
    const DataHeader header{data.target.size(), data.features(), data.classes};
    data_.Append(&header, sizeof header);
    data_.Append(data.values.data(), data.values.size_bytes());
    data_.Append(data.target.data(), data.target.size_bytes());
    for (const bool is : data.is_category) {
      const char byte = is ? 1 : 0;
      data_.Append(&byte, 1);
    }
  }

  void UseLedger(const std::string& ledger, const std::string& task) {
    const DataHeader header{kFromLedger, 0, 0};
    ByteWriter out;
    out.PutText(ledger);
    out.PutText(task);
    data_.Append(&header, sizeof header);
    data_.Append(out.bytes().data(), out.size());
  }

  ~ProcessTrainer() override {
    for (const auto& [ticket, worker] : workers_) {
      kill(worker.process, SIGKILL);
      waitpid(worker.process, nullptr, 0);
    }
  }

  void Start(uint32_t ticket, const TrainingJob& job) override {
    MemoryFile job_file("everlearn-job");
    const std::string bytes = job.Encode();
    const JobHeader header{options_.memory_bytes, getpid()};
    job_file.Append(&header, sizeof header);
    job_file.Append(bytes.data(), bytes.size());
    Worker worker;
    worker.result = std::make_unique<MemoryFile>("everlearn-result");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    // Through high numbers first, so that no descriptor is overwritten before it was copied.
    constexpr int kAbove = 100;
    const int from[] = {data_.descriptor(), job_file.descriptor(), worker.result->descriptor()};
    for (int i = 0; i < 3; ++i) posix_spawn_file_actions_adddup2(&actions, from[i], kAbove + i);
    for (int i = 0; i < 3; ++i) posix_spawn_file_actions_adddup2(&actions, kAbove + i, kDataFile + i);
    for (int i = 0; i < 3; ++i) posix_spawn_file_actions_addclose(&actions, kAbove + i);
    char name[] = "everlearn", command[] = "worker";
    char* arguments[] = {name, command, nullptr};
    // A process group of its own: Control-C is for the loop, which decides what it means.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // Nor does it inherit which signals a service waits for.
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0);
    const int failed = posix_spawn(&worker.process, "/proc/self/exe", &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
      errno = failed;
      Fail("process");
    }
    workers_.emplace(ticket, std::move(worker));
  }

  bool Ended(uint32_t ticket) override {
    siginfo_t info{};
    const auto process = static_cast<id_t>(workers_.at(ticket).process);
    return waitid(P_PID, process, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
  }

  void Kill(uint32_t ticket) override { kill(workers_.at(ticket).process, SIGKILL); }

  std::optional<TrainingResult> Wait(uint32_t ticket, const std::function<bool()>& stop) override {
    if (!Ends(workers_.at(ticket).process, stop)) return std::nullopt;
    const auto node = workers_.extract(ticket);
    const Worker& worker = node.mapped();
    int status = 0;
    while (waitpid(worker.process, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
      const Mapping result(worker.result->descriptor());
      return TrainingResult::Decode(result.bytes());
    }
    TrainingResult failed;
    failed.failure = WIFSIGNALED(status) ? std::string("the worker was ended by signal ") + std::to_string(WTERMSIG(status))
                                         : "the worker ended with status " + std::to_string(WEXITSTATUS(status));
    return failed;
  }

 private:
  struct Worker {
    pid_t process = 0;
    std::unique_ptr<MemoryFile> result;
  };

  // Waits for the end of a process; false where `stop` came first.
  static bool Ends(pid_t process, const std::function<bool()>& stop) {
    constexpr int kLookEvery = 100;  // milliseconds
    if (!stop) return true;
    const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
    if (descriptor < 0) return true;  // an old kernel: the wait cannot be broken off
    pollfd ended{descriptor, POLLIN, 0};
    bool stopped = false;
    while (!stopped && poll(&ended, 1, kLookEvery) <= 0) stopped = stop();
    close(descriptor);
    return !stopped;
  }

  WorkerOptions options_;
  MemoryFile data_;
  std::map<uint32_t, Worker> workers_;
};

}  // namespace

std::unique_ptr<Trainer> MakeInlineTrainer(const EncodedRows& data) { return std::make_unique<InlineTrainer>(data); }

std::unique_ptr<Trainer> MakeProcessTrainer(const EncodedRows& data, const WorkerOptions& options) {
  auto trainer = std::make_unique<ProcessTrainer>(options);
  trainer->UseRows(data);
  return trainer;
}

std::unique_ptr<Trainer> MakeLedgerTrainer(const std::string& ledger, const std::string& task, const WorkerOptions& options) {
  auto trainer = std::make_unique<ProcessTrainer>(options);
  trainer->UseLedger(ledger, task);
  return trainer;
}

namespace {

EncodedRows MappedRows(const DataHeader& header, std::string_view bytes) {
  EncodedRows data;
  data.classes = header.classes;
  const auto* values = reinterpret_cast<const double*>(bytes.data() + sizeof header);
  data.values = {values, header.rows * header.features};
  data.target = {values + header.rows * header.features, header.rows};
  const char* flags = reinterpret_cast<const char*>(data.target.data() + header.rows);
  for (uint64_t f = 0; f < header.features; ++f) data.is_category.push_back(flags[f] != 0);
  return data;
}

TrainingResult RunOnLedger(std::string_view place, TrainingJob job) {
  ByteReader in(place);
  const std::string path = in.GetText(), task = in.GetText();
  try {
    const LedgerRows rows = ReadLedgerRows(*OpenLedger(path, {.read_only = true}, task), TaskFrame::Decode(job.frame));
    const EncodedRows data = rows.View();
    job.rows.resize(data.target.size());
    std::iota(job.rows.begin(), job.rows.end(), 0U);
    return RunTraining(job, data);
  } catch (const Error& error) {
    TrainingResult failed;
    failed.failure = error.message();
    return failed;
  }
}

}  // namespace

int WorkerMain() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setpriority(PRIO_PROCESS, 0, kPriority);
  struct stat status {};
  if (fstat(kDataFile, &status) != 0 || fstat(kJobFile, &status) != 0 || fstat(kResultFile, &status) != 0)
    throw Error(ErrorKind::kUsage, "the command worker is started by the loop only");
  const Mapping data_file(kDataFile), job_file(kJobFile);
  const std::string_view bytes = data_file.bytes();
  DataHeader header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  JobHeader job_header{};
  std::memcpy(&job_header, job_file.bytes().data(), sizeof job_header);
  if (getppid() != job_header.parent) return 1;  // it was gone before PR_SET_PDEATHSIG took effect
  if (job_header.memory_bytes > 0) {
    const rlimit limit{job_header.memory_bytes, job_header.memory_bytes};
    setrlimit(RLIMIT_DATA, &limit);
  }
  TrainingJob job = TrainingJob::Decode(job_file.bytes().substr(sizeof job_header));
  const std::string result =
      (header.rows == kFromLedger ? RunOnLedger(bytes.substr(sizeof header), std::move(job)) : RunTraining(job, MappedRows(header, bytes)))
          .Encode();
  for (size_t done = 0; done < result.size();) {
    const ssize_t written = write(kResultFile, result.data() + done, result.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return 1;
    done += static_cast<size_t>(written);
  }
  return 0;
}

}  // namespace everlearn
