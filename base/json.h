// JSON values (Boost.JSON) and their text: numbers in the shortest form that reads back equal, NaN and infinity as null.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace everlearn {

using Json = boost::json::value;
using JsonArray = boost::json::array;
using JsonObject = boost::json::object;

// One line, or indented by two blanks when `pretty`.
std::string ToText(const Json& value, bool pretty = false);

// Throws kInput naming `what` (such as "the configuration x.toml") and the place; refuses more than 64 levels.
Json ParseJson(std::string_view text, std::string_view what);

// Fields of an object, checked: throw kDamaged naming the field when it is absent or of another type.
const Json& Field(const Json& object, std::string_view name);
std::string TextField(const Json& object, std::string_view name);
double NumberField(const Json& object, std::string_view name);
int64_t IntegerField(const Json& object, std::string_view name);
const JsonArray& ArrayField(const Json& object, std::string_view name);

// A number as JSON writes it, shortest form that reads back equal ("0.1", "42", "1e+300").
std::string NumberText(double value);

}  // namespace everlearn
