// What trees that grow on a stream are made of, as they predict: a row that is made ready once for all trees, splits, and leaves of classes
// (shares, or a naive Bayes of the rows that came to the leaf) or of values (a mean, or a linear model).
//
// Domingos & Hulten, Mining high-speed data streams (2000); Gama, Rocha & Medas, Accurate decision trees for mining high-speed data streams
// (2003), for naive Bayes in the leaves; Ikonomovska, Gama & Džeroski, Learning model trees from evolving data streams (2011), for values.
// The learners and the model predict with these very functions. Plain values; the functions are pure.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace everlearn {

constexpr uint32_t kNoSplit = 0xffffffff;
constexpr uint32_t kCategorySlots = 128;  // categories whose code is the same modulo this are one to a tree
constexpr double kLargestTreeNumber = 1e100;
constexpr double kLinearReach = 3;  // standardised numbers are held inside ± this in the linear models

// ln x of a normal number above 0, within 1e-8, the same on every machine. With m in [0.75, 1.5) the series is short:
// ln m = 2 artanh((m - 1) / (m + 1)).
inline double QuickLog(double x) {
  constexpr uint64_t kMantissa = (uint64_t{1} << 52) - 1, kHalf = uint64_t{1} << 51;  // the exponent grows where m is above 1.5
  const auto bits = std::bit_cast<uint64_t>(x);
  const double exponent = std::bit_cast<double>(((bits + kHalf) >> 52) | 0x4330000000000000ULL) - (0x1.0p52 + 1023);
  const double m = std::bit_cast<double>((bits & kMantissa) | ((bits & kHalf) != 0 ? 0x3fe0000000000000ULL : 0x3ff0000000000000ULL));
  const double s = (m - 1) / (m + 1), q = s * s;
  return 0.693147180559945309 * exponent + 2 * s * (1 + q * (1.0 / 3 + q * (1.0 / 5 + q * (1.0 / 7 + q * (1.0 / 9)))));
}

// How the columns of a stream lie, so far.
struct StreamScale {
  std::vector<uint8_t> is_category;  // one a column; so too the others
  std::vector<double> mean, deviation;
  std::vector<double>
      effects;  // of values: category columns × kCategorySlots, how far the target of a category lies from its mean, in deviations
};

// A row as trees see it.
struct PreparedRow {
  std::vector<double> values;  // numbers held inside ± kLargestTreeNumber, categories as slots, NaN missing
  std::vector<double> scaled;  // for linear models: standardised numbers, effects of categories, 0 where missing
};

// `scaled` only `with_scaled`.
void PrepareRow(const StreamScale& scale, const double* row, bool with_scaled, PreparedRow* out);

struct StreamNode {
  static constexpr uint32_t kCategory = 1, kMissingLeft = 2;
  double threshold = 0;         // numbers up to it go left; so does the category of this slot
  uint32_t feature = kNoSplit;  // of a leaf
  uint32_t flags = 0;
  uint32_t left = 0, right = 0;  // nodes; of a leaf: left is the number of the leaf

  bool is_leaf() const { return feature == kNoSplit; }
  bool GoesLeft(const double* values) const {
    const double x = values[feature];
    if (x != x) return (flags & kMissingLeft) != 0;
    return (flags & kCategory) != 0 ? x == threshold : x <= threshold;
  }
};

// The node of the leaf that a row comes to, from `node` on.
inline uint32_t FindLeaf(const StreamNode* nodes, uint32_t node, const double* values) {
  while (!nodes[node].is_leaf()) node = nodes[node].GoesLeft(values) ? nodes[node].left : nodes[node].right;
  return node;
}

// Weights of the categories of a column, a row of them for each class slot: first their sum, then one a category slot.
struct CategoryCounts {
  uint32_t capacity = 0;  // category slots that there is room for
  std::vector<double> counts;
  size_t stride() const { return capacity + 1; }
};

struct ClassLeaf {
  std::vector<double> weights;  // one a class, with what it was given when it was made
  bool naive_bayes = false;     // was right more often than the majority, here
  // What follows is of rows that came to the leaf. Classes have slots in the order of their first row.
  std::vector<uint32_t> numbers, categories;  // columns
  std::vector<uint32_t> classes;              // of each slot
  std::vector<double> gaussians;              // slots × kFields × numbers: weight, mean, squared distances from it
  std::vector<CategoryCounts> counts;         // one of each of `categories`
  static constexpr size_t kFields = 3;
  const double* gaussian(size_t slot, size_t field) const { return gaussians.data() + (slot * kFields + field) * numbers.size(); }
  double* gaussian(size_t slot, size_t field) { return gaussians.data() + (slot * kFields + field) * numbers.size(); }
};

struct ValueLeaf {
  double mean = 0, low = 0, high = 0;  // of the targets
  bool linear = false;                 // was nearer than the mean, here
  std::vector<double> weights;         // one a column, and the last of the constant 1
};

// Memory that prediction needs, kept from row to row.
struct LeafScratch {
  std::vector<double> numbers, spread, scores, out, said;
};

// Shares of the classes by their weights.
void PredictShares(const ClassLeaf& leaf, double* out);
// By Bayes' rule; the shares where no class has a slot.
void PredictNaiveBayes(const ClassLeaf& leaf, const StreamScale& scale, const double* values, LeafScratch* scratch, double* out);
// The better of the two.
inline void PredictClasses(const ClassLeaf& leaf, const StreamScale& scale, const double* values, LeafScratch* scratch, double* out) {
  if (leaf.naive_bayes) {
    PredictNaiveBayes(leaf, scale, values, scratch, out);
  } else {
    PredictShares(leaf, out);
  }
}

double PredictLinear(const ValueLeaf& leaf, const double* scaled);
inline double PredictValue(const ValueLeaf& leaf, const double* scaled) { return leaf.linear ? PredictLinear(leaf, scaled) : leaf.mean; }

// Probabilities to the power of `sharpness`, made to sum to 1.
void Sharpen(double sharpness, size_t classes, double* probabilities);

// The mean of what trees say, in `out`: probabilities where there is more than one number.
class TreeMean {
 public:
  TreeMean(double* out, size_t outputs) : out_(out), outputs_(outputs) { std::fill_n(out, outputs, 0.0); }
  void Add(const double* said, double weight) {
    for (size_t k = 0; k < outputs_; ++k) out_[k] += weight * said[k];
    weight_ += weight;
  }
  // Where no tree has a weight: 0, or equal shares.
  void Finish() {
    const double none = outputs_ == 1 ? 0 : 1 / static_cast<double>(outputs_);
    for (size_t k = 0; k < outputs_; ++k) out_[k] = weight_ > 0 ? out_[k] / weight_ : none;
  }

 private:
  double* out_;
  size_t outputs_;
  double weight_ = 0;
};

}  // namespace everlearn
