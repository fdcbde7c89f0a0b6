// Tests of name suggestions.
#include "base/suggest.h"

#include <gtest/gtest.h>

namespace everlearn {
namespace {

TEST(Suggest, CountsEdits) {
  EXPECT_EQ(EditDistance("gradient_bosting", "gradient_boosting"), 1);
  EXPECT_EQ(EditDistance("", "abc"), 3);
  EXPECT_EQ(EditDistance("ab", "ba"), 1);
  EXPECT_EQ(EditDistance("Income", "income"), 0);
}

TEST(Suggest, NamesTheNearestOrListsAll) {
  EXPECT_EQ(SuggestionHint("incom", {"age", "income"}), "did you mean 'income'?");
  EXPECT_EQ(SuggestionHint("zzzzzz", {"age", "income"}), "known: age, income");
}

}  // namespace
}  // namespace everlearn
