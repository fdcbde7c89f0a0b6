#include "server/access.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/error.h"
#include "base/suggest.h"

namespace everlearn {
namespace {

const std::vector<std::string> kRights = {"predict", "outcome", "admin"};

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// The secret as sent, empty where none was.
std::string_view SentSecret(const HttpRequest& request) {
  constexpr std::string_view kScheme = "bearer ";
  if (const auto found = request.headers.find("authorization"); found != request.headers.end()) {
    const std::string& value = found->second;
    if (value.size() > kScheme.size() && strncasecmp(value.data(), kScheme.data(), kScheme.size()) == 0)
      return Trimmed(std::string_view(value).substr(kScheme.size()));
  }
  const auto found = request.headers.find("x-api-key");
  return found == request.headers.end() ? "" : Trimmed(found->second);
}

}  // namespace

Access::Access(const std::map<std::string, HttpKey>& keys) : everybody_{.name = "", .rights = kRights} {
  for (const auto& [name, key] : keys) {
    for (const std::string& right : key.rights)
      if (std::find(kRights.begin(), kRights.end(), right) == kRights.end())
        throw Error(ErrorKind::kUsage, "the key '" + name + "' has the right '" + right + "', which does not exist",
                    SuggestionHint(right, kRights));
    const Hash hash = HashOf(ReadSecret(key.key_file));
    for (const Key& other : keys_)
      if (other.hash == hash)
        throw Error(ErrorKind::kInput, "the keys '" + other.caller.name + "' and '" + name + "' have the same secret",
                    "give each a secret of its own");
    keys_.push_back(Key{hash, Caller{name, key.rights}});
  }
}

Access::Hash Access::HashOf(std::string_view secret) {
  Hash hash;
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), hash.data());
  return hash;
}

const Caller* Access::Find(const HttpRequest& request) const {
  if (keys_.empty()) return &everybody_;
  const std::string_view secret = SentSecret(request);
  if (secret.empty()) return nullptr;
  const Hash hash = HashOf(secret);
  const Caller* found = nullptr;
  for (const Key& key : keys_)
    if (CRYPTO_memcmp(key.hash.data(), hash.data(), hash.size()) == 0) found = &key.caller;
  return found;
}

bool NeedsNoKey(std::string_view path) { return path == "/health/live" || path == "/health/ready" || path == "/ping"; }

std::string ReadSecret(const std::string& path) {
  CheckReadable(path, "key file");
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::string secret(Trimmed(line));
  if (secret.empty())
    throw Error(ErrorKind::kInput, "the first line of the key file " + path + " is empty",
                "write the secret there, for example from: openssl rand -hex 32");
  return secret;
}

void CheckReadable(const std::string& path, const std::string& what) {
  if (access(path.c_str(), R_OK) == 0) return;
  if (errno == EACCES) throw Error(ErrorKind::kPermission, "no permission to read the " + what + " " + path);
  throw Error(ErrorKind::kNotFound, "there is no " + what + " " + path);
}

}  // namespace everlearn
