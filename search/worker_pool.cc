// Parent and worker talk over a socket pair: messages are a length of eight bytes and that many bytes.
#include "search/worker_pool.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <new>
#include <optional>

#include "base/error.h"
#include "base/worker_process.h"
#include "learner/dataset_block.h"

namespace everlearn {
namespace {

constexpr int kDataFile = kFirstHandedDescriptor, kPlanFile = kDataFile + 1, kSocket = kDataFile + 2;
constexpr int kOutOfMemory = 3;  // exit status
constexpr const char* kCommand = "search-worker";

bool SendAll(int socket, const void* bytes, size_t size) {
  const auto* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t sent = send(socket, at, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    at += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

bool ReceiveAll(int socket, void* bytes, size_t size) {
  auto* at = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t got = recv(socket, at, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

bool SendMessage(int socket, const std::string& message) {
  const uint64_t size = message.size();
  return SendAll(socket, &size, sizeof size) && SendAll(socket, message.data(), message.size());
}

std::optional<std::string> ReceiveMessage(int socket) {
  uint64_t size = 0;
  if (!ReceiveAll(socket, &size, sizeof size)) return std::nullopt;
  std::string message(size, '\0');
  if (!ReceiveAll(socket, message.data(), size)) return std::nullopt;
  return message;
}

uint64_t ProportionalMemory(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/smaps_rollup");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("Pss:")) return std::stoull(line.substr(line.find_first_of("0123456789"))) * 1024;
  return 0;
}

}  // namespace

struct WorkerPool::Worker {
  pid_t process = 0;  // 0: none
  int socket = -1;
  bool busy = false;
  uint64_t piece = 0;
};

WorkerPool::WorkerPool(const MemoryFile& data, SearchPlan plan, int workers) : data_(data), plan_("everlearn-plan") {
  plan.parent = getpid();
  const std::string bytes = plan.Encode();
  plan_.Append(bytes.data(), bytes.size());
  for (int i = 0; i < workers; ++i) workers_.push_back(std::make_unique<Worker>());
}

WorkerPool::~WorkerPool() {
  for (const auto& worker : workers_) End(worker.get());
}

int WorkerPool::busy() const {
  return static_cast<int>(std::count_if(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->busy; }));
}

int WorkerPool::idle() const { return static_cast<int>(workers_.size()) - busy(); }

void WorkerPool::Launch(Worker* worker) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    throw Error(ErrorKind::kResource, std::string("a worker process could not be started: ") + std::strerror(errno));
  const int handed[] = {data_.descriptor(), plan_.descriptor(), pair[1]};
  try {
    worker->process = StartWorker(kCommand, handed);
  } catch (...) {
    close(pair[0]);
    close(pair[1]);
    throw;
  }
  close(pair[1]);
  worker->socket = pair[0];
}

void WorkerPool::End(Worker* worker) {
  if (worker->process == 0) return;
  kill(worker->process, SIGKILL);
  close(worker->socket);
  while (waitpid(worker->process, nullptr, 0) < 0 && errno == EINTR) {
  }
  *worker = Worker();
}

void WorkerPool::Start(const PieceRequest& request) {
  // One that runs already has mapped the data.
  const auto free = [](const auto& worker) { return !worker->busy; };
  auto chosen = std::find_if(workers_.begin(), workers_.end(), [&](const auto& worker) { return free(worker) && worker->process != 0; });
  if (chosen == workers_.end()) chosen = std::find_if(workers_.begin(), workers_.end(), free);
  Worker* worker = chosen->get();
  if (worker->process == 0) Launch(worker);
  if (!SendMessage(worker->socket, request.Encode())) {  // it died while it was idle
    End(worker);
    Launch(worker);
    SendMessage(worker->socket, request.Encode());  // where this fails, too, Wait finds the socket closed
  }
  worker->busy = true;
  worker->piece = request.number;
}

PieceResult WorkerPool::Died(Worker* worker) {
  PieceResult result;
  result.number = worker->piece;
  result.status = TrialStatus::kFailed;
  kill(worker->process, SIGKILL);  // its end of the socket is closed, but it may still be on its way out
  int status = 0;
  while (waitpid(worker->process, &status, 0) < 0 && errno == EINTR) {
  }
  close(worker->socket);
  *worker = Worker();
  const bool out_of_memory = WIFEXITED(status) && WEXITSTATUS(status) == kOutOfMemory;
  result.reason = out_of_memory         ? "out of memory"
                  : WIFSIGNALED(status) ? "its process was ended by signal " + std::to_string(WTERMSIG(status))
                                        : "its process ended with status " + std::to_string(WEXITSTATUS(status));
  return result;
}

std::vector<PieceResult> WorkerPool::Wait(double seconds) {
  std::vector<pollfd> sockets;
  std::vector<Worker*> waiting;
  for (const auto& worker : workers_) {
    if (!worker->busy) continue;
    sockets.push_back({worker->socket, POLLIN, 0});
    waiting.push_back(worker.get());
  }
  std::vector<PieceResult> results;
  if (sockets.empty()) return results;
  if (poll(sockets.data(), sockets.size(), static_cast<int>(std::ceil(std::max(0.0, seconds) * 1000))) <= 0) return results;
  for (size_t i = 0; i < sockets.size(); ++i) {
    if (sockets[i].revents == 0) continue;
    const auto message = ReceiveMessage(sockets[i].fd);
    waiting[i]->busy = false;
    results.push_back(message ? PieceResult::Decode(*message) : Died(waiting[i]));
  }
  return results;
}

void WorkerPool::Abandon() {
  for (const auto& worker : workers_)
    if (worker->busy) End(worker.get());
}

uint64_t WorkerPool::MemoryBytes() const {
  uint64_t sum = ProportionalMemory(getpid());
  for (const auto& worker : workers_)
    if (worker->process != 0) sum += ProportionalMemory(worker->process);
  return sum;
}

int SearchWorkerMain() {
  struct stat status {};
  if (fstat(kDataFile, &status) != 0 || fstat(kPlanFile, &status) != 0 || fstat(kSocket, &status) != 0)
    throw Error(ErrorKind::kUsage, std::string("the command ") + kCommand + " is started by a search only");
  const auto mapping = std::make_shared<const Mapping>(kDataFile);
  const SearchPlan plan = SearchPlan::Decode(Mapping(kPlanFile).bytes());
  if (!BeWorkerOf(static_cast<pid_t>(plan.parent))) return 1;
  LimitMemory(plan.memory_bytes);
  const std::unique_ptr<Dataset> data = MapDataset(mapping);
  try {
    while (const auto message = ReceiveMessage(kSocket)) {
      if (!SendMessage(kSocket, RunPiece(plan, *data, PieceRequest::Decode(*message)).Encode())) return 1;
      malloc_trim(0);  // the next piece may need little
    }
  } catch (const std::bad_alloc&) {
    return kOutOfMemory;
  }
  return 0;
}

}  // namespace everlearn
