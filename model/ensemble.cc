// Parameters: `members`, each {"weight", "kind", "parameters"}; the arrays of member i stand under "<prefix><i>.".
#include "model/ensemble.h"

#include <algorithm>
#include <cmath>

#include "model/check.h"
#include "model/nested.h"

namespace everlearn {
namespace {

constexpr size_t kBlockRows = 256;  // rows of all members' predictions that stay in the cache together

class Ensemble final : public Model {
 public:
  explicit Ensemble(std::vector<EnsembleMember> members) : members_(std::move(members)) {}
  std::string_view kind() const override { return "ensemble"; }
  size_t features() const override { return members_[0].model->features(); }
  size_t outputs() const override { return members_[0].model->outputs(); }

  const std::vector<EnsembleMember>& members() const { return members_; }

  void PredictRow(const double* row, double* out) const override { PredictBlock({row, 1, features()}, out); }

  void Predict(const RowsView& rows, double* out) const override {
    for (size_t first = 0; first < rows.rows; first += kBlockRows) {
      const size_t count = std::min(kBlockRows, rows.rows - first);
      PredictBlock({rows.row(first), count, rows.columns}, out + first * outputs());
    }
  }

  Json Save(const std::string& prefix, ArrayFileWriter* file) const override {
    JsonArray members;
    for (size_t i = 0; i < members_.size(); ++i) {
      JsonObject member = SaveModel(*members_[i].model, prefix + std::to_string(i) + ".", file);
      member["weight"] = members_[i].weight;
      members.push_back(std::move(member));
    }
    return JsonObject{{"members", std::move(members)}};
  }

 private:
  // Adds member after member, whatever the number of rows: a row's sum is the same in any block.
  void PredictBlock(const RowsView& rows, double* out) const {
    const size_t numbers = rows.rows * outputs();
    std::vector<double> own(numbers);
    std::fill_n(out, numbers, 0.0);
    for (const EnsembleMember& member : members_) {
      member.model->Predict(rows, own.data());
      for (size_t i = 0; i < numbers; ++i) out[i] += member.weight * own[i];
    }
  }

  std::vector<EnsembleMember> members_;
};

std::shared_ptr<const Model> Load(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  std::vector<EnsembleMember> members;
  for (const Json& member : ArrayField(json, "members")) {
    const double weight = NumberField(member, "weight");
    members.push_back({LoadModel(member, prefix + std::to_string(members.size()) + ".", file, features, outputs), weight});
  }
  return MakeEnsemble(std::move(members));
}

const bool registered = ModelKinds().Add("ensemble", {"weighted average of the predictions of several models", Load});

}  // namespace

std::shared_ptr<const Model> MakeEnsemble(std::vector<EnsembleMember> members) {
  std::vector<EnsembleMember> kept;
  double sum = 0;
  for (EnsembleMember& member : members) {
    CheckModel(member.weight >= 0 && std::isfinite(member.weight), "a weight of the ensemble is not a number ≥ 0");
    sum += member.weight;
    if (member.weight == 0) continue;
    const auto same = std::find_if(kept.begin(), kept.end(), [&](const EnsembleMember& other) { return other.model == member.model; });
    if (same != kept.end()) same->weight += member.weight;
    else kept.push_back(std::move(member));
  }
  CheckModel(!kept.empty() && std::abs(sum - 1) <= 1e-9, "the weights of the ensemble do not sum to 1");
  for (const EnsembleMember& member : kept) {
    CheckModel(member.model->features() == kept[0].model->features() && member.model->outputs() == kept[0].model->outputs(),
               "the members of the ensemble differ in features or outputs");
  }
  return std::make_shared<Ensemble>(std::move(kept));
}

std::shared_ptr<const Model> MakeBag(const std::vector<std::shared_ptr<const Model>>& models) {
  std::vector<EnsembleMember> members;
  for (const auto& model : models) members.push_back({model, 1.0 / static_cast<double>(models.size())});
  return MakeEnsemble(std::move(members));
}

std::span<const EnsembleMember> EnsembleMembers(const Model& model) {
  const auto* ensemble = dynamic_cast<const Ensemble*>(&model);
  return ensemble == nullptr ? std::span<const EnsembleMember>() : ensemble->members();
}

}  // namespace everlearn
