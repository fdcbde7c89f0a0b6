// Tests of MLflow's request forms: all of them mean the same rows, and what is broken is told.
#include "server/mlflow.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace everlearn {
namespace {

TEST(Mlflow, AllFormsMeanTheSameRows) {
  const std::string expected = R"([{"a": 1, "b": "x"}, {"a": null, "b": "y"}])";
  for (const char* body :
       {R"({"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"], [null, "y"]]}})",
        R"({"dataframe_records": [{"a": 1, "b": "x"}, {"a": null, "b": "y"}]})",
        R"({"instances": [{"a": 1, "b": "x"}, {"a": null, "b": "y"}]})", R"({"inputs": {"a": [1, null], "b": ["x", "y"]}})"})
    EXPECT_EQ(ToText(RowsOfInvocation("application/json", body)), ToText(ParseJson(expected, "e"))) << body;
}

TEST(Mlflow, Csv) {
  const JsonArray rows = RowsOfInvocation("text/csv; charset=utf-8", "a,b\r\n1,\"x, \"\"y\"\"\nz\"\n,2\n");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].at("b").as_string(), "x, \"y\"\nz");
  EXPECT_TRUE(rows[1].at("a").is_null());
  EXPECT_EQ(RowsOfInvocation("text/csv", "a,b\n").size(), 0u);
}

TEST(Mlflow, WhatIsBrokenIsTold) {
  for (const char* body : {"[]", "{}", "{", R"({"dataframe_split": []})", R"({"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}})",
                           R"({"instances": [[1, 2]]})", R"({"inputs": {"a": [1], "b": [1, 2]}})", R"({"dataframe_records": 5})"})
    EXPECT_THROW(RowsOfInvocation("application/json", body), Error) << body;
  EXPECT_THROW(RowsOfInvocation("text/csv", ""), Error);
  EXPECT_THROW(RowsOfInvocation("text/csv", "a,b\n1\n"), Error);
  EXPECT_THROW(RowsOfInvocation("text/csv", "a\n\"x"), Error);
}

}  // namespace
}  // namespace everlearn
