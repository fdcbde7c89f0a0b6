// The registry of model kinds, and batches as rows one after another.
#include "model/model.h"

namespace everlearn {

void Model::Predict(const RowsView& rows, double* out) const {
  for (size_t i = 0; i < rows.rows; ++i) PredictRow(rows.row(i), out + i * outputs());
}

Registry<ModelKind>& ModelKinds() {
  static Registry<ModelKind> kinds("model kind");
  return kinds;
}

}  // namespace everlearn
