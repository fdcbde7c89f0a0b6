// Named things that register themselves from their own file: learners, model kinds, metrics, commands.
//
// Registration happens before main (static initialisation); afterwards the registry is only read, by any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/suggest.h"

namespace everlearn {

template <typename T>
class Registry {
 public:
  // `what` is the word for messages: "learner", "metric".
  explicit Registry(std::string what) : what_(std::move(what)) {}

  // Returns true, so that it can initialise a static. Throws on a name that is taken.
  bool Add(const std::string& name, T item) {
    if (!items_.emplace(name, std::move(item)).second) throw Error(ErrorKind::kInternal, "two files register the " + what_ + " " + name);
    return true;
  }

  const T* Find(const std::string& name) const {
    const auto found = items_.find(name);
    return found == items_.end() ? nullptr : &found->second;
  }

  // Throws kUsage with the nearest name as hint.
  const T& Get(const std::string& name) const {
    if (const T* found = Find(name)) return *found;
    throw Error(ErrorKind::kUsage, "no " + what_ + " is called '" + name + "'", SuggestionHint(name, Names()));
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& [name, item] : items_) names.push_back(name);
    return names;
  }

 private:
  std::string what_;
  std::map<std::string, T> items_;
};

}  // namespace everlearn
