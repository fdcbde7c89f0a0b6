#include "learners/extended_rows.h"

namespace everlearn {

ExtendedRows ExtendRows(const TrainingRows& training, std::span<const uint32_t> validation, size_t added,
                        const std::function<void(size_t i, uint32_t row, double* out)>& append) {
  const Dataset& from = *training.data;
  std::vector<bool> is_category;
  std::vector<size_t> sizes;
  for (size_t j = 0; j < from.features(); ++j) {
    is_category.push_back(from.is_category(j));
    sizes.push_back(from.dictionary_size(j));
  }
  is_category.resize(from.features() + added, false);
  sizes.resize(is_category.size(), 0);
  const size_t trained = training.rows.size(), rows = trained + validation.size(), width = is_category.size();
  ExtendedRows extended;
  std::vector<double> values(rows * width), target, weights;
  for (size_t i = 0; i < rows; ++i) {
    const uint32_t row = i < trained ? training.rows[i] : validation[i - trained];
    append(i, row, std::copy_n(from.row(row), from.features(), &values[i * width]));
    target.push_back(from.target()[row]);
    if (from.has_weights()) weights.push_back(from.weight(row));
    (i < trained ? extended.training : extended.validation).push_back(static_cast<uint32_t>(i));
  }
  extended.data = std::make_unique<Dataset>(std::move(is_category), std::move(sizes), std::move(values), std::move(target),
                                            std::move(weights), from.classes());
  extended.data->FitBinsOnFirst(trained);
  return extended;
}

}  // namespace everlearn
