#include "base/resources.h"

#include <sys/resource.h>
#include <time.h>

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace everlearn {
namespace {

double Seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; }

constexpr uint64_t kKilobyte = 1024;

// getrusage would also count what the process that started this one had in memory before it became this program.
uint64_t OwnPeakBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    uint64_t kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes * kKilobyte;
  }
  rusage self{};
  getrusage(RUSAGE_SELF, &self);
  return static_cast<uint64_t>(self.ru_maxrss) * kKilobyte;
}

}  // namespace

double CpuSeconds() {
  rusage self{}, children{};
  getrusage(RUSAGE_SELF, &self);
  getrusage(RUSAGE_CHILDREN, &children);
  return Seconds(self.ru_utime) + Seconds(self.ru_stime) + Seconds(children.ru_utime) + Seconds(children.ru_stime);
}

double ThreadCpuSeconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

uint64_t PeakMemoryBytes() {
  rusage children{};
  getrusage(RUSAGE_CHILDREN, &children);
  return std::max(OwnPeakBytes(), static_cast<uint64_t>(children.ru_maxrss) * kKilobyte);
}

uint64_t ResidentMemoryBytes() {
  uint64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace everlearn
