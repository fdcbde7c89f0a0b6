#include "ledger/ledger.h"

#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "data/postgres.h"
#include "ledger/postgres_store.h"
#include "ledger/sqlite_store.h"

namespace everlearn {
namespace {

constexpr const char* kFirstTask = "task";  // in a new ledger where no name is given

}  // namespace

std::shared_ptr<LedgerStore> OpenLedgerStore(const std::string& path, const LedgerOptions& options) {
  if (IsPostgresUrl(path)) return std::make_shared<PostgresStore>(path, options);
  return OpenSqliteStore(path, options);
}

std::shared_ptr<Ledger> OpenLedger(const std::string& path, const LedgerOptions& options, const std::string& task) {
  const std::shared_ptr<LedgerStore> store = OpenLedgerStore(path, options);
  std::string name = task;
  if (name.empty()) {
    const std::vector<std::string> names = store->Tasks();
    if (names.size() > 1) {
      std::string all;
      for (const std::string& known : names) all += (all.empty() ? "" : ", ") + known;
      throw Error(ErrorKind::kUsage, ShownPlace(path) + " holds several tasks: " + all, "choose one with --task");
    }
    name = names.empty() ? kFirstTask : names.front();
    if (names.empty() && options.read_only) throw Error(ErrorKind::kDamaged, ShownPlace(path) + " is a ledger without a task");
  }
  return {store, &store->Open(name)};
}

void BackupLedger(const std::string& from, const std::string& to) {
  if (IsPostgresUrl(to)) throw Error(ErrorKind::kUsage, ShownPlace(to) + " is no file", "a backup is written to a file");
  if (std::filesystem::exists(to)) throw Error(ErrorKind::kUsage, to + " exists already", "a backup never overwrites a file");
  const std::string growing = to + ".part-" + std::to_string(getpid());
  try {
    if (IsPostgresUrl(from)) CopyPostgresLedger(from, growing);
    else CopySqliteLedger(from, growing);
    std::filesystem::rename(growing, to);
  } catch (const std::filesystem::filesystem_error& error) {
    throw Error(ErrorKind::kPermission, to + " cannot be written: " + error.code().message());
  } catch (const Error&) {
    std::error_code ignored;
    std::filesystem::remove(growing, ignored);
    throw;
  }
}

}  // namespace everlearn
