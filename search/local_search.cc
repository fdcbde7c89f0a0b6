#include "search/local_search.h"

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

constexpr double kStep = 0.15;          // of the unit interval, on each axis
constexpr double kShrink = 0.6;         // of the step after failures
constexpr double kSmallestStep = 0.02;  // on each axis; below it the search begins with large steps again
constexpr double kFlip = 0.3;           // probability that a step also changes a boolean or choice

}  // namespace

LocalSearch::LocalSearch(const std::string& learner, uint64_t seed)
    : space_(learner),
      random_(seed),
      first_step_(kStep * std::sqrt(static_cast<double>(std::max<size_t>(1, space_.size())))),
      step_(first_step_) {}

Candidate LocalSearch::Begin(std::vector<double> position) {
  place_ = std::move(position);
  return space_.At(place_);
}

Candidate LocalSearch::Next() {
  if (!opposite_.empty()) {
    std::vector<double> direction = std::move(opposite_.front());
    opposite_.pop_front();
    return Take({std::move(direction), true});
  }
  std::vector<double> direction(space_.size());
  double norm = 0;
  std::vector<size_t> choices;
  for (size_t i = 0; i < direction.size(); ++i) {
    if (space_.levels(i) > 0) {
      choices.push_back(i);
      continue;
    }
    direction[i] = random_.Normal();
    norm += direction[i] * direction[i];
  }
  for (double& part : direction) part *= norm > 0 ? step_ / std::sqrt(norm) : 0;
  if (!choices.empty() && (norm == 0 || random_.Uniform() < kFlip)) {
    const size_t axis = choices[random_.Below(choices.size())];
    const auto levels = static_cast<double>(space_.levels(axis));
    direction[axis] = (1 + static_cast<double>(random_.Below(space_.levels(axis) - 1))) / levels;
  }
  return Take({std::move(direction), false});
}

Candidate LocalSearch::Take(Step step) {
  Candidate candidate = space_.At(Moved(step.direction));
  open_[CandidateKey(candidate)] = std::move(step);
  return candidate;
}

void LocalSearch::Observe(const Candidate& candidate, double loss) {
  const auto found = open_.find(CandidateKey(candidate));
  std::optional<Step> step;
  if (found != open_.end()) {
    step = std::move(found->second);
    open_.erase(found);
  }
  if (loss < loss_) {
    loss_ = loss;
    place_ = space_.Position(candidate.parameters);
    failures_ = 0;
    opposite_.clear();
  } else if (step && step->is_opposite) {
    Fail();
  } else if (step) {
    for (size_t i = 0; i < step->direction.size(); ++i) step->direction[i] *= space_.levels(i) > 0 ? 1 : -1;
    opposite_.push_back(std::move(step->direction));
  }
}

// A position moved along a direction: numbers are reflected at the ends of their range, choices go round.
std::vector<double> LocalSearch::Moved(const std::vector<double>& direction) {
  std::vector<double> position = place_;
  for (size_t i = 0; i < position.size(); ++i) {
    double place = position[i] + direction[i];
    if (space_.levels(i) > 0) {
      place -= std::floor(place);
    } else {
      place = place < 0 ? -place : place > 1 ? 2 - place : place;
    }
    position[i] = std::clamp(place, 0.0, 1.0);
  }
  return position;
}

void LocalSearch::Fail() {
  if (++failures_ < std::max<size_t>(2, space_.size() / 2)) return;
  failures_ = 0;
  step_ *= kShrink;
  if (step_ < first_step_ * kSmallestStep / kStep) step_ = first_step_;
}

}  // namespace everlearn
