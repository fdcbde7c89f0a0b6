// Reads the text of a LightGBM model: a header of key=value lines, then one block of key=value lines a tree.
#include "learners/lightgbm_trees.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>

#include "base/error.h"

namespace everlearn {

namespace {

using Fields = std::map<std::string_view, std::string_view>;

[[noreturn]] void Refuse(const std::string& what) { throw Error(ErrorKind::kInput, "the LightGBM model cannot be read: " + what); }

// Takes the text up to `separator` (or all) off the front of `rest`.
std::string_view TakeUntil(std::string_view* rest, char separator) {
  const size_t end = rest->find(separator);
  const std::string_view part = rest->substr(0, end);
  rest->remove_prefix(end == std::string_view::npos ? rest->size() : end + 1);
  return part;
}

// The key=value lines up to the next empty line; a line without '=' is a key without a value.
Fields ReadBlock(std::string_view* rest) {
  Fields fields;
  while (!rest->empty()) {
    std::string_view line = TakeUntil(rest, '\n');
    if (line.empty()) break;
    const std::string_view key = TakeUntil(&line, '=');
    fields[key] = line;
  }
  return fields;
}

template <typename T>
T ParseNumber(std::string_view text, std::string_view key) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) Refuse(std::string(key) + " holds '" + std::string(text) + "'");
  return value;
}

std::string_view Get(const Fields& fields, std::string_view key) {
  const auto found = fields.find(key);
  if (found == fields.end()) Refuse(std::string(key) + " is missing");
  return found->second;
}

template <typename T>
std::vector<T> Numbers(const Fields& fields, std::string_view key, size_t count) {
  std::string_view rest = Get(fields, key);
  std::vector<T> values;
  values.reserve(count);
  while (!rest.empty()) {
    const std::string_view item = TakeUntil(&rest, ' ');
    if (!item.empty()) values.push_back(ParseNumber<T>(item, key));
  }
  if (values.size() != count) Refuse(std::string(key) + " holds " + std::to_string(values.size()) + " numbers");
  return values;
}

// Sets link, sigmoid scale and averaging from the header.
void ReadHeader(const Fields& header, TreesParameters* trees) {
  const auto found = header.find("objective");
  std::string_view words = found == header.end() ? "regression" : found->second;
  const std::string objective(TakeUntil(&words, ' '));
  if (objective == "binary" || objective == "cross_entropy") {
    trees->link = Link::kSigmoid;
  } else if (objective == "multiclass") {
    trees->link = Link::kSoftmax;
  } else if (objective == "poisson" || objective == "gamma" || objective == "tweedie") {
    trees->link = Link::kExp;
  } else if (objective != "regression" && objective != "regression_l1" && objective != "huber" && objective != "fair" &&
             objective != "quantile" && objective != "mape") {
    Refuse("its objective '" + objective + "' is not known");
  }
  while (!words.empty()) {
    std::string_view value = TakeUntil(&words, ' ');
    const std::string_view key = TakeUntil(&value, ':');
    if (key == "sigmoid") trees->sigmoid_scale = ParseNumber<double>(value, key);
    if (key == "sqrt") Refuse("it is trained on square roots of the target");
  }
  trees->average = header.count("average_output") > 0;
}

// Turns a split on codes, or on places in `ranges`, into one on raw values.
void DecodeSplit(const BinnedColumn& column, const ColumnRanges* ranges, size_t feature, bool left_is_larger, double* threshold,
                 uint8_t* flags) {
  if ((*flags & kSplitCategories) != 0) return;  // codes are dictionary codes already
  constexpr double kLargest = std::numeric_limits<double>::max();
  if (ranges != nullptr) {
    const double place = *threshold;
    *threshold = std::clamp(ranges->NumberAt(feature, place), -kLargest, kLargest);
    // Rounding must not carry a number over: LightGBM splits as close to zero as at -1e-35, which is the number at place 0 itself.
    if (ranges->Place(feature, *threshold) > place) *threshold = std::nextafter(*threshold, -kLargest);
  } else {
    const auto code = static_cast<size_t>(std::clamp(*threshold, 0.0, static_cast<double>(column.bins - 1)));
    *threshold = std::clamp(column.upper[code], -kLargest, kLargest);
  }
  if ((*flags & kSplitMissingNan) != 0) return;
  *flags = static_cast<uint8_t>(kSplitMissingNan | (left_is_larger ? kSplitDefaultLeft : 0));
}

void ReadCategorySets(const Fields& fields, size_t sets, TreesParameters* trees) {
  const auto boundaries = Numbers<uint64_t>(fields, "cat_boundaries", sets + 1);
  const auto words = Numbers<uint32_t>(fields, "cat_threshold", boundaries.back());
  if (trees->category_offsets.empty()) trees->category_offsets.push_back(0);
  const uint64_t offset = trees->category_offsets.back();
  for (size_t s = 1; s <= sets; ++s) trees->category_offsets.push_back(offset + boundaries[s]);
  trees->category_words.insert(trees->category_words.end(), words.begin(), words.end());
}

// The terms of the leaves, which stand one leaf after another, some with more spaces between them than one.
// A tree that found no split has constant leaves among others that are linear.
void ReadLinearLeaves(const Fields& fields, uint32_t leaves, bool is_linear, LinearLeaves* linear) {
  if (!is_linear) {
    const auto values = Numbers<double>(fields, "leaf_value", leaves);
    linear->constants.insert(linear->constants.end(), values.begin(), values.end());
    linear->offsets.resize(linear->offsets.size() + leaves, linear->offsets.back());
    return;
  }
  const auto constants = Numbers<double>(fields, "leaf_const", leaves);
  const auto counts = Numbers<uint64_t>(fields, "num_features", leaves);
  linear->constants.insert(linear->constants.end(), constants.begin(), constants.end());
  for (const uint64_t count : counts) linear->offsets.push_back(linear->offsets.back() + count);
  const auto spread = [&](std::string_view key, auto* all) {
    std::string_view rest = Get(fields, key);
    while (!rest.empty()) {
      const std::string_view word = TakeUntil(&rest, ' ');
      if (!word.empty()) all->push_back(ParseNumber<typename std::remove_pointer_t<decltype(all)>::value_type>(word, key));
    }
    if (all->size() != linear->offsets.back()) Refuse(std::string(key) + " has a wrong length");
  };
  spread("leaf_features", &linear->term_features);
  spread("leaf_coeff", &linear->coefficients);
}

void ReadTree(const Fields& fields, const BinnedTable* codes, TreesParameters* trees, std::vector<int64_t>* leaf_rows,
              LinearLeaves* linear) {
  const auto leaves = ParseNumber<uint32_t>(Get(fields, "num_leaves"), "num_leaves");
  if (leaves == 0) Refuse("a tree has no leaves");
  const auto found = fields.find("is_linear");
  const bool is_linear = found != fields.end() && found->second != "0";
  if (is_linear && linear == nullptr) Refuse("its leaves are linear models");
  if (linear != nullptr) ReadLinearLeaves(fields, leaves, is_linear, linear);
  const auto append = [](auto* all, const auto& part) { all->insert(all->end(), part.begin(), part.end()); };
  trees->leaves.push_back(leaves);
  append(&trees->leaf_values, Numbers<double>(fields, "leaf_value", leaves));
  const auto leaf_count = Numbers<int64_t>(fields, "leaf_count", leaves);
  if (leaf_rows != nullptr) append(leaf_rows, leaf_count);
  const size_t splits = leaves - 1;
  if (splits == 0) return;

  const auto left = Numbers<int32_t>(fields, "left_child", splits);
  const auto right = Numbers<int32_t>(fields, "right_child", splits);
  const auto feature = Numbers<uint32_t>(fields, "split_feature", splits);
  auto threshold = Numbers<double>(fields, "threshold", splits);
  auto flags = Numbers<uint8_t>(fields, "decision_type", splits);
  const auto split_count = Numbers<int64_t>(fields, "internal_count", splits);
  const size_t first_set = trees->category_offsets.empty() ? 0 : trees->category_offsets.size() - 1;
  const auto rows_at = [&](int32_t child) { return child >= 0 ? split_count.at(child) : leaf_count.at(~child); };
  for (size_t i = 0; i < splits; ++i) {
    if (codes != nullptr) {
      DecodeSplit(codes->columns.at(feature[i]), linear == nullptr ? nullptr : &linear->ranges, feature[i],
                  rows_at(left[i]) >= rows_at(right[i]), &threshold[i], &flags[i]);
    }
    if ((flags[i] & kSplitCategories) != 0) threshold[i] += static_cast<double>(first_set);
  }
  if (const auto sets = ParseNumber<size_t>(Get(fields, "num_cat"), "num_cat"); sets > 0) ReadCategorySets(fields, sets, trees);
  append(&trees->left, left);
  append(&trees->right, right);
  append(&trees->feature, feature);
  append(&trees->threshold, threshold);
  append(&trees->flags, flags);
}

}  // namespace

void AppendLightGbm(const std::string& model_text, const BinnedTable* codes, TreesParameters* trees, std::vector<int64_t>* leaf_rows,
                    LinearLeaves* linear) {
  std::string_view rest = model_text;
  const Fields header = ReadBlock(&rest);
  if (header.count("tree") == 0 || header.count("num_tree_per_iteration") == 0) Refuse("it does not begin as one");
  ReadHeader(header, trees);
  if (linear != nullptr && linear->offsets.empty()) linear->offsets = {0};
  while (rest.starts_with("Tree=") || rest.starts_with('\n')) {
    if (const Fields fields = ReadBlock(&rest); !fields.empty()) ReadTree(fields, codes, trees, leaf_rows, linear);
  }
  if (!rest.starts_with("end of trees")) Refuse("it ends too early");
}

TreesParameters TreesFromLightGbm(const std::string& model_text, const BinnedTable* codes, size_t features, size_t outputs,
                                  std::vector<int64_t>* leaf_rows, LinearLeaves* linear) {
  TreesParameters trees;
  trees.features = features;
  trees.outputs = outputs;
  AppendLightGbm(model_text, codes, &trees, leaf_rows, linear);
  return trees;
}

std::shared_ptr<const Model> ModelFromLightGbm(const std::string& model_text, const BinnedTable* codes, size_t features, size_t outputs) {
  return MakeTrees(TreesFromLightGbm(model_text, codes, features, outputs));
}

}  // namespace everlearn
