// Fuzz entry: no stored drift may crash its loader, nor the rows that are counted after it, in any of the tracker's phases.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "guard/drift_tracker.h"

namespace {

using namespace everlearn;

void Feed(DriftTracker* tracker, uint64_t first, uint64_t rows) {
  for (uint64_t i = first; i < first + rows; ++i) {
    const double row[] = {static_cast<double>(i % 97) / 7, static_cast<double>(i % 5)};
    tracker->AddRow(i, row);
    tracker->AddLoss(i, row, static_cast<double>(i % 3));
  }
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  for (const uint64_t rows : {20u, 2600u, 11'000u, 32'000u}) {
    DriftTracker tracker({false, true});
    Feed(&tracker, 0, rows);
    ByteWriter out;
    tracker.Save(&out);
    seeds.push_back(out.Take());
  }
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    DriftTracker tracker({false, true});
    ByteReader in(std::string_view(reinterpret_cast<const char*>(data), size));
    tracker.Load(&in);
    tracker.Ranked();
    Feed(&tracker, 50'000, 12'000);
    tracker.Ranked();
  } catch (const Error&) {
  }
  return 0;
}
