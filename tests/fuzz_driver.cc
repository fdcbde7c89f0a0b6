// Feeds a fuzz entry with changed copies of its own good inputs: NAME_fuzz [RUNS [SEED]].
//
// A small stand-in for libFuzzer, which g++ does not have: no coverage feedback, but it runs wherever the tests run, and under every
// sanitizer. The same seed gives the same inputs. Where a run crashes, its number is the last line on standard error.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/random.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// Inputs that are good; at least one.
std::vector<std::string> FuzzSeeds();

namespace {

using everlearn::Random;

char message[64];

void SayRun() { (void)!write(STDERR_FILENO, message, std::strlen(message)); }

// A sanitizer reports the crash itself, and then says the run.
#ifdef __SANITIZE_ADDRESS__
void WatchForCrashes() { __sanitizer_set_death_callback(SayRun); }
#else
void WatchForCrashes() {
  for (const int number : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL}) {
    signal(number, [](int caught) {
      SayRun();
      signal(caught, SIG_DFL);
      raise(caught);
    });
  }
}
#endif

// One change: a bit, a byte, a number that bounds checks forget, a piece removed, repeated, or taken from elsewhere.
void Change(Random& random, std::string* bytes) {
  constexpr uint64_t kEdges[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, 0x7fffffffffffffff, 0xffffffffffffffff};
  if (bytes->empty()) bytes->push_back('\0');
  const size_t at = random.Below(bytes->size());
  const size_t length = 1 + random.Below(std::min<size_t>(bytes->size() - at, 64));
  switch (random.Below(6)) {
    case 0:
      (*bytes)[at] = static_cast<char>((*bytes)[at] ^ (1 << random.Below(8)));
      break;
    case 1:
      (*bytes)[at] = static_cast<char>(random.Below(256));
      break;
    case 2: {
      const uint64_t edge = kEdges[random.Below(std::size(kEdges))];
      std::memcpy(bytes->data() + at, &edge, std::min<size_t>(size_t{1} << random.Below(4), bytes->size() - at));
      break;
    }
    case 3:
      bytes->erase(at, length);
      break;
    case 4:
      bytes->insert(at, bytes->substr(at, length));
      break;
    default:
      bytes->replace(at, length, bytes->substr(random.Below(bytes->size()), length));
  }
}

}  // namespace

int main(int count, char** arguments) {
  const uint64_t runs = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 20'000;
  const uint64_t seed = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1;
  const std::vector<std::string> seeds = FuzzSeeds();
  WatchForCrashes();
  for (uint64_t run = 0; run < runs; ++run) {
    std::snprintf(message, sizeof message, "fuzz run %llu crashed\n", static_cast<unsigned long long>(run));
    Random random = Random::Derive(seed, run);
    std::string bytes = seeds[random.Below(seeds.size())];
    for (uint64_t left = run == 0 ? 0 : 1 + random.Below(6); left > 0; --left) Change(random, &bytes);
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  }
  return 0;
}
