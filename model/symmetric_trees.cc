// Arrays of the file: `bias` (F64), `depth` (U8), `feature` (U32), `threshold` (F64), `equal` (U8), `leaf_values` (F64), all as in
// SymmetricTreesParameters.
#include "model/symmetric_trees.h"

#include <limits>
#include <map>

#include "model/check.h"

namespace everlearn {
namespace {

constexpr size_t kRows = 64;          // of a block
constexpr size_t kStackInputs = 256;  // inputs of a row that need no allocation

// What tests look at: the rank of a feature among its thresholds (0: missing), or whether it is equal to one.
struct Input {
  uint32_t feature;
  bool equal;
  uint32_t begin, end;  // among thresholds_
};

struct Test {
  uint32_t input;
  uint16_t rank;  // set where the input's rank is not below it
};

class SymmetricTreesModel final : public Model {
 public:
  explicit SymmetricTreesModel(SymmetricTreesParameters parameters) : parameters_(std::move(parameters)), scores_(parameters_.bias.size()) {
    MakeInputs();
  }

  std::string_view kind() const override { return "symmetric_trees"; }
  size_t features() const override { return parameters_.features; }
  size_t outputs() const override { return parameters_.outputs; }
  void PredictRow(const double* row, double* out) const override;
  void Predict(const RowsView& rows, double* out) const override;
  Json Save(const std::string& prefix, ArrayFileWriter* file) const override;

 private:
  void MakeInputs();
  uint16_t Rank(const Input& input, double x) const;

  SymmetricTreesParameters parameters_;
  size_t scores_;
  std::vector<double> thresholds_;  // of each input, ascending
  std::vector<Input> inputs_;
  std::vector<Test> tests_;
};

void SymmetricTreesModel::MakeInputs() {
  using Key = std::pair<uint32_t, double>;  // feature; the value of an `equal` test
  std::map<uint32_t, std::vector<double>> numbers;
  std::map<Key, uint32_t> equal;
  for (size_t t = 0; t < parameters_.feature.size(); ++t) {
    const Key key{parameters_.feature[t], parameters_.threshold[t]};
    if (parameters_.equal[t] != 0) {
      equal.try_emplace(key, 0);
    } else {
      numbers[key.first].push_back(key.second);
    }
  }
  std::map<uint32_t, uint32_t> input_of;
  for (auto& [feature, thresholds] : numbers) {
    std::sort(thresholds.begin(), thresholds.end());
    thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
    if (thresholds.front() == -std::numeric_limits<double>::infinity()) thresholds.erase(thresholds.begin());
    CheckModel(thresholds.size() < std::numeric_limits<uint16_t>::max() - 1, "a feature of the symmetric trees has too many thresholds");
    input_of[feature] = static_cast<uint32_t>(inputs_.size());
    const auto begin = static_cast<uint32_t>(thresholds_.size());
    thresholds_.insert(thresholds_.end(), thresholds.begin(), thresholds.end());
    inputs_.push_back({feature, false, begin, static_cast<uint32_t>(thresholds_.size())});
  }
  for (auto& [key, input] : equal) {
    input = static_cast<uint32_t>(inputs_.size());
    const auto begin = static_cast<uint32_t>(thresholds_.size());
    thresholds_.push_back(key.second);
    inputs_.push_back({key.first, true, begin, begin + 1});
  }
  for (size_t t = 0; t < parameters_.feature.size(); ++t) {
    const Key key{parameters_.feature[t], parameters_.threshold[t]};
    if (parameters_.equal[t] != 0) {
      tests_.push_back({equal.at(key), 1});
      continue;
    }
    const Input& input = inputs_[input_of.at(key.first)];
    const auto begin = thresholds_.begin() + input.begin, end = thresholds_.begin() + input.end;
    const bool asks_presence = key.second == -std::numeric_limits<double>::infinity();
    const auto place = asks_presence ? -1 : std::lower_bound(begin, end, key.second) - begin;
    tests_.push_back({input_of.at(key.first), static_cast<uint16_t>(place + 2)});
  }
}

uint16_t SymmetricTreesModel::Rank(const Input& input, double x) const {
  if (input.equal) return std::isinf(thresholds_[input.begin]) ? std::isnan(x) : x == thresholds_[input.begin];
  if (std::isnan(x)) return 0;
  const auto begin = thresholds_.begin() + input.begin, end = thresholds_.begin() + input.end;
  return static_cast<uint16_t>(1 + (std::lower_bound(begin, end, x) - begin));
}

void SymmetricTreesModel::PredictRow(const double* row, double* out) const {
  uint16_t stack[kStackInputs];
  std::vector<uint16_t> heap;
  uint16_t* ranks = stack;
  if (inputs_.size() > kStackInputs) {
    heap.resize(inputs_.size());
    ranks = heap.data();
  }
  for (size_t i = 0; i < inputs_.size(); ++i) ranks[i] = Rank(inputs_[i], row[inputs_[i].feature]);
  std::copy(parameters_.bias.begin(), parameters_.bias.end(), out);  // there are at least as many outputs as scores
  const Test* test = tests_.data();
  const double* values = parameters_.leaf_values.data();
  for (const uint8_t depth : parameters_.depth) {
    size_t leaf = 0;
    for (size_t k = 0; k < depth; ++k) leaf |= static_cast<size_t>(ranks[test[k].input] >= test[k].rank) << k;
    for (size_t s = 0; s < scores_; ++s) out[s] += values[leaf * scores_ + s];
    test += depth;
    values += scores_ << depth;
  }
  ApplyLink(parameters_.link, out, outputs(), 1.0, out);
}

void SymmetricTreesModel::Predict(const RowsView& rows, double* out) const {
  std::vector<uint16_t> ranks(inputs_.size() * kRows);
  std::vector<double> scores(kRows * scores_);
  for (size_t first = 0; first < rows.rows; first += kRows) {
    const size_t count = std::min(kRows, rows.rows - first);
    for (size_t i = 0; i < inputs_.size(); ++i)
      for (size_t r = 0; r < count; ++r) ranks[i * kRows + r] = Rank(inputs_[i], rows.row(first + r)[inputs_[i].feature]);
    for (size_t r = 0; r < count; ++r)
      std::copy(parameters_.bias.begin(), parameters_.bias.end(), scores.begin() + static_cast<std::ptrdiff_t>(r * scores_));
    const Test* test = tests_.data();
    const double* values = parameters_.leaf_values.data();
    for (const uint8_t depth : parameters_.depth) {
      uint16_t leaves[kRows] = {};
      for (size_t k = 0; k < depth; ++k) {
        const uint16_t* __restrict of_input = ranks.data() + test[k].input * kRows;
        const uint16_t rank = test[k].rank;
        const auto bit = static_cast<uint16_t>(1 << k);
        for (size_t r = 0; r < kRows; ++r) leaves[r] = static_cast<uint16_t>(leaves[r] | (of_input[r] >= rank ? bit : 0));
      }
      if (scores_ == 1) {
        for (size_t r = 0; r < count; ++r) scores[r] += values[leaves[r]];
      } else {
        for (size_t r = 0; r < count; ++r)
          for (size_t s = 0; s < scores_; ++s) scores[r * scores_ + s] += values[leaves[r] * scores_ + s];
      }
      test += depth;
      values += scores_ << depth;
    }
    for (size_t r = 0; r < count; ++r)
      ApplyLink(parameters_.link, scores.data() + r * scores_, outputs(), 1.0, out + (first + r) * outputs());
  }
}

Json SymmetricTreesModel::Save(const std::string& prefix, ArrayFileWriter* file) const {
  file->Add(prefix + "bias", std::span(parameters_.bias));
  file->Add(prefix + "depth", std::span(parameters_.depth));
  file->Add(prefix + "feature", std::span(parameters_.feature));
  file->Add(prefix + "threshold", std::span(parameters_.threshold));
  file->Add(prefix + "equal", std::span(parameters_.equal));
  file->Add(prefix + "leaf_values", std::span(parameters_.leaf_values));
  return JsonObject{{"link", LinkName(parameters_.link)}};
}

std::shared_ptr<const Model> Load(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  SymmetricTreesParameters parameters;
  parameters.features = features;
  parameters.outputs = outputs;
  parameters.link = ParseLink(TextField(json, "link"));
  parameters.bias = ToVector(file.Get<double>(prefix + "bias"));
  parameters.depth = ToVector(file.Get<uint8_t>(prefix + "depth"));
  parameters.feature = ToVector(file.Get<uint32_t>(prefix + "feature"));
  parameters.threshold = ToVector(file.Get<double>(prefix + "threshold"));
  parameters.equal = ToVector(file.Get<uint8_t>(prefix + "equal"));
  parameters.leaf_values = ToVector(file.Get<double>(prefix + "leaf_values"));
  return MakeSymmetricTrees(std::move(parameters));
}

const bool registered =
    ModelKinds().Add("symmetric_trees", {"ensemble of symmetric trees: one test a level, one value a leaf and score", Load});

}  // namespace

std::shared_ptr<const Model> MakeSymmetricTrees(SymmetricTreesParameters parameters) {
  const size_t scores = LinkScores(parameters.link, parameters.outputs), tests = parameters.feature.size();
  CheckModel(parameters.bias.size() == scores, "the symmetric trees have a wrong number of scores");
  CheckModel(parameters.threshold.size() == tests && parameters.equal.size() == tests, "the arrays of tests differ in length");
  CheckModel(AllFinite(parameters.bias) && AllFinite(parameters.leaf_values), "a value of the symmetric trees is not finite");
  size_t tests_of_trees = 0, values = 0;
  for (const uint8_t depth : parameters.depth) {
    CheckModel(depth <= kMostSymmetricLevels, "a symmetric tree is too deep");
    tests_of_trees += depth;
    values += scores << depth;
  }
  CheckModel(tests_of_trees == tests && values == parameters.leaf_values.size(), "the numbers of trees, tests and leaves do not fit");
  for (size_t t = 0; t < tests; ++t) {
    CheckModel(parameters.feature[t] < parameters.features, "a test is on a feature that is not there");
    CheckModel(parameters.equal[t] <= 1, "a test is of an unknown sort");
    const double threshold = parameters.threshold[t];
    CheckModel(std::isfinite(threshold) || threshold < 0, "a threshold is not a number");
  }
  return std::make_shared<SymmetricTreesModel>(std::move(parameters));
}

}  // namespace everlearn
