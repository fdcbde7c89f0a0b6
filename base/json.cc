#include "base/json.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>

#include "base/error.h"

namespace everlearn {
namespace {

void Write(const Json& value, bool pretty, int depth, std::string* out) {
  const auto line = [&](int level) {
    if (!pretty) return;
    out->push_back('\n');
    out->append(static_cast<size_t>(level) * 2, ' ');
  };
  switch (value.kind()) {
    case boost::json::kind::object: {
      const JsonObject& object = value.get_object();
      out->push_back('{');
      bool first = true;
      for (const auto& [name, item] : object) {
        if (!first) out->append(pretty ? "," : ", ");
        first = false;
        line(depth + 1);
        out->append(boost::json::serialize(boost::json::string(name)));
        out->append(": ");
        Write(item, pretty, depth + 1, out);
      }
      if (!object.empty()) line(depth);
      out->push_back('}');
      break;
    }
    case boost::json::kind::array: {
      const JsonArray& array = value.get_array();
      out->push_back('[');
      bool first = true;
      for (const Json& item : array) {
        if (!first) out->append(pretty ? "," : ", ");
        first = false;
        line(depth + 1);
        Write(item, pretty, depth + 1, out);
      }
      if (!array.empty()) line(depth);
      out->push_back(']');
      break;
    }
    case boost::json::kind::double_: {
      const double number = value.get_double();
      out->append(std::isfinite(number) ? NumberText(number) : "null");
      break;
    }
    default:
      out->append(boost::json::serialize(value));
  }
}

[[noreturn]] void Wrong(std::string_view name, const char* wanted) {
  throw Error(ErrorKind::kDamaged, "field '" + std::string(name) + "' is " + wanted);
}

}  // namespace

std::string NumberText(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return std::string(buffer, end);
}

std::string ToText(const Json& value, bool pretty) {
  std::string out;
  Write(value, pretty, 0, &out);
  return out;
}

Json ParseJson(std::string_view text, std::string_view what) {
  boost::json::parse_options options;
  options.max_depth = 64;
  boost::system::error_code code;
  Json value = boost::json::parse(boost::json::string_view(text.data(), text.size()), code, {}, options);
  if (code) throw Error(ErrorKind::kInput, std::string(what) + " is not valid JSON: " + code.message());
  return value;
}

const Json& Field(const Json& object, std::string_view name) {
  if (!object.is_object()) Wrong(name, "not inside an object");
  const Json* found = object.get_object().if_contains(name);
  if (found == nullptr) Wrong(name, "missing");
  return *found;
}

std::string TextField(const Json& object, std::string_view name) {
  const Json& value = Field(object, name);
  if (!value.is_string()) Wrong(name, "not a text");
  return std::string(value.get_string());
}

double NumberField(const Json& object, std::string_view name) {
  const Json& value = Field(object, name);
  if (value.is_double()) return value.get_double();
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  Wrong(name, "not a number");
}

int64_t IntegerField(const Json& object, std::string_view name) {
  const Json& value = Field(object, name);
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64() && value.get_uint64() <= INT64_MAX) return static_cast<int64_t>(value.get_uint64());
  Wrong(name, "not an integer");
}

const JsonArray& ArrayField(const Json& object, std::string_view name) {
  const Json& value = Field(object, name);
  if (!value.is_array()) Wrong(name, "not a list");
  return value.get_array();
}

}  // namespace everlearn
