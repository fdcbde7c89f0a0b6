#include "data/libpq.h"

#include <dlfcn.h>

#include <string>
#include <type_traits>

#include "base/error.h"

namespace everlearn {
namespace {

[[noreturn]] void ThrowMissing(const std::string& what) {
  throw Error(ErrorKind::kResource, "PostgreSQL cannot be used: " + what,
              "install PostgreSQL's client library; on Debian: apt install libpq5");
}

template <typename Function>
void Find(void* library, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  if (*function == nullptr) ThrowMissing(std::string("libpq.so.5 is too old, it has no ") + name);
}

Libpq Load() {
  void* const library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) ThrowMissing("there is no libpq.so.5 on this machine");
  Libpq libpq;
#define EVERLEARN_FIND(name) Find(library, #name, &libpq.name);
  EVERLEARN_LIBPQ_FUNCTIONS(EVERLEARN_FIND)
#undef EVERLEARN_FIND
  return libpq;
}

}  // namespace

const Libpq& LoadLibpq() {
  static const Libpq libpq = Load();
  return libpq;
}

}  // namespace everlearn
