// Distances to stored rows equal those summed one by one.
#include "base/row_distances.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"

namespace everlearn {
namespace {

TEST(RowDistances, EqualThoseOfAPlainLoop) {
  Random random(1);
  for (const size_t rows : {0, 1, 63, 1024, 1500}) {
    const size_t columns = 7, categories = 6, stride = rows + 5;
    std::vector<float> stored(columns * stride), x(columns);
    std::vector<uint16_t> codes(categories * stride);
    for (float& value : stored) value = static_cast<float>(random.Normal());
    for (float& value : x) value = static_cast<float>(random.Normal());
    for (uint16_t& code : codes) code = static_cast<uint16_t>(random.Below(3));
    const uint32_t row_codes[] = {1, 65'536, 0, 2, 1, 0};
    const float apart[] = {0.25f, 2, 0.1f, 0.3f, 0.7f, 1.1f};
    std::vector<float> distances(rows);
    SquaredDistances({stored.data(), codes.data(), stride, rows, columns, categories}, x.data(), row_codes, apart, distances.data());
    for (size_t i = 0; i < rows; ++i) {
      float expected = 0;
      for (size_t c = 0; c < columns; ++c) expected += (x[c] - stored[c * stride + i]) * (x[c] - stored[c * stride + i]);
      for (size_t c = 0; c < categories; ++c) expected += codes[c * stride + i] == row_codes[c] ? 0 : apart[c];
      ASSERT_EQ(distances[i], expected) << i;
    }
  }
}

}  // namespace
}  // namespace everlearn
