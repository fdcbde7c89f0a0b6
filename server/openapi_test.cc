// Tests of the description: what it refers to is there, and each task has its own rows.
#include "server/openapi.h"

#include <gtest/gtest.h>

namespace everlearn {
namespace {

void CheckReferences(const Json& value, const JsonObject& document) {
  if (const JsonArray* list = value.if_array())
    for (const Json& item : *list) CheckReferences(item, document);
  const JsonObject* object = value.if_object();
  if (object == nullptr) return;
  if (const Json* reference = object->if_contains("$ref")) {
    const std::string target(reference->as_string());
    ASSERT_TRUE(target.starts_with("#/"));
    EXPECT_NO_THROW(Json(document).at_pointer(target.substr(1))) << target;
  }
  for (const auto& [name, member] : *object) CheckReferences(member, document);
}

TEST(OpenApi, DescribesTasksAndRefersToWhatIsThere) {
  Task task;
  task.target = "y";
  task.kind = TaskKind::kBinary;
  task.labels = {"no", "yes"};
  task.key = {"ref"};
  Schema schema;
  for (const char* name : {"age", "ref", "y"}) {
    ColumnSchema column;
    column.name = name;
    schema.columns.push_back(column);
  }
  const JsonObject document = OpenApiDocument("1.0", {{"loans", &task, &schema, {"age", "ref"}, {"age"}}});
  EXPECT_EQ(document.at("openapi").as_string(), "3.1.0");
  CheckReferences(document, document);
  const Json rows = Json(document).at_pointer("/components/schemas/Rows_loans/properties/rows/items");
  EXPECT_EQ(ToText(rows.at("required")), "[\"age\"]");
  EXPECT_TRUE(rows.at("properties").as_object().contains("ref"));
  EXPECT_TRUE(document.at("paths").as_object().contains("/v1/tasks/loans/predictions"));
}

}  // namespace
}  // namespace everlearn
