// Requests of MLflow's scoring server (/invocations) as rows.
//
// Pure functions, any thread.
#pragma once

#include <string>

#include "base/json.h"

namespace everlearn {

// dataframe_split, dataframe_records, instances (a list of objects), inputs (column -> list), or text/csv with a header line (fields as
// texts, empty ones null). Throws kInput saying what is wrong.
JsonArray RowsOfInvocation(const std::string& content_type, const std::string& body);

}  // namespace everlearn
