// What the process has used so far: wall time, CPU time, memory.
#pragma once

#include <chrono>
#include <cstdint>

namespace everlearn {

class Stopwatch {
 public:
  double Seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// CPU seconds (user and system) of this process and of its ended children.
double CpuSeconds();

// CPU seconds of the calling thread.
double ThreadCpuSeconds();

// The largest resident size of this process or of an ended child, in bytes.
uint64_t PeakMemoryBytes();

// The resident size of this process now, in bytes; 0 where the system does not say.
uint64_t ResidentMemoryBytes();

}  // namespace everlearn
