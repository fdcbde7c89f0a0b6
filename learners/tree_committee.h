// What the learners that grow trees on a stream have in common: one tree or many, each taught with a random weight of every row, watched
// for changes of its error, and heard with a weight by how good it is.
//
// Oza & Russell, Online bagging and boosting (2001), with the weights of Bifet, Holmes & Pfahringer, Leveraging bagging for evolving data
// streams (2010). How a committee meets a change: Gomes et al., Adaptive random forests for evolving data stream classification (2017), or
// leveraging bagging. The same row asked and then learnt costs one walk down the trees. Belongs to one thread.
#pragma once

#include "drift/adwin.h"
#include "learners/growing_tree.h"
#include "learners/tree_stream.h"

namespace everlearn {

struct CommitteeOptions {
  size_t trees = 1;
  double rate = 0;  // a row's weight in a tree is drawn from a Poisson distribution of this mean; 0: it is 1
  enum class OnChange {
    kNothing,
    kReplaceTree,  // from a warning on another tree grows in the background, and at a change takes the place of the one before
    kResetWorst,   // at a change in any tree the one of the largest error starts anew
  } on_change = OnChange::kNothing;
  double change_delta = 0.00001, warning_delta = 0.0001;  // of the detectors, on each tree's error
  double patch = 1;                                       // share of the columns that a tree uses, drawn at random
  GrowingTreeOptions growth = {};                         // most_bytes: of all trees together
};

class TreeCommittee final : public OnlineModel {
 public:
  TreeCommittee(const StreamShape& shape, const CommitteeOptions& options, uint64_t seed);

  void Predict(const double* row, double* out) const override;
  void Learn(const double* row, double target, double weight) override;
  std::string State() const override;
  void Restore(const std::string& state);  // throws kDamaged where it is none of this shape and these options
  std::shared_ptr<const Model> Snapshot() const override;

 private:
  struct Member {
    GrowingTree tree;
    std::unique_ptr<GrowingTree> background;
    Adwin change, warning;
    double loss = 0, count = 0;  // wrong classes or squared errors, fading; and how many
  };
  // What the trees said about a row, until the next is learnt.
  struct Said {
    bool valid = false;
    std::vector<double> row;
    PreparedRow prepared;
    std::vector<GrowingTree::Answer> answers;
    std::vector<double> outputs;  // trees × outputs
    std::vector<double> mean;
  };
  GrowingTree NewTree();
  void Ask(const double* row) const;
  void Combine(double* out) const;  // of the row that was asked, before it is sharpened
  double Voice(const Member& member) const;
  double DrawWeight(size_t member) const;
  // How wrong a tree was about the row, which also goes into its voice.
  double Judge(Member* member, const double* said, double target) const;
  void TeachTree(size_t m, double target, double weight);
  void MeetChange(size_t m, double error);
  void ResetWorst();
  void BeginAnew();

  StreamShape shape_;
  CommitteeOptions options_;
  uint64_t seed_, rows_ = 0, trees_made_ = 0;
  TreeStream stream_;
  std::vector<double> poisson_;  // cumulative shares of the weights 0, 1, …
  std::vector<Member> members_;
  mutable Said said_;
  mutable LeafScratch scratch_;
};

// Units for teaching trees of which each watches so many columns; measured on ten streams.
inline double CommitteeCost(double rows, double trees, double columns, double outputs) {
  return 0.05 + trees * rows * (3e-5 + 1e-6 * columns + 3e-6 * outputs);
}

// LearnerInfo::start and resume of a learner whose options are `read(parameters, shape)`.
template <typename ReadOptions>
void StartCommittees(ReadOptions read, LearnerInfo* info) {
  info->start = [read](const StreamShape& shape, const ParameterValues& parameters, uint64_t seed) {
    return std::make_unique<TreeCommittee>(shape, read(parameters, shape), seed);
  };
  info->resume = [read](const StreamShape& shape, const ParameterValues& parameters, const std::string& state) {
    auto model = std::make_unique<TreeCommittee>(shape, read(parameters, shape), 0);
    model->Restore(state);
    return model;
  };
}

}  // namespace everlearn
