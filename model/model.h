// What predicts: an immutable function from a row of feature values to class probabilities or a value.
//
// Models are safe to use from any number of threads. A row is `features` doubles in the order of its FeatureSpace: numbers raw (NaN
// missing), categories as their code in the feature's dictionary (NaN missing; a code that training did not see is "unseen").
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/registry.h"
#include "data/array_file.h"

namespace everlearn {

// Rows × columns of doubles, row after row, owned by someone else.
struct RowsView {
  const double* values = nullptr;
  size_t rows = 0;
  size_t columns = 0;
  const double* row(size_t i) const { return values + i * columns; }
};

class Model {
 public:
  virtual ~Model() = default;
  // "constant", "linear", "trees", …: the name under which it is loaded.
  virtual std::string_view kind() const = 0;
  virtual size_t features() const = 0;
  // Numbers a prediction consists of: one a class (they sum to 1), or one value.
  virtual size_t outputs() const = 0;
  virtual void PredictRow(const double* row, double* out) const = 0;
  // out: rows × outputs. Equal to PredictRow on each row, bit for bit.
  virtual void Predict(const RowsView& rows, double* out) const;
  // Writes arrays and returns the parameters for the manifest; array names start with `prefix`.
  virtual Json Save(const std::string& prefix, ArrayFileWriter* file) const = 0;
};

// A model kind registers how it is loaded: from its parameters and arrays, checked as from a stranger (throws kDamaged).
struct ModelKind {
  std::string summary;
  std::function<std::shared_ptr<const Model>(const Json& parameters, const std::string& prefix, const ArrayFile& file, size_t features,
                                             size_t outputs)>
      load;
};
Registry<ModelKind>& ModelKinds();

}  // namespace everlearn
