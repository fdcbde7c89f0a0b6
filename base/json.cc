#include "base/json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>
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

// Builds the value from the parser's events. Boost 1.81 rounds decimals wrongly in the last digit, so their text is converted here.
class Builder {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1), max_array_size = std::size_t(-1), max_key_size = std::size_t(-1),
                               max_string_size = std::size_t(-1);
  using Code = boost::json::error_code;
  using Text = boost::json::string_view;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t count, Code&) { return stack_.push_object(count), true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t count, Code&) { return stack_.push_array(count), true; }
  bool on_key_part(Text part, std::size_t, Code&) { return stack_.push_chars(part), true; }
  bool on_key(Text part, std::size_t, Code&) { return stack_.push_key(part), true; }
  bool on_string_part(Text part, std::size_t, Code&) { return stack_.push_chars(part), true; }
  bool on_string(Text part, std::size_t, Code&) { return stack_.push_string(part), true; }
  bool on_number_part(Text part, Code&) { return number_.append(part.data(), part.size()), true; }
  bool on_int64(std::int64_t value, Text part, Code&) {
    number_.append(part.data(), part.size());
    if (value == 0 && number_.front() == '-') stack_.push_double(-0.0);
    else stack_.push_int64(value);
    return number_.clear(), true;
  }
  bool on_uint64(std::uint64_t value, Text, Code&) { return stack_.push_uint64(value), number_.clear(), true; }
  bool on_double(double rough, Text part, Code&) {
    number_.append(part.data(), part.size());
    double exact = rough;  // stays for what overflows to infinity or underflows to zero
    std::from_chars(number_.data(), number_.data() + number_.size(), exact);
    stack_.push_double(exact);
    return number_.clear(), true;
  }
  bool on_bool(bool value, Code&) { return stack_.push_bool(value), true; }
  bool on_null(Code&) { return stack_.push_null(), true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

  void Reset() { stack_.reset(); }
  Json Release() { return stack_.release(); }

 private:
  boost::json::value_stack stack_;
  std::string number_;
};

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
  boost::json::basic_parser<Builder> parser(options);
  parser.handler().Reset();
  boost::json::error_code code;
  const size_t used = parser.write_some(false, text.data(), text.size(), code);
  if (!code && used < text.size()) code = boost::json::error::extra_data;
  if (code) throw Error(ErrorKind::kInput, std::string(what) + " is not valid JSON: " + code.message());
  return parser.handler().Release();
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
