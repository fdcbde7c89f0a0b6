#include "data/postgres.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "data/duck.h"
#include "data/libpq.h"

namespace everlearn {
namespace {

constexpr size_t kMostQueued = 1000, kMostQueuedBytes = 4 << 20;  // then the server's answers are read
constexpr int kBinary = 1;

template <typename T>
std::string BigEndian(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

// Values of the protocol: pointers into `values`, which must live longer.
struct Parameters {
  explicit Parameters(const PostgresValues& values) : formats(values.size(), kBinary) {
    for (const PostgresValue& value : values) {
      pointers.push_back(value.is_null() ? nullptr : value.bytes().data());
      lengths.push_back(static_cast<int>(value.bytes().size()));
    }
  }
  int count() const { return static_cast<int>(pointers.size()); }
  std::vector<const char*> pointers;
  std::vector<int> lengths, formats;
};

// By the five characters of SQLSTATE (PostgreSQL manual, appendix A).
ErrorKind KindOfState(std::string_view state) {
  const std::string_view group = state.substr(0, 2);
  if (state == "42501" || state == "25006" || group == "28") return ErrorKind::kPermission;
  if (state == "42P01" || state == "3D000" || state == "3F000") return ErrorKind::kNotFound;
  if (group == "XX") return ErrorKind::kDamaged;
  // Connection, transaction rolled back by the server, no room, ended or overloaded, its system.
  for (const std::string_view known : {"08", "40", "53", "55", "57", "58"})
    if (group == known) return ErrorKind::kResource;
  return ErrorKind::kInput;
}

// libpq gives no SQLSTATE for a connection that did not come about.
ErrorKind KindOfRefusal(const std::string& text) {
  const auto says = [&](const char* part) { return text.find(part) != std::string::npos; };
  if (says("authentication failed") || says("no password supplied") || says("pg_hba.conf") || says("permission denied"))
    return ErrorKind::kPermission;
  if (says("database \"") && says("does not exist")) return ErrorKind::kNotFound;
  return ErrorKind::kResource;
}

// The text of libpq on one line.
std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c != '\n' && c != '\t') line += c;
    else if (!line.empty() && line.back() != ' ') line += ' ';
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

// What libpq says of an address that it reads otherwise than it was meant may quote a piece of a password, so such ones do not reach it.
void CheckAddress(const Libpq& pq, const std::string& url) {
  const std::string place = url.substr(0, url.find('?'));
  const size_t host = place.find("://") + 3;
  bool fits =
      std::count(place.begin(), place.end(), '@') <= 1 && (place.find('@') == std::string::npos || place.find('@') < place.find('/', host));
  if (PQconninfoOption* const options = pq.PQconninfoParse(url.c_str(), nullptr)) {
    for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option)
      if (std::strcmp(option->keyword, "port") == 0 && option->val != nullptr)
        fits = fits && std::string_view(option->val).find_first_not_of("0123456789,") == std::string_view::npos;
    pq.PQconninfoFree(options);
  } else {
    fits = false;
  }
  if (!fits)
    throw Error(ErrorKind::kUsage, ShownPlace(url) + " is no address of a PostgreSQL database",
                "write postgresql://USER@HOST:PORT/DATABASE, with special characters as %40 and so on");
}

void HidePart(std::string* url, size_t begin, size_t end) { url->replace(begin, end - begin, "***"); }

}  // namespace

bool IsPostgresUrl(std::string_view text) { return text.starts_with("postgresql://") || text.starts_with("postgres://"); }

std::string ShownPlace(const std::string& place) {
  if (!IsPostgresUrl(place)) return place;
  std::string shown = place;
  // Generous: a password with characters that should have been escaped is hidden as well.
  const size_t colon = shown.find(':', shown.find("://") + 3), at = shown.rfind('@');
  if (colon != std::string::npos && at != std::string::npos && colon < at) HidePart(&shown, colon + 1, at);
  for (size_t found = shown.find("password="); found != std::string::npos; found = shown.find("password=", found + 1))
    HidePart(&shown, found + std::strlen("password="), std::min(shown.find('&', found), shown.size()));
  return shown;
}

std::string TakeUrlParameter(std::string* url, std::string_view name) {
  const size_t query = url->find('?');
  for (size_t begin = query; begin != std::string::npos; begin = url->find('&', begin + 1)) {
    if (url->compare(begin + 1, name.size(), name) != 0 || begin + 1 + name.size() >= url->size() || (*url)[begin + 1 + name.size()] != '=')
      continue;
    const size_t end = std::min(url->find('&', begin + 1), url->size());
    std::string value = url->substr(begin + name.size() + 2, end - begin - name.size() - 2);
    // What follows takes its place, also behind the question mark.
    url->erase(begin + 1, std::min(end + 1, url->size()) - begin - 1);
    if (url->ends_with('?') || url->ends_with('&')) url->pop_back();
    return value;
  }
  return "";
}

PostgresValue PostgresValue::Null() {
  PostgresValue value;
  value.null_ = true;
  return value;
}

PostgresValue PostgresValue::Integer(int64_t value) { return Bytes(BigEndian(value)); }

PostgresValue PostgresValue::Number(double value) { return Bytes(BigEndian(value)); }

PostgresValue PostgresValue::Bytes(std::string value) {
  PostgresValue made;
  made.bytes_ = std::move(value);
  return made;
}

int64_t PostgresInteger(std::string_view bytes) {
  uint64_t value = !bytes.empty() && static_cast<signed char>(bytes[0]) < 0 ? UINT64_MAX : 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return static_cast<int64_t>(value);
}

void PostgresResult::Clear::operator()(pg_result* result) const { LoadLibpq().PQclear(result); }

int PostgresResult::rows() const { return LoadLibpq().PQntuples(result_.get()); }

int PostgresResult::columns() const { return LoadLibpq().PQnfields(result_.get()); }

std::string PostgresResult::name(int column) const { return LoadLibpq().PQfname(result_.get(), column); }

uint32_t PostgresResult::type(int column) const { return LoadLibpq().PQftype(result_.get(), column); }

bool PostgresResult::is_null(int row, int column) const { return LoadLibpq().PQgetisnull(result_.get(), row, column) != 0; }

int64_t PostgresResult::Integer(int row, int column) const { return PostgresInteger(Bytes(row, column)); }

double PostgresResult::Number(int row, int column) const { return std::bit_cast<double>(Integer(row, column)); }

std::string_view PostgresResult::Bytes(int row, int column) const {
  const Libpq& pq = LoadLibpq();
  return {pq.PQgetvalue(result_.get(), row, column), static_cast<size_t>(pq.PQgetlength(result_.get(), row, column))};
}

PostgresConnection::PostgresConnection(const std::string& url) : name_(ShownPlace(url)) {
  const Libpq& pq = LoadLibpq();
  CheckAddress(pq, url);
  const std::string application = "everlearn " + std::to_string(getpid());
  // Before the address: what it may say otherwise. After it: what it may not.
  const std::vector<std::pair<const char*, const char*>> settings = {
      {"connect_timeout", "5"},  {"keepalives_idle", "10"},     {"keepalives_interval", "5"},
      {"keepalives_count", "3"}, {"tcp_user_timeout", "30000"}, {"fallback_application_name", application.c_str()},
      {"dbname", url.c_str()},   {"client_encoding", "UTF8"}};
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : settings) {
    keys.push_back(key);
    values.push_back(value);
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  connection_ = pq.PQconnectdbParams(keys.data(), values.data(), 1);
  if (connection_ == nullptr) throw Error(ErrorKind::kResource, "no memory for a connection to " + name_);
  if (pq.PQstatus(connection_) != CONNECTION_OK) {
    const std::string text = OneLine(pq.PQerrorMessage(connection_));
    pq.PQfinish(connection_);
    throw Error(KindOfRefusal(text), "no connection to " + name_ + ": " + text);
  }
  pq.PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);  // they would go to standard error
}

PostgresConnection::~PostgresConnection() {
  const Libpq& pq = LoadLibpq();
  if (copied_ != nullptr) pq.PQfreemem(copied_);
  pq.PQfinish(connection_);
}

void PostgresConnection::ThrowLost() {
  throw Error(ErrorKind::kResource, "the connection to " + name_ + " is lost: " + OneLine(LoadLibpq().PQerrorMessage(connection_)));
}

void PostgresConnection::ThrowResult(const pg_result* result) {
  const Libpq& pq = LoadLibpq();
  const char* state = pq.PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (state == nullptr || lost()) ThrowLost();
  const char* text = pq.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char* hint = pq.PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
  throw Error(KindOfState(state), name_ + ": " + OneLine(text == nullptr ? "" : text), hint == nullptr ? "" : OneLine(hint));
}

PostgresResult PostgresConnection::Checked(pg_result* result) {
  PostgresResult kept(result);
  if (result == nullptr) ThrowLost();
  switch (LoadLibpq().PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
    case PGRES_EMPTY_QUERY:
    case PGRES_COPY_OUT:
      return kept;
    default:
      ThrowResult(result);
  }
}

void PostgresConnection::Execute(const std::string& sql) { Checked(LoadLibpq().PQexec(connection_, sql.c_str())); }

PostgresResult PostgresConnection::Query(const std::string& sql, const PostgresValues& values) {
  const Parameters given(values);
  return Checked(LoadLibpq().PQexecParams(connection_, sql.c_str(), given.count(), nullptr, given.pointers.data(), given.lengths.data(),
                                          given.formats.data(), kBinary));
}

void PostgresConnection::Stream(const std::string& sql, const std::function<void(const PostgresResult&)>& visit) {
  const Libpq& pq = LoadLibpq();
  if (pq.PQsendQueryParams(connection_, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, kBinary) == 0) ThrowLost();
  pq.PQsetSingleRowMode(connection_);
  while (pg_result* result = pq.PQgetResult(connection_)) {
    const PostgresResult row = Checked(result);
    if (row.rows() > 0) visit(row);
  }
}

PostgresResult PostgresConnection::Describe(const std::string& sql) {
  const Libpq& pq = LoadLibpq();
  Checked(pq.PQprepare(connection_, "", sql.c_str(), 0, nullptr));
  return Checked(pq.PQdescribePrepared(connection_, ""));
}

void PostgresConnection::Send(const char* sql, const PostgresValues& values) {
  const Libpq& pq = LoadLibpq();
  if (queued_ == 0 && pq.PQenterPipelineMode(connection_) == 0) ThrowLost();
  auto found = prepared_.find(sql);
  if (found == prepared_.end()) {
    found = prepared_.emplace(sql, "s" + std::to_string(++prepared_count_)).first;
    if (pq.PQsendPrepare(connection_, found->second.c_str(), sql, 0, nullptr) == 0) ThrowLost();
    ++queued_;
  }
  const Parameters given(values);
  if (pq.PQsendQueryPrepared(connection_, found->second.c_str(), given.count(), given.pointers.data(), given.lengths.data(),
                             given.formats.data(), kBinary) == 0)
    ThrowLost();
  ++queued_;
  for (const int length : given.lengths) queued_bytes_ += static_cast<size_t>(length);
}

PostgresResult PostgresConnection::Collect(bool keep_last) {
  const Libpq& pq = LoadLibpq();
  const size_t sent = queued_;
  queued_ = queued_bytes_ = 0;
  if (pq.PQpipelineSync(connection_) == 0) ThrowLost();
  PostgresResult failed, last;
  bool has_failed = false;
  for (size_t i = 0; i < sent;) {
    pg_result* const result = pq.PQgetResult(connection_);
    if (result == nullptr) {  // the end of one statement's results
      if (lost()) ThrowLost();
      ++i;
      continue;
    }
    const ExecStatusType status = pq.PQresultStatus(result);
    const bool is_error = status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK;
    PostgresResult kept(result);
    if (is_error && !has_failed) {
      has_failed = true;
      failed = std::move(kept);
    } else if (keep_last && i + 1 == sent) {
      last = std::move(kept);
    }
  }
  const PostgresResult synchronised(pq.PQgetResult(connection_));
  if (lost()) ThrowLost();
  pq.PQexitPipelineMode(connection_);
  if (!has_failed) return last;
  prepared_.clear();  // some may not have been prepared
  ThrowResult(failed.raw());
}

void PostgresConnection::Queue(const char* sql, const PostgresValues& values) {
  Send(sql, values);
  if (queued_ >= kMostQueued || queued_bytes_ >= kMostQueuedBytes) Flush();
}

void PostgresConnection::Flush() {
  if (queued_ > 0) Collect(false);
}

PostgresResult PostgresConnection::Fetch(const char* sql, const PostgresValues& values) {
  Send(sql, values);
  return Collect(true);
}

void PostgresConnection::BeginCopy(const std::string& sql) { Checked(LoadLibpq().PQexec(connection_, sql.c_str())); }

bool PostgresConnection::NextCopy(std::string_view* piece) {
  const Libpq& pq = LoadLibpq();
  if (copied_ != nullptr) pq.PQfreemem(copied_);
  copied_ = nullptr;
  const int size = pq.PQgetCopyData(connection_, &copied_, 0);
  if (size > 0) {
    *piece = {copied_, static_cast<size_t>(size)};
    return true;
  }
  if (size == -2) ThrowLost();
  while (pg_result* result = pq.PQgetResult(connection_)) Checked(result);
  return false;
}

void PostgresConnection::Listen(const std::string& channel) { Execute("LISTEN " + SqlName(channel)); }

bool PostgresConnection::Wait(int milliseconds) {
  using std::chrono::steady_clock;
  const Libpq& pq = LoadLibpq();
  const auto until = steady_clock::now() + std::chrono::milliseconds(milliseconds);
  for (;;) {
    if (pq.PQconsumeInput(connection_) == 0) ThrowLost();
    bool came = false;
    while (PGnotify* const notification = pq.PQnotifies(connection_)) {
      pq.PQfreemem(notification);
      came = true;
    }
    if (came) return true;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now()).count();
    pollfd wanted{pq.PQsocket(connection_), POLLIN, 0};
    // Also without time left: the end of the connection stands behind what was read.
    const int ready = poll(&wanted, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    if (ready == 0 || (ready < 0 && errno == EINTR)) return false;  // the caller looks why it was interrupted
  }
}

bool PostgresConnection::lost() { return LoadLibpq().PQstatus(connection_) != CONNECTION_OK; }

}  // namespace everlearn
