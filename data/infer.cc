// Infers what each column of a raw table is.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/suggest.h"
#include "data/field.h"
#include "data/schema.h"

namespace everlearn {
namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
constexpr size_t kMostStrayWords = 5;                  // distinct texts in a column of numbers or dates that then mean missing
constexpr size_t kStrayShare = 10;                     // and at most one row in so many
constexpr size_t kRowsForId = 20;                      // fewer rows do not show that a column tells them apart

struct NumberFacts {
  size_t count = 0;
  bool integers = true;        // all of them written without point and exponent
  bool leading_zeros = false;  // "01234"
  bool beyond_exact = false;   // an integer that a double cannot tell from its neighbour
  bool consecutive = true;     // each is the one before plus 1
  double low = 0, high = 0, last = 0;

  void Add(double value) {
    consecutive = consecutive && (count == 0 || value == last + 1);
    low = count == 0 ? value : std::min(low, value);
    high = count == 0 ? value : std::max(high, value);
    last = value;
    ++count;
  }
};

struct Facts {
  size_t rows = 0, present = 0;
  NumberFacts numbers;
  std::unordered_map<std::string_view, size_t> others;  // texts that are no plain numbers, with their rows
};

bool IsIntegerSyntax(std::string_view text) { return text.find_first_of(".eE") == std::string_view::npos; }

bool HasLeadingZero(std::string_view text) { return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9'; }

Facts LookAtTexts(const TextArray& texts) {
  Facts facts;
  facts.rows = texts.size();
  for (size_t row = 0; row < texts.size(); ++row) {
    if (texts.missing(row)) continue;
    const std::string_view text = texts[row];
    const auto number = ParsePlainNumber(text);
    if (number && !std::isnan(*number)) {
      const bool integer = *number == std::floor(*number) && IsIntegerSyntax(text);
      facts.numbers.integers = facts.numbers.integers && integer;
      facts.numbers.leading_zeros = facts.numbers.leading_zeros || (integer && HasLeadingZero(text));
      facts.numbers.beyond_exact = facts.numbers.beyond_exact || (integer && std::abs(*number) > kExactIntegers);
      facts.numbers.Add(*number);
    } else if (!number && !IsMissingToken(text)) {
      ++facts.others[text];
    } else {
      continue;
    }
    ++facts.present;
  }
  return facts;
}

Facts LookAtNumbers(const Column& column) {
  Facts facts;
  facts.rows = column.numbers.size();
  for (const double value : column.numbers) {
    if (std::isnan(value)) continue;
    facts.numbers.integers = facts.numbers.integers && value == std::floor(value);
    facts.numbers.Add(value);
    ++facts.present;
  }
  return facts;
}

size_t CountDistinct(const Column& column) {
  std::unordered_set<std::string_view> texts;
  std::unordered_set<uint64_t> numbers;
  for (size_t row = 0; row < column.size(); ++row) {
    if (column.missing(row)) continue;
    if (column.type == ColumnType::kText && !IsMissingToken(column.text[row])) texts.insert(column.text[row]);
    if (!column.is_numeric()) continue;
    uint64_t bits = 0;
    std::memcpy(&bits, &column.numbers[row], sizeof bits);
    numbers.insert(bits);
  }
  return texts.size() + numbers.size();
}

// The words of a name in lower case: "customerId", "ROLE_CODE_2" → {"customer", "id"}, {"role", "code"}; numbers at the end say nothing.
std::vector<std::string> NameWords(std::string_view name) {
  std::vector<std::string> words(1);
  char before = '_';
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool letter = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
    if (!letter || (upper && before >= 'a' && before <= 'z')) words.emplace_back();
    if (letter) words.back().push_back(c);
    before = c;
  }
  std::vector<std::string> kept;
  for (const std::string& word : words)
    if (!word.empty()) kept.push_back(LowerCase(word));
  while (kept.size() > 1 && kept.back().find_first_not_of("0123456789") == std::string::npos) kept.pop_back();
  return kept;
}

bool IsOneOf(const std::string& word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Infers one column.
class ColumnInference {
 public:
  ColumnInference(const Column& raw, const std::string& source, std::vector<SchemaWarning>* warnings)
      : raw_(raw), source_(source), warnings_(warnings) {
    schema_.name = raw.name;
  }

  ColumnSchema Infer() {
    if (raw_.type == ColumnType::kText) {
      facts_ = LookAtTexts(raw_.text);
      FromText();
    } else if (raw_.type == ColumnType::kCategory) {
      facts_.rows = raw_.size();
      facts_.present = static_cast<size_t>(std::count_if(raw_.codes.begin(), raw_.codes.end(), [](int32_t code) { return code >= 0; }));
      Decide(ColumnType::kCategory);
      if (facts_.present == facts_.rows && std::set<int32_t>(raw_.codes.begin(), raw_.codes.end()).size() == 1) schema_.kind = "constant";
    } else {
      facts_ = LookAtNumbers(raw_);
      FromNumbers(raw_.type);
    }
    if (facts_.present == 0) {
      Decide(ColumnType::kCategory);  // whatever a later batch has here is accepted
      schema_.kind = "constant";
    }
    return schema_;
  }

  // With a type that the user gave; every value must fit.
  ColumnSchema Force(ColumnType type) {
    Decide(type);
    if (raw_.type == ColumnType::kText) {
      facts_ = LookAtTexts(raw_.text);
      if (type == ColumnType::kBoolean && !FindBooleanWords() && facts_.others.size() == 2 && facts_.numbers.count == 0) {
        for (const auto& [word, rows] : facts_.others) schema_.boolean_words.emplace_back(Trim(word));
        std::sort(schema_.boolean_words.begin(), schema_.boolean_words.end());
      }
      if (type == ColumnType::kTimestamp) FindDateOrder();
      if (type == ColumnType::kNumber)
        schema_.percent_or_currency = std::any_of(facts_.others.begin(), facts_.others.end(),
                                                  [](const auto& item) { return ParseDecoratedNumber(item.first).has_value(); });
    }
    Table one;
    one.rows = raw_.size();
    one.columns = {raw_};
    const Table typed = Conform(one, Schema{{schema_}}, {}, source_);
    if (type == ColumnType::kInteger) CheckIntegers(typed.columns.front());
    return schema_;
  }

 private:
  void Decide(ColumnType type) {
    schema_.type = type;
    schema_.kind = ColumnTypeName(type);
  }

  void FromText() {
    if (IsNumeric()) {
      const bool integer = facts_.numbers.integers && !schema_.percent_or_currency;
      return FromNumbers(integer ? ColumnType::kInteger : ColumnType::kNumber);
    }
    if (facts_.numbers.count == 0) {
      if (FindBooleanWords()) return Decide(ColumnType::kBoolean);
      if (FindDateOrder()) {
        Decide(ColumnType::kTimestamp);
        if (facts_.others.size() == 1 && facts_.present == facts_.rows) schema_.kind = "constant";
        return;
      }
    }
    FromWords();
  }

  // Whether numbers are all there is, but for decorated ones and a few stray words.
  bool IsNumeric() {
    if (facts_.numbers.leading_zeros || facts_.numbers.beyond_exact) return false;
    size_t decorated = 0, none = 0;
    std::vector<std::string> stray;
    size_t stray_rows = 0;
    for (const auto& [text, rows] : facts_.others) {
      if (ParseDecoratedNumber(text)) {
        decorated += rows;
      } else if (LowerCase(Trim(text)) == "none") {
        none += rows;
      } else {
        stray.emplace_back(Trim(text));
        stray_rows += rows;
        if (stray.size() > kMostStrayWords) return false;
      }
    }
    const size_t numbers = facts_.numbers.count + decorated;
    if (numbers == 0 || stray_rows * kStrayShare > numbers + stray_rows) return false;
    schema_.percent_or_currency = decorated > 0;
    facts_.present -= none;
    AcceptStrayWords(std::move(stray), stray_rows, "numbers");
    return true;
  }

  void AcceptStrayWords(std::vector<std::string> words, size_t rows, const std::string& what) {
    if (words.empty()) return;
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    std::string list;
    for (const std::string& word : words) list += (list.empty() ? "'" : ", '") + word + "'";
    warnings_->push_back({"stray_text",
                          source_ + ": column '" + raw_.name + "' holds " + what + " but for " + list + " in " + std::to_string(rows) +
                              " rows, which count as missing",
                          raw_.name});
    facts_.present -= rows;
    schema_.missing_tokens = std::move(words);
  }

  // Numbers are what they are, or tell rows apart, or are codes of categories; `type` is what they are.
  void FromNumbers(ColumnType type) {
    Decide(type);
    const NumberFacts& numbers = facts_.numbers;
    const bool complete = facts_.present == facts_.rows;
    if (complete && numbers.count == facts_.present && numbers.low == numbers.high) {
      schema_.kind = "constant";
      return;
    }
    if (type != ColumnType::kInteger || numbers.count < facts_.present) return;
    const std::vector<std::string> words = NameWords(raw_.name);
    if (words.empty()) return;
    const std::string& last = words.back();
    const bool id_name = IsOneOf(last, {"id", "key", "uuid", "no", "nr", "number", "ref"});
    const bool time_name = IsOneOf(last, {"year", "month", "week", "day", "date", "hour", "minute", "time", "period", "t"});
    const bool gapless = numbers.high - numbers.low + 1 == static_cast<double>(facts_.present);
    const bool code_name =
        IsOneOf(last, {"id", "code", "zip", "zipcode", "postal", "postcode", "type", "category"}) || words.front() == "role";
    if (complete && facts_.rows >= kRowsForId && (id_name || (gapless && !time_name))) {
      if ((gapless && numbers.consecutive) || CountDistinct(raw_) == facts_.rows) {
        schema_.kind = "id";
        return;
      }
    }
    // Two codes need no dictionary: a number tells them apart as well.
    if (code_name && numbers.low >= 0 && numbers.high - numbers.low > 1 && CountDistinct(raw_) * 2 <= facts_.present)
      Decide(ColumnType::kCategory);
  }

  // Whether the texts are exactly the two words of a pair, in any case.
  bool FindBooleanWords() {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kPairs = {
        {{"no", "yes"}, {"false", "true"}, {"f", "t"}, {"n", "y"}, {"off", "on"}}};
    constexpr size_t kSpellings = 16;
    if (facts_.others.empty() || facts_.others.size() > kSpellings || facts_.numbers.count > 0) return false;
    std::set<std::string> words;
    for (const auto& [text, rows] : facts_.others) words.insert(LowerCase(Trim(text)));
    for (const auto& [no, yes] : kPairs) {
      if (words != std::set<std::string>{std::string(no), std::string(yes)}) continue;
      schema_.boolean_words = {std::string(no), std::string(yes)};
      return true;
    }
    return false;
  }

  // Whether the texts are dates of one order, but for a few stray words.
  bool FindDateOrder() {
    struct Failure {
      std::vector<std::string> words;
      size_t rows = 0;
    };
    std::array<Failure, 3> failures;
    constexpr std::array<DateOrder, 3> kOrders = {DateOrder::kIso, DateOrder::kMonthFirst, DateOrder::kDayFirst};
    for (size_t k = 0; k < kOrders.size(); ++k) {
      for (const auto& [text, rows] : facts_.others) {
        if (ParseDate(text, kOrders[k])) continue;
        failures[k].rows += rows;
        failures[k].words.emplace_back(Trim(text));
        if (failures[k].words.size() > kMostStrayWords) {
          failures[k].rows = SIZE_MAX;
          break;
        }
      }
    }
    size_t best = 0;
    for (size_t k = 1; k < kOrders.size(); ++k)
      if (failures[k].rows < failures[best].rows) best = k;
    if (failures[best].rows == SIZE_MAX || facts_.others.empty() || failures[best].rows * kStrayShare > facts_.present) return false;
    if (best == 1 && failures[1].rows == failures[2].rows) best = ResolveDateOrder();
    schema_.date_order = kOrders[best];
    AcceptStrayWords(std::move(failures[best].words), failures[best].rows, "dates");
    return true;
  }

  // No day is beyond 12: the separator decides. Index into the orders of FindDateOrder.
  size_t ResolveDateOrder() {
    const bool slash = std::any_of(facts_.others.begin(), facts_.others.end(),
                                   [](const auto& item) { return item.first.find('/') != std::string_view::npos; });
    warnings_->push_back({"ambiguous_date",
                          source_ + ": the dates of column '" + raw_.name + "' fit both orders of day and month, and are read as " +
                              (slash ? "month/day/year" : "day, month, year"),
                          raw_.name});
    return slash ? 1 : 2;
  }

  // Words: constant, free text, names that tell rows apart, or categories.
  void FromWords() {
    Decide(ColumnType::kCategory);
    size_t distinct = facts_.others.size();
    if (facts_.numbers.count > 0) distinct = CountDistinct(raw_);
    const bool complete = facts_.present == facts_.rows;
    if (distinct == 1 && complete) {
      schema_.kind = "constant";
      return;
    }
    if (IsFreeText(distinct)) return Decide(ColumnType::kText);
    if (distinct == facts_.rows && facts_.rows >= kRowsForId) schema_.kind = "id";
  }

  // Texts of some words, most of which stand in one row only: a comment is free text even where half of them are "none", a list of
  // degrees or products is not. What has one length and no blank is a code.
  bool IsFreeText(size_t distinct) const {
    constexpr size_t kWordsOfText = 3, kBytesOfText = 40, kDistinctTexts = 50;
    const size_t texts = facts_.others.size();
    size_t words = 0, bytes = 0, singles = 0, shortest = SIZE_MAX, longest = 0;
    for (const auto& [text, rows] : facts_.others) {
      bytes += text.size();
      singles += rows == 1 ? 1 : 0;
      shortest = std::min(shortest, text.size());
      longest = std::max(longest, text.size());
      bool inside = false;
      for (const char c : text) {
        const bool blank = c == ' ' || c == '\n' || c == '\t';
        words += !blank && !inside ? 1 : 0;
        inside = !blank;
      }
    }
    if (texts == 0 || (words < kWordsOfText * texts && bytes < kBytesOfText * texts)) return false;
    if (words == texts && shortest == longest) return false;
    const bool many_once = distinct >= kDistinctTexts && distinct * 10 > facts_.present && singles * 2 > texts;
    return distinct * 2 > facts_.present || many_once;
  }

  void CheckIntegers(const Column& typed) const {
    for (size_t row = 0; row < typed.numbers.size(); ++row) {
      const double value = typed.numbers[row];
      if (std::isnan(value) || value == std::floor(value)) continue;
      throw Error(ErrorKind::kInput,
                  source_ + ", row " + std::to_string(row + 1) + ": column '" + raw_.name + "' is '" + raw_.TextAt(row) +
                      "', which is not an integer",
                  "--type " + raw_.name + "=number");
    }
  }

  const Column& raw_;
  const std::string& source_;
  std::vector<SchemaWarning>* warnings_;
  Facts facts_;
  ColumnSchema schema_;
};

}  // namespace

Schema InferSchema(const Table& raw, const InferOptions& options, std::vector<SchemaWarning>* warnings) {
  for (const auto& [name, type] : options.types)
    if (raw.Find(name) < 0)
      throw Error(ErrorKind::kUsage, "--type names '" + name + "', which is no column of " + options.source,
                  SuggestionHint(name, raw.Names()));
  std::vector<SchemaWarning> unwanted;
  Schema schema;
  for (const Column& column : raw.columns) {
    ColumnInference inference(column, options.source, warnings != nullptr ? warnings : &unwanted);
    const auto forced = options.types.find(column.name);
    schema.columns.push_back(forced == options.types.end() ? inference.Infer() : inference.Force(forced->second));
  }
  return schema;
}

}  // namespace everlearn
