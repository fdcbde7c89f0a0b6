#include "model/text_encoder.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <functional>

#include "model/check.h"

namespace everlearn {
namespace {

constexpr uint32_t kFewestTexts = 3;          // that have an n-gram of the vocabulary
constexpr uint32_t kTextsForVocabulary = 20;  // fewer say too little of those to come
constexpr size_t kMostBytesRead = 4 << 20;
constexpr size_t kMostNumbers = 1 << 20;  // of one column, in a file
constexpr size_t kKinds = 2;

struct Count {
  uint32_t texts = 0, last = UINT32_MAX;
};

// Every step-th text, so that no more is read than is needed.
size_t StepOf(const TextArray& texts) {
  size_t bytes = 0;
  for (size_t i = 0; i < texts.size(); ++i) bytes += texts[i].size();
  return bytes / kMostBytesRead + 1;
}

// The texts that have each n-gram, by kind and hash.
class TextCounts {
 public:
  explicit TextCounts(const TextArray& texts) : texts_(texts), step_(StepOf(texts)) {
    ForEach([&](const Gram& gram, std::string_view, size_t text) {
      Count& count = counts_[Index(gram.kind)][gram.hash];
      count.texts += count.last == text ? 0 : 1;
      count.last = static_cast<uint32_t>(text);
    });
    for (size_t i = 0; i < texts.size(); i += step_) present_ += texts.missing(i) ? 0 : 1;
  }

  uint32_t present() const { return present_; }

  // At most `wanted` n-grams, those that most texts have, in the order of the texts; none that all have.
  std::vector<std::string> MostFrequent(GramKind kind, size_t wanted) {
    std::vector<uint32_t> numbers;
    for (const auto& [hash, count] : counts_[Index(kind)])
      if (count.texts >= kFewestTexts && count.texts < present_) numbers.push_back(count.texts);
    std::sort(numbers.begin(), numbers.end(), std::greater<>());
    const uint32_t least = numbers.size() <= wanted ? kFewestTexts : numbers[wanted] + 1;
    std::vector<std::string> chosen;
    ForEach([&](const Gram& gram, std::string_view text, size_t) {
      if (gram.kind != kind) return;
      Count& count = counts_[Index(kind)][gram.hash];
      if (count.texts < least || count.texts >= present_) return;
      chosen.emplace_back(text);
      count.texts = 0;
    });
    return chosen;
  }

 private:
  static size_t Index(GramKind kind) { return static_cast<size_t>(kind); }

  template <typename Visit>
  void ForEach(const Visit& visit) {
    for (size_t i = 0; i < texts_.size(); i += step_) {
      if (texts_.missing(i)) continue;
      for (const Gram& gram : reader_.Read(texts_[i])) visit(gram, reader_.Text(gram), i);
    }
  }

  const TextArray& texts_;
  size_t step_;
  uint32_t present_ = 0;
  GramReader reader_;
  std::array<std::unordered_map<uint64_t, Count>, kKinds> counts_;
};

}  // namespace

TextEncoder TextEncoder::Build(const TextArray& texts, size_t most) {
  assert(most >= 2);
  TextCounts counts(texts);
  TextEncoder encoder;
  if (counts.present() < kTextsForVocabulary) {
    encoder.buckets_ = most - 1;
    return encoder;
  }
  // Mostly words, which a reader understands; some characters, for spellings and endings. Room that words leave is for characters.
  const size_t characters = (most - 1) / 4;
  encoder.words_ = counts.MostFrequent(GramKind::kWords, most - 1 - characters);
  encoder.characters_ = counts.MostFrequent(GramKind::kCharacters, most - 1 - encoder.words_.size());
  encoder.MakeIndex();
  return encoder;
}

void TextEncoder::MakeIndex() {
  uint32_t number = 0;
  index_.clear();
  for (const std::string& text : words_) index_.emplace(GramHash(GramKind::kWords, text), ++number);
  for (const std::string& text : characters_) index_.emplace(GramHash(GramKind::kCharacters, text), ++number);
}

std::string TextEncoder::Name(size_t j) const {
  if (j == 0) return "length";
  if (--j < words_.size()) return "word " + words_[j];
  if ((j -= words_.size()) < characters_.size()) return "characters " + characters_[j];
  return "bucket " + std::to_string(j - characters_.size());
}

void TextEncoder::Encode(std::string_view text, bool missing, GramReader* reader, double* out) const {
  std::fill_n(out, size(), 0.0);
  if (missing) {
    out[0] = kMissing;
    return;
  }
  const size_t first_bucket = 1 + words_.size() + characters_.size();
  std::array<size_t, kKinds> grams = {};
  for (const Gram& gram : reader->Read(text)) {
    ++grams[static_cast<size_t>(gram.kind)];
    const auto found = index_.find(gram.hash);
    if (found != index_.end()) out[found->second] += 1;
    else if (buckets_ > 0 && gram.kind == GramKind::kWords) out[first_bucket + gram.hash % buckets_] += 1;
  }
  for (size_t j = 1; j < size(); ++j) {
    if (out[j] == 0) continue;
    const bool characters = j > words_.size() && j < first_bucket;
    out[j] = std::log1p(out[j]) / std::sqrt(static_cast<double>(grams[characters ? 1 : 0]));
  }
  out[0] = std::log1p(static_cast<double>(reader->words()));
}

Json TextEncoder::Save(const std::string& prefix, ArrayFileWriter* file) const {
  file->AddTexts(prefix + ".words", words_);
  file->AddTexts(prefix + ".characters", characters_);
  return JsonObject{{"buckets", buckets_}};
}

TextEncoder TextEncoder::Load(const Json& json, const std::string& prefix, const ArrayFile& file) {
  TextEncoder encoder;
  encoder.words_ = file.GetTexts(prefix + ".words");
  encoder.characters_ = file.GetTexts(prefix + ".characters");
  const int64_t buckets = IntegerField(json, "buckets");
  CheckModel(buckets >= 0 && static_cast<size_t>(buckets) <= kMostNumbers, "a text has too many numbers");
  encoder.buckets_ = static_cast<size_t>(buckets);
  CheckModel(encoder.size() <= kMostNumbers, "a text has too many numbers");
  encoder.MakeIndex();
  CheckModel(encoder.index_.size() == encoder.words_.size() + encoder.characters_.size(), "an n-gram stands twice in a vocabulary");
  return encoder;
}

}  // namespace everlearn
