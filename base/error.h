// The one exception of Everlearn: thrown when a request or a job cannot go on.
//
// Expected failure (a failed trial, a missing value) is data, not an Error. Errors are caught only at the boundaries:
// trial runner, worker main, CLI main. Immutable, so safe to share between threads.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace everlearn {

enum class ErrorKind {
  kUsage,       // the caller asked for something that does not exist or is out of range
  kInput,       // the data cannot be used
  kNotFound,    // a file, column, member or decision is not there
  kPermission,  // reading or writing was refused by the system
  kDamaged,     // a file is truncated, corrupt, hostile or of a newer version
  kResource,    // memory, disk or time ran out
  kInterrupted,
  kInternal,
};

class Error : public std::exception {
 public:
  // `message` says what was wrong and where (file, row, column); `hint` says what to do, and may be empty.
  Error(ErrorKind kind, std::string message, std::string hint = "") : kind_(kind), message_(std::move(message)), hint_(std::move(hint)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorKind kind_;
  std::string message_;
  std::string hint_;
};

}  // namespace everlearn
