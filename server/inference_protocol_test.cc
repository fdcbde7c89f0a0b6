// Tests of the Open Inference Protocol: JSON and binary tensors mean the same rows, answers are in the form that was asked for.
#include "server/inference_protocol.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"

namespace everlearn {
namespace {

TEST(InferenceProtocol, RowsFromJson) {
  const InferRequest request = ParseInferRequest(R"({"id": "7", "inputs": [
      {"name": "a", "shape": [2], "datatype": "FP64", "data": [1.5, 2]},
      {"name": "b", "shape": [2, 1], "datatype": "BYTES", "data": [["x"], [""]]},
      {"name": "c", "shape": [2], "datatype": "BOOL", "data": [true, false]}], "outputs": [{"name": "prediction"}]})",
                                                 "");
  EXPECT_EQ(ToText(request.rows), R"([{"a": 1.5, "b": "x", "c": true}, {"a": 2, "b": null, "c": false}])");
  const HttpResponse response = InferResponse(request, "t", "1", {"i1", "i2"}, {"yes", "no"}, {0.2, 0.8, 0.7, 0.3}, 2);
  EXPECT_EQ(
      response.body,
      R"({"model_name": "t", "model_version": "1", "id": "7", "outputs": [{"name": "prediction", "datatype": "BYTES", "shape": [2], "data": ["yes", "no"]}]})");
}

TEST(InferenceProtocol, BinaryTensors) {
  std::string json = R"({"inputs": [{"name": "a", "shape": [2], "datatype": "FP32", "parameters": {"binary_data_size": 8}},
      {"name": "b", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": 11}},
      {"name": "c", "shape": [2], "datatype": "FP16", "parameters": {"binary_data_size": 4}}],
      "parameters": {"binary_data_output": true}})";
  std::string binary;
  for (const float value : {1.5F, -2.0F}) binary.append(reinterpret_cast<const char*>(&value), 4);
  binary += std::string("\x03\0\0\0abc\0\0\0\0", 11);
  binary += std::string("\x00\x3e\x00\xc0", 4);  // 1.5, -2
  const InferRequest request = ParseInferRequest(json + binary, std::to_string(json.size()));
  EXPECT_EQ(ToText(request.rows), R"([{"a": 1.5, "b": "abc", "c": 1.5}, {"a": -2, "b": null, "c": -2}])");
  const HttpResponse response = InferResponse(request, "t", "1", {"i1", "i2"}, {"yes", "no"}, {0.2, 0.8, 0.7, 0.3}, 2);
  const size_t length = std::stoul(response.headers.at(0).second);
  EXPECT_EQ(response.body.size() - length, 4 + 3 + 4 + 2 + 4 * sizeof(double) + 2 * (4 + 2));
  double last = 0;
  std::memcpy(&last, response.body.data() + response.body.size() - 12 - sizeof last, sizeof last);
  EXPECT_EQ(last, 0.3);
}

TEST(InferenceProtocol, WhatIsBrokenIsTold) {
  for (const char* body : {"{}", "[]", R"({"inputs": []})", R"({"inputs": [{"name": "a", "shape": [2], "datatype": "FP64", "data": [1]}]})",
                           R"({"inputs": [{"name": "a", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]})",
                           R"({"inputs": [{"name": "a", "shape": [1], "datatype": "FP8", "data": [1]}]})",
                           R"({"inputs": [{"name": "a", "shape": [1], "datatype": "FP64"}]})",
                           R"({"inputs": [{"shape": [1], "datatype": "FP64", "data": [1]}]})",
                           R"({"inputs": [{"name": "a", "shape": [99999999999], "datatype": "FP64", "data": [1]}]})",
                           R"({"inputs": [{"name": "a", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": 8}}]})",
                           R"({"inputs": [{"name": "a", "shape": [1], "datatype": "FP64", "data": [1]}], "outputs": [{"name": "loss"}]})"})
    EXPECT_THROW(ParseInferRequest(body, ""), Error) << body;
  EXPECT_THROW(ParseInferRequest("{}", "99"), Error);
  EXPECT_THROW(ParseInferRequest("{}", "x"), Error);
}

}  // namespace
}  // namespace everlearn
