// A model that appends features of its own to each row and predicts by another model.
//
// For kinds of models only (target_statistics.cc, generated_features.cc). Immutable as every model.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "model/model.h"

namespace everlearn {

class ExtendingModel : public Model {
 public:
  // `inner` has at least so many features; the others are appended.
  ExtendingModel(size_t features, std::shared_ptr<const Model> inner) : features_(features), inner_(std::move(inner)) {}

  size_t features() const override { return features_; }
  size_t outputs() const override { return inner_->outputs(); }

  void PredictRow(const double* row, double* out) const override {
    double stack[kStackValues];
    std::vector<double> heap;
    double* extended = stack;
    if (inner_->features() > kStackValues) {
      heap.resize(inner_->features());
      extended = heap.data();
    }
    Extend(row, extended);
    inner_->PredictRow(extended, out);
  }

  void Predict(const RowsView& rows, double* out) const override {
    const size_t width = inner_->features();
    std::vector<double> extended(std::min(kRows, rows.rows) * width);
    for (size_t first = 0; first < rows.rows; first += kRows) {
      const size_t count = std::min(kRows, rows.rows - first);
      for (size_t r = 0; r < count; ++r) Extend(rows.row(first + r), extended.data() + r * width);
      inner_->Predict({extended.data(), count, width}, out + first * outputs());
    }
  }

 protected:
  const Model& inner() const { return *inner_; }
  // Writes the features that are appended.
  virtual void Append(const double* row, double* out) const = 0;

 private:
  static constexpr size_t kRows = 256;          // of a block
  static constexpr size_t kStackValues = 1024;  // values of a row that need no allocation

  void Extend(const double* row, double* extended) const { Append(row, std::copy_n(row, features_, extended)); }

  size_t features_;
  std::shared_ptr<const Model> inner_;
};

}  // namespace everlearn
