#include "data/growing_source.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "data/postgres.h"
#include "data/source.h"

namespace everlearn {

std::unique_ptr<GrowingSource> OpenGrowingSource(const std::string& source, const GrowingOptions& options) {
  struct stat status {};
  const bool is_query = stat(source.c_str(), &status) != 0 && BeginsAsSql(source);
  if (IsPostgresUrl(source)) return MakeGrowingPostgres(source, options.watermark, options.read);
  if (!options.watermark.empty() && !is_query)
    throw Error(ErrorKind::kUsage, "there is a watermark, but the source is no query", "a watermark is a column of a query");
  if (source == "-") return MakeGrowingInput(STDIN_FILENO);
  if (is_query) return MakeGrowingQuery(source, options.watermark, options.read);
  return MakeGrowingFiles(source, options.read);
}

}  // namespace everlearn
