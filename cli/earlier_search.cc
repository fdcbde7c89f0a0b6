// Notes: `candidates` is a list of {"learner", "parameters"}; `bags` says which configuration each member of the ensemble is, and of how
// many first folds it has models; `fold_rule` says how rows were dealt out: {"count", "seed", "rule"}, null where not by their content.
#include "cli/earlier_search.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "model/calibrated.h"
#include "model/ensemble.h"
#include "model/model_file.h"
#include "search/search_space.h"

namespace everlearn {
namespace {

Candidate ReadCandidate(const Json& json) {
  const std::string learner = TextField(json, "learner");
  return {learner, learner, ParameterValues::FromJson(learner, Learners().Get(learner).parameters, Field(json, "parameters"))};
}

Json FoldNotes(const TrainingData& training) {
  if (!training.content_folds) return nullptr;
  constexpr int kRule = 2;  // of ContentFolds; models of another one have seen rows that they would be measured on
  return JsonObject{{"count", training.folds.size()}, {"seed", training.fold_seed}, {"rule", kRule}};
}

bool SameFeatures(const FeatureSpace& a, const FeatureSpace& b) {
  return std::equal(a.features().begin(), a.features().end(), b.features().begin(), b.features().end(),
                    [](const Feature& x, const Feature& y) {
                      return x.name == y.name && x.column == y.column && x.part == y.part && x.dictionary == y.dictionary;
                    });
}

// The models of each member's folds, as `bags` describes them.
std::vector<EarlierTrial> FoldModels(const ModelFile& file, const JsonArray& bags) {
  const std::span<const EnsembleMember> members = EnsembleMembers(*Uncalibrated(file.model));
  std::vector<EarlierTrial> trials;
  if (members.size() != bags.size()) return trials;
  for (size_t m = 0; m < members.size(); ++m) {
    EarlierTrial trial{ReadCandidate(bags[m]), {}};
    for (const EnsembleMember& fold : EnsembleMembers(*members[m].model)) trial.fold_models.push_back(fold.model);
    if (trial.fold_models.empty()) trial.fold_models.push_back(members[m].model);
    if (trial.fold_models.size() == static_cast<size_t>(IntegerField(bags[m], "models"))) trials.push_back(std::move(trial));
  }
  return trials;
}

}  // namespace

EarlierSearch ReadEarlierSearch(const std::string& model_file, const TrainingData& training, std::vector<SchemaWarning>* warnings) {
  EarlierSearch earlier;
  const ModelFile file = ModelFile::Load(model_file);
  if (file.task.target != training.task.target || file.task.kind != training.task.kind)
    throw Error(ErrorKind::kUsage,
                "--continue " + model_file + ": that model predicts '" + file.task.target + "' (" +
                    std::string(TaskKindName(file.task.kind)) + "), not '" + training.task.target + "' (" +
                    std::string(TaskKindName(training.task.kind)) + ")",
                "give the model of an earlier search for the same target");
  const JsonObject* notes = file.notes.if_object();
  const auto list = [&](const char* name) -> const JsonArray* {
    const Json* found = notes == nullptr ? nullptr : notes->if_contains(name);
    return found == nullptr ? nullptr : found->if_array();
  };
  const JsonArray* candidates = list("candidates");
  if (candidates == nullptr) {
    warnings->push_back({"continue", model_file + " was not made by a search: nothing is continued", ""});
    return earlier;
  }
  try {
    for (const Json& json : *candidates) earlier.candidates.push_back(ReadCandidate(json));
    const JsonArray* bags = list("bags");
    const Json folds = FoldNotes(training);
    const bool same = file.task.labels == training.task.labels && !folds.is_null() && notes->contains("fold_rule") &&
                      ToText(notes->at("fold_rule")) == ToText(folds) && SameFeatures(file.space, training.space);
    if (bags != nullptr && same) earlier.fold_models = FoldModels(file, *bags);
    // As the candidates are: the heaviest first.
    const auto place = [&](const EarlierTrial& trial) {
      const auto is_it = [&](const Candidate& candidate) { return CandidateKey(candidate) == CandidateKey(trial.candidate); };
      return std::find_if(earlier.candidates.begin(), earlier.candidates.end(), is_it) - earlier.candidates.begin();
    };
    std::stable_sort(earlier.fold_models.begin(), earlier.fold_models.end(),
                     [&](const EarlierTrial& a, const EarlierTrial& b) { return place(a) < place(b); });
  } catch (const Error& error) {
    warnings->push_back({"continue", "a part of what " + model_file + " found is not known to this version: " + error.message(), ""});
  }
  return earlier;
}

void NoteSearch(const BudgetedSearchResult& result, const TrainingData& training, JsonObject* notes) {
  constexpr size_t kMost = 20;
  const std::vector<LeaderboardRow>& rows = result.board.rows;
  const auto described = [&](size_t row) { return JsonObject{{"learner", rows[row].learner}, {"parameters", rows[row].parameters}}; };
  JsonArray bags, candidates;
  std::vector<size_t> by_weight(result.members.size());
  std::iota(by_weight.begin(), by_weight.end(), size_t{0});
  std::stable_sort(by_weight.begin(), by_weight.end(),
                   [&](size_t a, size_t b) { return result.member_weights[a] > result.member_weights[b]; });
  for (const size_t m : by_weight) candidates.push_back(described(result.members[m]));
  for (size_t m = 0; m < result.members.size(); ++m) {
    JsonObject bag = described(result.members[m]);
    bag["models"] = result.member_models[m];
    bags.push_back(std::move(bag));
  }
  for (size_t i = 0; i < rows.size() && candidates.size() < kMost; ++i) {
    const bool tried = rows[i].candidate < result.trials && !std::isnan(rows[i].value);
    if (tried && std::find(result.members.begin(), result.members.end(), i) == result.members.end()) candidates.push_back(described(i));
  }
  (*notes)["candidates"] = std::move(candidates);
  (*notes)["bags"] = std::move(bags);
  (*notes)["fold_rule"] = FoldNotes(training);
}

}  // namespace everlearn
