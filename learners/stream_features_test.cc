// Rows as the online learners read them: the same values as the model that is stored reads, and zeros that stay zeros.
#include "learners/stream_features.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/random.h"

namespace everlearn {
namespace {

// By place and value, wherever they come from.
std::vector<std::pair<uint64_t, double>> Values(const StreamFeatures& features) {
  std::vector<std::pair<uint64_t, double>> values;
  for (size_t i = 0; i < features.numbers().size(); ++i)
    if (features.numbers()[i] != 0) values.emplace_back(features.hashes()[i], features.numbers()[i]);
  for (const HashedValue& hashed : features.hashed()) values.emplace_back(hashed.hash, hashed.value);
  std::sort(values.begin(), values.end());
  return values;
}

TEST(StreamFeatures, ReadsWhatTheModelReads) {
  for (const bool sparse : {false, true}) {
    for (const int bits : {18, 2}) {  // of 2 bits: numbers share places
      const StreamShape shape{{false, true, false, false, false, false}, 2};
      StreamFeatures features(shape, bits, sparse);
      Random random(1);
      for (int i = 0; i < 600; ++i) {
        const double row[6] = {random.Normal() * 100,
                               static_cast<double>(random.Below(5)),
                               random.Uniform() < 0.7 ? 0 : random.Normal(),
                               random.Uniform() < 0.3 ? kMissing : 3.0,
                               random.Uniform() < 0.01 ? 1e300 : random.Uniform(),
                               0};
        features.Learn(row);
        features.Read(row);
        std::vector<std::pair<uint64_t, double>> expected;
        ForEachHashed(features.Features(), row, [&](const HashedValue& value) {
          if (value.value != 0) expected.emplace_back(value.hash, value.value);
        });
        std::sort(expected.begin(), expected.end());
        ASSERT_EQ(Values(features), expected) << "row " << i;
      }
    }
  }
}

TEST(StreamFeatures, ZerosOfAnEmptyColumnStayZeros) {
  StreamFeatures features({{false, false}, 2}, 18, true);
  Random random(2);
  for (int i = 0; i < 1000; ++i) {
    const double row[2] = {random.Uniform() < 0.9 ? 0.0 : random.Uniform() < 0.5 ? 4.0 : -2.0, 5 + random.Normal()};
    features.Learn(row);
    features.Read(row);
    EXPECT_EQ(features.numbers()[0] == 0, row[0] == 0);
  }
  const double row[2] = {std::sqrt(10.0), 5};  // the root mean square of 4 and -2
  features.Read(row);
  EXPECT_NEAR(features.numbers()[0], 1, 0.1);
  EXPECT_NEAR(features.numbers()[1], 0, 0.1);
}

}  // namespace
}  // namespace everlearn
