// The Arrow C data and stream interfaces: tables that other libraries hand over in memory, without a library of Arrow's.
//
// The three structures are an ABI, laid down in https://arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html; the
// guards are those of the specification, so that they may also come from elsewhere. Data belongs to whoever holds the structure, until its
// `release` is called once; a structure whose `release` is null is empty. Not safe to use from two threads at a time.
#pragma once

#include <cstdint>

extern "C" {

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};
#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};
#endif

}  // extern "C"

namespace everlearn {

// One of the structures, released at the end.
template <typename Structure>
class ArrowOwner {
 public:
  ArrowOwner() = default;
  // Takes the content of `from`, which is empty afterwards.
  explicit ArrowOwner(Structure* from) : value_(*from) { from->release = nullptr; }
  ~ArrowOwner() { Release(); }
  ArrowOwner(const ArrowOwner&) = delete;
  ArrowOwner& operator=(const ArrowOwner&) = delete;

  void Release() {
    if (value_.release != nullptr) value_.release(&value_);
    value_ = {};
  }
  bool empty() const { return value_.release == nullptr; }
  Structure* get() { return &value_; }
  const Structure& operator*() const { return value_; }
  const Structure* operator->() const { return &value_; }

 private:
  Structure value_{};
};

}  // namespace everlearn
