#include "server/inference_protocol.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>

#include "base/error.h"

namespace everlearn {
namespace {

[[noreturn]] void Refuse(const std::string& what) { throw Error(ErrorKind::kInput, what); }

const char* DataTypeOf(ColumnType type) {
  switch (type) {
    case ColumnType::kNumber:
    case ColumnType::kInteger:
      return "FP64";
    case ColumnType::kBoolean:
      return "BOOL";
    default:
      return "BYTES";
  }
}

template <typename T>
Json Read(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  if constexpr (std::is_same_v<T, bool>) return *bytes != 0;
  else if constexpr (std::is_floating_point_v<T>) return value == value ? Json(static_cast<double>(value)) : Json(nullptr);
  else return value;
}

// IEEE 754 half precision.
Json ReadHalf(const char* bytes) {
  uint16_t bits;
  std::memcpy(&bits, bytes, sizeof bits);
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent == 31) return nullptr;
  const double size = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -size : size;
}

struct BinaryType {
  size_t size;
  std::function<Json(const char*)> read;
};

const std::map<std::string, BinaryType>& BinaryTypes() {
  static const std::map<std::string, BinaryType> types = {
      {"BOOL", {1, Read<bool>}},       {"INT8", {1, Read<int8_t>}},   {"INT16", {2, Read<int16_t>}},   {"INT32", {4, Read<int32_t>}},
      {"INT64", {8, Read<int64_t>}},   {"UINT8", {1, Read<uint8_t>}}, {"UINT16", {2, Read<uint16_t>}}, {"UINT32", {4, Read<uint32_t>}},
      {"UINT64", {8, Read<uint64_t>}}, {"FP16", {2, ReadHalf}},       {"FP32", {4, Read<float>}},      {"FP64", {8, Read<double>}}};
  return types;
}

std::string Name(const JsonObject& input) {
  const Json* name = input.if_contains("name");
  if (name == nullptr || !name->is_string()) Refuse("an input has no name");
  return std::string(name->get_string());
}

std::string DataType(const JsonObject& input, const std::string& name) {
  const Json* type = input.if_contains("datatype");
  if (type == nullptr || !type->is_string()) Refuse("the input '" + name + "' has no datatype");
  std::string text(type->get_string());
  if (text != "BYTES" && !BinaryTypes().contains(text)) Refuse("the input '" + name + "' has the unknown datatype '" + text + "'");
  return text;
}

size_t RowsOfShape(const JsonObject& input, const std::string& name) {
  const Json* shape = input.if_contains("shape");
  const bool good = shape != nullptr && shape->is_array() && !shape->get_array().empty() && shape->get_array().size() <= 2 &&
                    std::all_of(shape->get_array().begin(), shape->get_array().end(),
                                [](const Json& size) { return size.is_int64() && size.get_int64() >= 0; }) &&
                    (shape->get_array().size() == 1 || shape->get_array()[1].get_int64() == 1);
  if (!good) Refuse("the input '" + name + "' must have the shape [rows] or [rows, 1]");
  return static_cast<size_t>(shape->get_array()[0].get_int64());
}

// The size of the input's piece in the binary part; npos where its data is in the JSON.
size_t BinarySize(const JsonObject& object) {
  const Json* parameters = object.if_contains("parameters");
  const Json* size = parameters != nullptr && parameters->is_object() ? parameters->get_object().if_contains("binary_data_size") : nullptr;
  if (size == nullptr) return std::string::npos;
  if (!size->is_int64() || size->get_int64() < 0) Refuse("binary_data_size must be a number of bytes");
  return static_cast<size_t>(size->get_int64());
}

JsonArray FromBinary(const std::string& name, const std::string& type, std::string_view bytes) {
  JsonArray values;
  if (type == "BYTES") {
    while (!bytes.empty()) {
      uint32_t length = 0;
      if (bytes.size() < sizeof length) Refuse("the binary data of '" + name + "' ends too early");
      std::memcpy(&length, bytes.data(), sizeof length);
      bytes.remove_prefix(sizeof length);
      if (bytes.size() < length) Refuse("the binary data of '" + name + "' ends too early");
      values.emplace_back(bytes.substr(0, length));
      bytes.remove_prefix(length);
    }
    return values;
  }
  const BinaryType& binary = BinaryTypes().at(type);
  if (bytes.size() % binary.size != 0) Refuse("the binary data of '" + name + "' is no whole number of values");
  for (size_t at = 0; at < bytes.size(); at += binary.size) values.push_back(binary.read(bytes.data() + at));
  return values;
}

void Flatten(const Json& value, JsonArray* flat) {
  if (!value.is_array()) {
    flat->push_back(value);
    return;
  }
  for (const Json& item : value.get_array()) Flatten(item, flat);
}

// An empty text of BYTES is a missing value, as the protocol has no null.
void Put(const std::string& name, const std::string& type, JsonArray values, JsonArray* rows) {
  if (values.size() != rows->size())
    Refuse("the input '" + name + "' has " + std::to_string(values.size()) + " values, its shape says " + std::to_string(rows->size()));
  for (size_t i = 0; i < values.size(); ++i) {
    const bool missing = type == "BYTES" && values[i].is_string() && values[i].get_string().empty();
    (*rows)[i].get_object()[name] = missing ? Json(nullptr) : std::move(values[i]);
  }
}

void ReadOutputs(const JsonObject& body, InferRequest* request) {
  const Json* parameters = body.if_contains("parameters");
  const Json* all = parameters != nullptr && parameters->is_object() ? parameters->get_object().if_contains("binary_data_output") : nullptr;
  const bool all_binary = all != nullptr && all->is_bool() && all->get_bool();
  const Json* outputs = body.if_contains("outputs");
  if (outputs == nullptr) {
    if (all_binary) request->outputs = {{"prediction", true}, {"probabilities", true}, {"id", true}};
    return;
  }
  if (!outputs->is_array()) Refuse("'outputs' must be a list");
  for (const Json& output : outputs->get_array()) {
    if (!output.is_object()) Refuse("an output must be an object with a name");
    const std::string name = Name(output.get_object());
    if (name != "prediction" && name != "probabilities" && name != "id") Refuse("there is no output '" + name + "'");
    const Json* own = output.get_object().if_contains("parameters");
    const Json* binary = own != nullptr && own->is_object() ? own->get_object().if_contains("binary_data") : nullptr;
    request->outputs.emplace_back(name, binary != nullptr && binary->is_bool() ? binary->get_bool() : all_binary);
  }
}

template <typename T>
void Append(T value, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string BinaryValues(const JsonArray& values) {
  std::string bytes;
  for (const Json& value : values) {
    if (!value.is_string()) {
      Append(value.is_number() ? value.to_number<double>() : std::nan(""), &bytes);
      continue;
    }
    Append(static_cast<uint32_t>(value.get_string().size()), &bytes);
    bytes.append(std::string_view(value.get_string()));
  }
  return bytes;
}

}  // namespace

JsonObject ProtocolServerMetadata(const std::string& version) {
  return {{"name", "everlearn"}, {"version", version}, {"extensions", JsonArray{"binary_tensor_data"}}};
}

JsonObject ProtocolModelMetadata(const std::string& name, const std::string& version, const Task& task, const Schema& schema,
                                 const std::vector<std::string>& columns) {
  JsonArray inputs;
  for (const std::string& column : columns) {
    const ColumnSchema* found = schema.Find(column);
    if (found != nullptr) inputs.push_back(JsonObject{{"name", column}, {"datatype", DataTypeOf(found->type)}, {"shape", JsonArray{-1}}});
  }
  JsonArray outputs{
      JsonObject{{"name", "prediction"}, {"datatype", task.is_classification() ? "BYTES" : "FP64"}, {"shape", JsonArray{-1}}}};
  if (task.is_classification())
    outputs.push_back(JsonObject{{"name", "probabilities"}, {"datatype", "FP64"}, {"shape", JsonArray{-1, task.labels.size()}}});
  return {{"name", name}, {"versions", JsonArray{version}}, {"platform", "everlearn"}, {"inputs", inputs}, {"outputs", outputs}};
}

InferRequest ParseInferRequest(const std::string& body, const std::string& header_length) {
  size_t json_size = body.size();
  if (!header_length.empty()) {
    const auto [end, error] = std::from_chars(header_length.data(), header_length.data() + header_length.size(), json_size);
    if (error != std::errc() || end != header_length.data() + header_length.size() || json_size > body.size())
      Refuse("Inference-Header-Content-Length is no length of this request");
  }
  const Json parsed = ParseJson(std::string_view(body).substr(0, json_size), "the request");
  std::string_view binary = std::string_view(body).substr(json_size);
  const Json* inputs = parsed.is_object() ? parsed.get_object().if_contains("inputs") : nullptr;
  if (inputs == nullptr || !inputs->is_array() || inputs->get_array().empty()) Refuse("the request needs a list 'inputs', one a column");
  InferRequest request;
  if (const Json* id = parsed.get_object().if_contains("id"); id != nullptr && id->is_string()) request.id = std::string(id->get_string());
  bool first = true;
  for (const Json& input : inputs->get_array()) {
    if (!input.is_object()) Refuse("an input must be an object");
    const JsonObject& object = input.get_object();
    const std::string name = Name(object), type = DataType(object, name);
    const size_t rows = RowsOfShape(object, name), binary_size = BinarySize(object);
    JsonArray values;
    if (binary_size == std::string::npos) {
      const Json* data = object.if_contains("data");
      if (data == nullptr || !data->is_array()) Refuse("the input '" + name + "' has no data");
      Flatten(*data, &values);
    } else {
      if (binary_size > binary.size()) Refuse("the binary data of '" + name + "' ends too early");
      values = FromBinary(name, type, binary.substr(0, binary_size));
      binary.remove_prefix(binary_size);
    }
    // Made from what is there, not from what the shape promises.
    if (first) request.rows.resize(values.size(), Json(JsonObject()));
    if (rows != values.size() || rows != request.rows.size())
      Refuse("the input '" + name + "' has " + std::to_string(values.size()) + " values; all inputs must have as many as their shapes say");
    Put(name, type, std::move(values), &request.rows);
    first = false;
  }
  ReadOutputs(parsed.get_object(), &request);
  return request;
}

HttpResponse InferResponse(const InferRequest& request, const std::string& model, const std::string& version, const JsonArray& ids,
                           const JsonArray& predictions, const std::vector<double>& probabilities, size_t classes) {
  auto outputs = request.outputs;
  if (outputs.empty()) outputs = {{"prediction", false}, {"probabilities", false}, {"id", false}};
  JsonArray described;
  std::string binary;
  for (const auto& [name, in_binary] : outputs) {
    const bool is_probabilities = name == "probabilities";
    if (is_probabilities && classes == 0) continue;
    const JsonArray& values = name == "id" ? ids : predictions;
    JsonObject output{{"name", name},
                      {"datatype", name == "id" || (!is_probabilities && classes > 0) ? "BYTES" : "FP64"},
                      {"shape", is_probabilities ? JsonArray{ids.size(), classes} : JsonArray{ids.size()}}};
    std::string bytes;
    if (in_binary && !is_probabilities) bytes = BinaryValues(values);
    if (in_binary && is_probabilities)
      for (const double p : probabilities) Append(p, &bytes);
    if (in_binary) output["parameters"] = JsonObject{{"binary_data_size", bytes.size()}};
    else if (is_probabilities) output["data"] = JsonArray(probabilities.begin(), probabilities.end());
    else output["data"] = values;
    binary += bytes;
    described.push_back(std::move(output));
  }
  JsonObject document{{"model_name", model}, {"model_version", version}};
  if (!request.id.empty()) document["id"] = request.id;
  document["outputs"] = std::move(described);
  HttpResponse response{.body = ToText(document)};
  if (binary.empty()) return response;
  response.headers.emplace_back("Inference-Header-Content-Length", std::to_string(response.body.size()));
  response.content_type = "application/octet-stream";
  response.body += binary;
  return response;
}

}  // namespace everlearn
