// Parameters: `members`, each {"kind", "parameters"}, with the arrays of member i under "<prefix><i>."; `top`, with its under
// "<prefix>top.".
#include "model/stack.h"

#include <algorithm>
#include <cmath>

#include "model/check.h"
#include "model/nested.h"

namespace everlearn {
namespace {

constexpr size_t kBlockRows = 256;
constexpr double kLeast = 1e-6;

class Stack final : public Model {
 public:
  Stack(std::vector<std::shared_ptr<const Model>> members, std::shared_ptr<const Model> top)
      : members_(std::move(members)), top_(std::move(top)) {}
  std::string_view kind() const override { return "stack"; }
  size_t features() const override { return members_[0]->features(); }
  size_t outputs() const override { return top_->outputs(); }

  void PredictRow(const double* row, double* out) const override { PredictBlock({row, 1, features()}, out); }

  void Predict(const RowsView& rows, double* out) const override {
    for (size_t first = 0; first < rows.rows; first += kBlockRows) {
      const size_t count = std::min(kBlockRows, rows.rows - first);
      PredictBlock({rows.row(first), count, rows.columns}, out + first * outputs());
    }
  }

  Json Save(const std::string& prefix, ArrayFileWriter* file) const override {
    JsonArray members;
    for (size_t i = 0; i < members_.size(); ++i) members.push_back(SaveModel(*members_[i], prefix + std::to_string(i) + ".", file));
    return JsonObject{{"members", std::move(members)}, {"top", SaveModel(*top_, prefix + "top.", file)}};
  }

 private:
  void PredictBlock(const RowsView& rows, double* out) const {
    const size_t width = StackInputs(outputs()), all = top_->features();
    std::vector<double> own(rows.rows * outputs()), inputs(rows.rows * all);
    for (size_t m = 0; m < members_.size(); ++m) {
      members_[m]->Predict(rows, own.data());
      for (size_t i = 0; i < rows.rows; ++i) WriteStackInputs(&own[i * outputs()], outputs(), &inputs[i * all + m * width]);
    }
    top_->Predict({inputs.data(), rows.rows, all}, out);
  }

  std::vector<std::shared_ptr<const Model>> members_;
  std::shared_ptr<const Model> top_;
};

std::shared_ptr<const Model> Load(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  std::vector<std::shared_ptr<const Model>> members;
  for (const Json& member : ArrayField(json, "members"))
    members.push_back(LoadModel(member, prefix + std::to_string(members.size()) + ".", file, features, outputs));
  auto top = LoadModel(Field(json, "top"), prefix + "top.", file, members.size() * StackInputs(outputs), outputs);
  return MakeStack(std::move(members), std::move(top));
}

const bool registered = ModelKinds().Add("stack", {"a model whose inputs are the predictions of several models", Load});

}  // namespace

size_t StackInputs(size_t outputs) { return outputs == 2 ? 1 : outputs; }

void WriteStackInputs(const double* prediction, size_t outputs, double* inputs) {
  const auto held = [&](size_t k) { return std::clamp(prediction[k], kLeast, 1 - kLeast); };
  if (outputs == 1) {
    inputs[0] = prediction[0];
  } else if (outputs == 2) {
    inputs[0] = std::log(held(1) / (1 - held(1)));
  } else {
    for (size_t k = 0; k < outputs; ++k) inputs[k] = std::log(held(k));
  }
}

std::shared_ptr<const Model> MakeStack(std::vector<std::shared_ptr<const Model>> members, std::shared_ptr<const Model> top) {
  CheckModel(!members.empty(), "the stack has no members");
  for (const auto& member : members) {
    CheckModel(member->features() == members[0]->features() && member->outputs() == top->outputs(),
               "the members of the stack differ in features or outputs");
  }
  CheckModel(top->features() == members.size() * StackInputs(top->outputs()), "the top of the stack does not fit its members");
  return std::make_shared<Stack>(std::move(members), std::move(top));
}

}  // namespace everlearn
