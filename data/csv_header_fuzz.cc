// Fuzz entry: no first line of a CSV file and no field may crash their parsers.
#include "data/csv_header.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/field.h"

std::vector<std::string> FuzzSeeds() {
  return {"age;\"in; come\";town",   "a,b,,\"c\"\"d\",a", "x\ty\tz",  "$1,234.50",
          "2013-01-31T05:15:00.25Z", "1/2/2013 11:59 PM", "-1.5e-300"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    std::vector<std::string> names = everlearn::ParseCsvHeader(text, '\0', "input").names, warnings;
    everlearn::MakeNamesUnique(&names, "input", &warnings);
  } catch (const everlearn::Error&) {
  }
  (void)everlearn::ParsePlainNumber(text);
  (void)everlearn::ParseDecoratedNumber(text);
  for (const auto order : {everlearn::DateOrder::kIso, everlearn::DateOrder::kMonthFirst, everlearn::DateOrder::kDayFirst})
    (void)everlearn::ParseDate(text, order);
  return 0;
}
