// Who may ask: the keys of a service, and whose key came with a request.
//
// Immutable once made, safe from any thread. Only hashes of the secrets stay in memory.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/http_server.h"

namespace everlearn {

struct Caller {
  std::string name;  // empty where the service has no keys
  std::vector<std::string> rights;
};

class Access {
 public:
  // Reads the key files. Throws kNotFound, kPermission, kInput (no secret, or one that two keys share), kUsage (no such right).
  explicit Access(const std::map<std::string, HttpKey>& keys);

  bool has_keys() const { return !keys_.empty(); }

  // Whose secret stands in these headers (Authorization: Bearer …, or X-API-Key); nullptr where none does or it is nobody's. Takes the same
  // time whatever the secret. Without keys everybody has every right.
  const Caller* Find(const HttpRequest& request) const;

 private:
  using Hash = std::array<unsigned char, 32>;
  struct Key {
    Hash hash;
    Caller caller;
  };
  static Hash HashOf(std::string_view secret);

  std::vector<Key> keys_;
  Caller everybody_;
};

bool NeedsNoKey(std::string_view path);  // probes: /health/live, /health/ready, /ping

// The first line of a key file, without blanks around it. Throws kNotFound, kPermission, kInput (nothing in it).
std::string ReadSecret(const std::string& path);

// Throws kNotFound or kPermission where the file cannot be read; `what` is "key file", "certificate", …
void CheckReadable(const std::string& path, const std::string& what);

}  // namespace everlearn
