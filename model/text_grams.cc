#include "model/text_grams.h"

#include "base/hash.h"

namespace everlearn {
namespace {

constexpr size_t kMostBytes = 65'536;
constexpr uint32_t kNoCharacter = 0xFFFD;
constexpr size_t kShortest = 3, kLongest = 5;

// The next character of UTF-8 (RFC 3629), or kNoCharacter for one byte that begins none.
uint32_t NextCharacter(std::string_view text, size_t* at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const uint32_t first = byte((*at)++);
  if (first < 0x80) return first;
  const size_t more = first >= 0xC2 && first < 0xE0 ? 1 : first >= 0xE0 && first < 0xF0 ? 2 : first >= 0xF0 && first < 0xF5 ? 3 : 0;
  if (more == 0 || *at + more > text.size()) return kNoCharacter;
  uint32_t code = first & (0x3Fu >> more);
  for (size_t i = 0; i < more; ++i) {
    const uint32_t next = byte(*at + i);
    if ((next & 0xC0u) != 0x80) return kNoCharacter;
    code = (code << 6) | (next & 0x3Fu);
  }
  const bool overlong = (more == 2 && code < 0x800) || (more == 3 && code < 0x10000);
  if (overlong || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return kNoCharacter;
  *at += more;
  return code;
}

void AppendCharacter(uint32_t code, std::string* text) {
  const auto add = [&](uint32_t byte) { text->push_back(static_cast<char>(byte)); };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xC0 | (code >> 6));
  } else if (code < 0x10000) {
    add(0xE0 | (code >> 12));
    add(0x80 | ((code >> 6) & 0x3F));
  } else {
    add(0xF0 | (code >> 18));
    add(0x80 | ((code >> 12) & 0x3F));
    add(0x80 | ((code >> 6) & 0x3F));
  }
  add(0x80 | (code & 0x3F));
}

uint32_t LowerCharacter(uint32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 32;
  const bool even_is_upper = (c >= 0x100 && c <= 0x137 && c != 0x130) || (c >= 0x14A && c <= 0x177) || (c >= 0x1E00 && c <= 0x1E95) ||
                             (c >= 0x1EA0 && c <= 0x1EFF) || (c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) ||
                             (c >= 0x4D0 && c <= 0x52F);
  if (even_is_upper) return c | 1u;
  const bool odd_is_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
  if (odd_is_upper) return c + (c & 1u);
  if (c >= 0x391 && c <= 0x3A9 && c != 0x3A2) return c + 32;
  if (c >= 0x410 && c <= 0x42F) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  return c;
}

enum class CharacterKind { kBlank, kLetter, kAlone, kOther };

// By the blocks of Unicode.
CharacterKind KindOf(uint32_t c) {
  const auto within = [c](uint32_t low, uint32_t high) { return c >= low && c <= high; };
  if (c <= 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || within(0x2000, 0x200B) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
      c == 0x205F || c == 0x3000 || c == 0xFEFF || c == kNoCharacter)
    return CharacterKind::kBlank;
  if (within('0', '9') || within('a', 'z') || within('A', 'Z')) return CharacterKind::kLetter;
  if (c == '!' || c == '?' || c == '$' || c == '%' || c == '&' || c == 0xA3 || c == 0x20AC) return CharacterKind::kAlone;
  if (c < 0x80) return CharacterKind::kOther;
  if (within(0x80, 0xBF)) return c == 0xAA || c == 0xB5 || c == 0xBA ? CharacterKind::kLetter : CharacterKind::kOther;
  if (c == 0xD7 || c == 0xF7) return CharacterKind::kOther;
  if (within(0x2E80, 0x2FFF) || within(0x3040, 0x30FF) || within(0x3400, 0x9FFF) || within(0xF900, 0xFAFF) || within(0x20000, 0x3FFFF) ||
      within(0x2600, 0x27BF) || within(0x1F000, 0x1FAFF))
    return CharacterKind::kAlone;
  if (within(0x200C, 0x2BFF) || within(0x3001, 0x303F) || within(0xFE00, 0xFE0F) || within(0xFF01, 0xFF0F) || within(0xFF1A, 0xFF20))
    return CharacterKind::kOther;
  return CharacterKind::kLetter;
}

}  // namespace

uint64_t GramHash(GramKind kind, std::string_view text) { return HashBytes(text, static_cast<uint64_t>(kind)); }

void GramReader::Split(std::string_view text) {
  words_.clear();
  word_begins_.clear();
  word_ends_.clear();
  characters_.assign(1, ' ');
  starts_.assign(1, 0);
  bool inside = false, apostrophe = false;
  const auto begin_word = [&] {
    if (!words_.empty()) words_.push_back(' ');
    word_begins_.push_back(static_cast<uint32_t>(words_.size()));
  };
  const auto end_word = [&] {
    if (inside) word_ends_.push_back(static_cast<uint32_t>(words_.size()));
    inside = apostrophe = false;
  };
  for (size_t at = 0; at < text.size();) {
    const uint32_t c = LowerCharacter(NextCharacter(text, &at));
    const CharacterKind kind = KindOf(c);
    if (kind != CharacterKind::kBlank || characters_.back() != ' ') {
      starts_.push_back(static_cast<uint32_t>(characters_.size()));
      AppendCharacter(kind == CharacterKind::kBlank ? ' ' : c, &characters_);
    }
    if (kind == CharacterKind::kLetter) {
      if (!inside) begin_word();
      if (apostrophe) words_.push_back('\'');
      AppendCharacter(c, &words_);
      inside = true;
      apostrophe = false;
    } else if (inside && !apostrophe && (c == '\'' || c == 0x2019)) {
      apostrophe = true;
    } else {
      end_word();
      if (kind != CharacterKind::kAlone) continue;
      begin_word();
      AppendCharacter(c, &words_);
      inside = true;
      end_word();
    }
  }
  end_word();
  if (characters_.back() != ' ') {
    starts_.push_back(static_cast<uint32_t>(characters_.size()));
    characters_.push_back(' ');
  }
  starts_.push_back(static_cast<uint32_t>(characters_.size()));
}

void GramReader::AddWords() {
  for (size_t i = 0; i < word_ends_.size(); ++i) {
    for (size_t last = i; last < std::min(i + 2, word_ends_.size()); ++last) {
      Gram gram{0, word_begins_[i], word_ends_[last], GramKind::kWords};
      gram.hash = GramHash(gram.kind, Text(gram));
      grams_.push_back(gram);
    }
  }
}

void GramReader::AddCharacters() {
  const size_t count = starts_.size() - 1;
  for (size_t i = 0; i < count; ++i) {
    for (size_t end = i + 1; end <= std::min(i + kLongest, count); ++end) {
      if (end - i >= kShortest) {
        Gram gram{0, starts_[i], starts_[end], GramKind::kCharacters};
        gram.hash = GramHash(gram.kind, Text(gram));
        grams_.push_back(gram);
      }
      if (end - i > 1 && characters_[starts_[end - 1]] == ' ') break;  // the blank behind the word is its last
    }
  }
}

const std::vector<Gram>& GramReader::Read(std::string_view text) {
  grams_.clear();
  Split(text.substr(0, kMostBytes));
  AddWords();
  AddCharacters();
  return grams_;
}

}  // namespace everlearn
