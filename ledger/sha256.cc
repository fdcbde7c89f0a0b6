#include "ledger/sha256.h"

#include <openssl/evp.h>

#include <memory>

#include "base/error.h"

namespace everlearn {

std::string Sha256(std::initializer_list<std::string_view> pieces) {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  // One context a thread: making one costs more than hashing a row.
  thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  thread_local const EVP_MD* const method = EVP_sha256();
  std::string hash(32, '\0');
  bool good = context != nullptr && EVP_DigestInit_ex(context.get(), method, nullptr) == 1;
  for (const std::string_view piece : pieces) good = good && EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1;
  good = good && EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(hash.data()), nullptr) == 1;
  if (!good) throw Error(ErrorKind::kInternal, "SHA-256 is not available");
  return hash;
}

std::string HexText(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    text.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    text.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return text;
}

}  // namespace everlearn
