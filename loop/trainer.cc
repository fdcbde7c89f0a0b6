#include "loop/trainer.h"

#include <poll.h>
#include <signal.h>
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
#include "base/memory_file.h"
#include "base/worker_process.h"
#include "ledger/ledger.h"
#include "loop/ledger_rows.h"

namespace everlearn {
namespace {

// Where a worker finds what it needs.
constexpr int kDataFile = kFirstHandedDescriptor, kJobFile = kDataFile + 1, kResultFile = kDataFile + 2;

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
    const int handed[] = {data_.descriptor(), job_file.descriptor(), worker.result->descriptor()};
    worker.process = StartWorker("worker", handed);
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
  struct stat status {};
  if (fstat(kDataFile, &status) != 0 || fstat(kJobFile, &status) != 0 || fstat(kResultFile, &status) != 0)
    throw Error(ErrorKind::kUsage, "the command worker is started by the loop only");
  const Mapping data_file(kDataFile), job_file(kJobFile);
  const std::string_view bytes = data_file.bytes();
  DataHeader header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  JobHeader job_header{};
  std::memcpy(&job_header, job_file.bytes().data(), sizeof job_header);
  if (!BeWorkerOf(static_cast<pid_t>(job_header.parent))) return 1;
  LowerPriority();
  LimitMemory(job_header.memory_bytes);
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
