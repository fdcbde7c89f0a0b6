// A column of text as numbers: how long it is, which n-grams of a vocabulary it has, and buckets of hashed n-grams where training saw too
// few texts for a vocabulary.
//
// The vocabulary holds the word and character n-grams that most training texts have; a model so has one number for one n-gram, and names
// it. Buckets follow Weinberger et al., Feature Hashing for Large Scale Multitask Learning (ICML 2009), without signs.
// Immutable; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "data/array_file.h"
#include "data/table.h"
#include "model/text_grams.h"

namespace everlearn {

class TextEncoder {
 public:
  // At most `most` numbers a text (>= 2). N-grams that fewer than 3 texts have are left out; of very many texts a part is looked at.
  static TextEncoder Build(const TextArray& texts, size_t most);

  size_t size() const { return 1 + words_.size() + characters_.size() + buckets_; }
  // "length", "word good", "characters ood", "bucket 3": what number j is.
  std::string Name(size_t j) const;

  // Writes size() numbers. The first is log(1 + words), NaN where missing; the others log(1 + count) of their n-gram, divided by the root
  // of the number of n-grams of its kind in the text; 0 where missing. `reader` is the calling thread's own.
  void Encode(std::string_view text, bool missing, GramReader* reader, double* out) const;

  // Texts go to the arrays `prefix`.words and `prefix`.characters.
  Json Save(const std::string& prefix, ArrayFileWriter* file) const;
  static TextEncoder Load(const Json& json, const std::string& prefix, const ArrayFile& file);  // throws kDamaged

 private:
  void MakeIndex();
  std::vector<std::string> words_, characters_;
  size_t buckets_ = 0;                            // of n-grams of words
  std::unordered_map<uint64_t, uint32_t> index_;  // hash of an n-gram → its number
};

}  // namespace everlearn
