// Reads the rows of a query from PostgreSQL, streamed by COPY in its binary format. A reader belongs to one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "data/reader.h"

namespace everlearn {

// Columns keep the types they have: booleans, integers, floating-point numbers and numeric, date and timestamp (with and without time zone,
// as UTC), enum (a category), texts; all others are read as the texts that PostgreSQL writes. The query runs in a read-only transaction.
// Throws as PostgresConnection does, and kInput where the query has no columns.
std::unique_ptr<TableReader> OpenPostgresReader(const std::string& url, const std::string& query);

// The rows of a table, which may be "schema.table"; the names are quoted.
std::string TableQuery(std::string_view table);

}  // namespace everlearn
