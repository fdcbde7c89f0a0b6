// A text as word and character n-grams, the same on every machine: what model files written today rely on for ever.
//
// Characters are those of UTF-8; a byte that is none separates words. Letters become lower case (Latin, Greek and Cyrillic, a character
// for a character). A word is a run of letters, digits and apostrophes between letters; ideographs, kana and pictographs are words of one
// character, and so are ! ? $ % & £ and €. Word n-grams are 1 or 2 words beside each other, joined by a blank. Character n-grams are 3 to 5
// characters within what stands between blanks, which counts with one blank on each side (Cavnar & Trenkle, N-Gram-Based Text
// Categorization, 1994).
//
// One reader belongs to one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace everlearn {

enum class GramKind : uint8_t { kWords, kCharacters };

struct Gram {
  uint64_t hash;  // XXH64 of its UTF-8 text, seeded with the index of its kind
  uint32_t begin, end;
  GramKind kind;
};

class GramReader {
 public:
  // The n-grams of a text, in its order, words first; valid until the next call. At most the first 65,536 bytes are read.
  const std::vector<Gram>& Read(std::string_view text);
  // Of the last text.
  size_t words() const { return word_ends_.size(); }
  std::string_view Text(const Gram& gram) const {
    return std::string_view(gram.kind == GramKind::kWords ? words_ : characters_).substr(gram.begin, gram.end - gram.begin);
  }

 private:
  void Split(std::string_view text);
  void AddWords();
  void AddCharacters();

  std::string words_;       // joined by blanks
  std::string characters_;  // lower case, runs of blanks as one, one at both ends
  std::vector<uint32_t> word_begins_, word_ends_;
  std::vector<uint32_t> starts_;  // of the characters in characters_, and its end
  std::vector<Gram> grams_;
};

uint64_t GramHash(GramKind kind, std::string_view text);

}  // namespace everlearn
