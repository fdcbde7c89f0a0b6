#include "data/arrow_export.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace everlearn {
namespace {

// What a structure points to. Its children and dictionary own their content in turn, so that a receiver may move them out.
template <typename Structure>
struct Content {
  Content() = default;
  ~Content() {
    for (Structure& child : children)
      if (child.release != nullptr) child.release(&child);
    if (dictionary.release != nullptr) dictionary.release(&dictionary);
  }
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;

  std::vector<Structure> children = {};
  std::vector<Structure*> pointers = {};
  Structure dictionary = {};
};

struct SchemaContent : Content<ArrowSchema> {
  SchemaContent(const char* of_format, std::string of_name) : format(of_format), name(std::move(of_name)) {}
  const char* format;
  std::string name;
};

struct ArrayContent : Content<ArrowArray> {
  std::vector<uint8_t> validity = {};
  std::vector<uint8_t> bits = {};
  std::vector<double> numbers = {};
  std::vector<int64_t> integers = {};  // also offsets of texts
  std::vector<int32_t> codes = {};
  std::string characters = {};
  std::array<const void*, 3> buffers = {};
};

// Hands `content` to `out`, with pointers to its children and dictionary.
template <typename Structure, typename Owned>
void Attach(std::unique_ptr<Owned> content, Structure* out) {
  for (Structure& child : content->children) content->pointers.push_back(&child);
  out->n_children = static_cast<int64_t>(content->children.size());
  out->children = content->pointers.empty() ? nullptr : content->pointers.data();
  out->dictionary = content->dictionary.release == nullptr ? nullptr : &content->dictionary;
  out->release = [](Structure* structure) {
    structure->release = nullptr;
    delete static_cast<Owned*>(structure->private_data);
  };
  out->private_data = content.release();
}

void MakeSchema(std::unique_ptr<SchemaContent> content, int64_t flags, ArrowSchema* out) {
  *out = {};
  out->format = content->format;
  out->name = content->name.c_str();
  out->flags = flags;
  Attach(std::move(content), out);
}

// `nulls` of `rows` values; the buffers are those of the content.
void MakeArray(std::unique_ptr<ArrayContent> content, size_t rows, size_t nulls, int64_t buffers, ArrowArray* out) {
  *out = {};
  out->length = static_cast<int64_t>(rows);
  out->null_count = static_cast<int64_t>(nulls);
  out->n_buffers = buffers;
  content->buffers[0] = nulls == 0 ? nullptr : content->validity.data();
  out->buffers = content->buffers.data();
  Attach(std::move(content), out);
}

bool FitsInt64(const Column& column) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  return std::all_of(column.numbers.begin(), column.numbers.end(),
                     [](double value) { return std::isnan(value) || (value >= -kLimit && value < kLimit && value == std::floor(value)); });
}

void SetBit(std::vector<uint8_t>* bits, size_t i) { (*bits)[i / 8] = static_cast<uint8_t>((*bits)[i / 8] | 1U << (i % 8)); }

void AppendText(std::string_view text, ArrayContent* content) {
  content->characters.append(text);
  content->integers.push_back(static_cast<int64_t>(content->characters.size()));
}

void PointToTexts(ArrayContent* content) {
  content->buffers[1] = content->integers.data();
  content->buffers[2] = content->characters.data();
}

void MakeDictionary(const std::vector<std::string>& texts, ArrowArray* out) {
  auto content = std::make_unique<ArrayContent>();
  content->integers.push_back(0);
  for (const std::string& text : texts) AppendText(text, content.get());
  PointToTexts(content.get());
  MakeArray(std::move(content), texts.size(), 0, 3, out);
}

// A table as a stream: `formats` of its columns, and where it stands.
class Stream {
 public:
  Stream(Table table, size_t rows_of_batch) : table_(std::move(table)), rows_of_batch_(std::max<size_t>(rows_of_batch, 1)) {
    for (const Column& column : table_.columns) formats_.push_back(FormatOf(column));
  }

  static int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) {
    return Answer(stream, out, [](Stream& self, ArrowSchema* schema) { self.Schema(schema); });
  }
  static int GetNext(ArrowArrayStream* stream, ArrowArray* out) {
    return Answer(stream, out, [](Stream& self, ArrowArray* array) { self.Next(array); });
  }
  static const char* LastError(ArrowArrayStream* stream) { return static_cast<Stream*>(stream->private_data)->error_; }
  static void ReleaseStream(ArrowArrayStream* stream) {
    delete static_cast<Stream*>(stream->private_data);
    stream->release = nullptr;
  }

 private:
  template <typename Structure, typename Fill>
  static int Answer(ArrowArrayStream* stream, Structure* out, const Fill& fill) {
    auto* const self = static_cast<Stream*>(stream->private_data);
    *out = {};
    try {
      fill(*self, out);
      self->error_ = nullptr;
      return 0;
    } catch (const std::exception&) {
      *out = {};
      self->error_ = "no memory for the rows";
      return ENOMEM;
    }
  }

  static const char* FormatOf(const Column& column) {
    switch (column.type) {
      case ColumnType::kInteger:
        return FitsInt64(column) ? "l" : "g";
      case ColumnType::kBoolean:
        return "b";
      case ColumnType::kTimestamp:
        return FitsInt64(column) ? "tsu:UTC" : "g";
      case ColumnType::kCategory:
        return "i";
      case ColumnType::kText:
        return "U";
      default:
        return "g";
    }
  }

  void Schema(ArrowSchema* out) const {
    auto content = std::make_unique<SchemaContent>("+s", "");
    content->children.resize(table_.columns.size());
    for (size_t c = 0; c < table_.columns.size(); ++c) {
      auto child = std::make_unique<SchemaContent>(formats_[c], table_.columns[c].name);
      if (table_.columns[c].type == ColumnType::kCategory) MakeSchema(std::make_unique<SchemaContent>("U", ""), 0, &child->dictionary);
      MakeSchema(std::move(child), ARROW_FLAG_NULLABLE, &content->children[c]);
    }
    MakeSchema(std::move(content), 0, out);
  }

  void Next(ArrowArray* out) {
    if (at_ == table_.rows) return;
    const size_t end = at_ + std::min(rows_of_batch_, table_.rows - at_);
    auto content = std::make_unique<ArrayContent>();
    content->children.resize(table_.columns.size());
    for (size_t c = 0; c < table_.columns.size(); ++c) Values(table_.columns[c], formats_[c], end, &content->children[c]);
    MakeArray(std::move(content), end - at_, 0, 1, out);
    at_ = end;
  }

  // Rows [at_, end) of a column.
  void Values(const Column& column, std::string_view format, size_t end, ArrowArray* out) const {
    const size_t rows = end - at_;
    auto content = std::make_unique<ArrayContent>();
    content->validity.resize((rows + 7) / 8);
    size_t nulls = 0;
    for (size_t i = 0; i < rows; ++i) {
      if (column.missing(at_ + i)) ++nulls;
      else SetBit(&content->validity, i);
    }
    const auto begin = static_cast<std::ptrdiff_t>(at_), stop = static_cast<std::ptrdiff_t>(end);
    if (format == "U") {
      content->integers.push_back(0);
      for (size_t i = at_; i < end; ++i) AppendText(column.text[i], content.get());
      PointToTexts(content.get());
    } else if (format == "i") {
      content->codes.assign(column.codes.begin() + begin, column.codes.begin() + stop);
      for (int32_t& code : content->codes) code = std::max(code, 0);  // of nulls
      content->buffers[1] = content->codes.data();
      MakeDictionary(column.dictionary, &content->dictionary);
    } else if (format == "b") {
      content->bits.resize((rows + 7) / 8);
      for (size_t i = 0; i < rows; ++i)
        if (!column.missing(at_ + i) && column.numbers[at_ + i] != 0) SetBit(&content->bits, i);
      content->buffers[1] = content->bits.data();
    } else if (format == "g") {
      content->numbers.assign(column.numbers.begin() + begin, column.numbers.begin() + stop);
      content->buffers[1] = content->numbers.data();
    } else {
      for (size_t i = at_; i < end; ++i) content->integers.push_back(column.missing(i) ? 0 : static_cast<int64_t>(column.numbers[i]));
      content->buffers[1] = content->integers.data();
    }
    MakeArray(std::move(content), rows, nulls, format == "U" ? 3 : 2, out);
  }

  Table table_;
  std::vector<const char*> formats_;
  size_t rows_of_batch_, at_ = 0;
  const char* error_ = nullptr;
};

}  // namespace

void ExportArrow(Table table, ArrowArrayStream* out, size_t rows_of_batch) {
  auto stream = std::make_unique<Stream>(std::move(table), rows_of_batch);
  *out = {Stream::GetSchema, Stream::GetNext, Stream::LastError, Stream::ReleaseStream, stream.release()};
}

}  // namespace everlearn
