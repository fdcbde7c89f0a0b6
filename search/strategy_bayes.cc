// strategy bayes: a tree-structured Parzen estimator. What was seen is split into the good and the rest; each part is a density over a
// learner's parameters, and the next candidate is the draw from the good one with the largest ratio of both, the learner among it.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "search/portfolio.h"
#include "search/search_space.h"
#include "search/strategy.h"

namespace everlearn {
namespace {

constexpr size_t kBegin = 10;  // candidates before the first model
constexpr double kGoodShare = 0.2;
constexpr size_t kMostGood = 25;
constexpr size_t kDraws = 32;
constexpr double kUniformPoints = 1;  // the uniform density counts as so many points
constexpr double kLeastWidth = 0.04;

using Points = std::vector<std::vector<double>>;

// A mixture over the points of products of one kernel an axis (Gaussians cut off at 0 and 1; of choices, most on its own level), and the
// uniform density.
class Density {
 public:
  Density(const SearchSpace& space, Points points) : space_(&space), points_(std::move(points)) {
    // Scott's rule in the number of axes; points in the unit interval have a deviation near 0.25.
    const auto n = static_cast<double>(std::max<size_t>(1, points_.size()));
    width_ = std::max(kLeastWidth, 0.25 * std::pow(n, -1.0 / (4 + static_cast<double>(space.size()))));
  }

  double Log(const std::vector<double>& at) const {
    double sum = kUniformPoints;
    for (const auto& point : points_) {
      double product = 1;
      for (size_t i = 0; i < at.size(); ++i) product *= Kernel(i, at[i], point[i]);
      sum += product;
    }
    return std::log(sum / (kUniformPoints + static_cast<double>(points_.size())));
  }

  std::vector<double> Draw(Random* random) const {
    const double all = kUniformPoints + static_cast<double>(points_.size());
    const double which = random->Uniform() * all;
    if (which >= static_cast<double>(points_.size())) return space_->RandomPosition(random);
    std::vector<double> at = points_[static_cast<size_t>(which)];
    for (size_t i = 0; i < at.size(); ++i) {
      if (space_->levels(i) > 0) {
        if (random->Uniform() < kOtherLevel) at[i] = random->Uniform();
        continue;
      }
      double place = -1;
      while (place < 0 || place > 1) place = at[i] + width_ * random->Normal();
      at[i] = place;
    }
    return at;
  }

 private:
  static constexpr double kOtherLevel = 0.3;

  double Kernel(size_t axis, double at, double point) const {
    if (const auto levels = static_cast<double>(space_->levels(axis)); levels > 0) {
      const bool same = std::floor(std::min(at, 0.999) * levels) == std::floor(std::min(point, 0.999) * levels);
      return kOtherLevel + (same ? (1 - kOtherLevel) * levels : 0);
    }
    const double z = (at - point) / width_;
    const auto below = [&](double x) { return 0.5 * std::erfc(-(x - point) / (width_ * std::numbers::sqrt2)); };
    return std::exp(-z * z / 2) / (width_ * std::sqrt(2 * std::numbers::pi) * (below(1) - below(0)));
  }

  const SearchSpace* space_;
  Points points_;
  double width_ = 0;
};

class Bayes : public Strategy {
 public:
  explicit Bayes(const StrategyContext& context) : random_(Random::Derive(context.seed, 4)) {
    for (const std::string& learner : AllowedLearners(context)) spaces_.emplace(learner, SearchSpace(learner));
    begin_ = RankedPortfolio(context);
    if (begin_.size() > kBegin / 2) begin_.erase(begin_.begin() + kBegin / 2, begin_.end());
    for (size_t i = 0; begin_.size() < kBegin && !spaces_.empty(); ++i) {
      auto space = spaces_.begin();
      std::advance(space, i % spaces_.size());
      begin_.push_back(space->second.At(space->second.RandomPosition(&random_)));
    }
  }

  std::optional<Candidate> Next(std::span<const Observation> seen) override {
    if (next_ < begin_.size()) return begin_[next_++];
    std::vector<const Observation*> known;
    for (const Observation& observation : seen) {
      if (spaces_.count(observation.candidate.learner) > 0) known.push_back(&observation);
    }
    if (spaces_.empty()) return std::nullopt;
    // Failures are worse than anything.
    std::stable_sort(known.begin(), known.end(),
                     [](const auto* a, const auto* b) { return std::isfinite(a->loss) && (!std::isfinite(b->loss) || a->loss < b->loss); });
    const auto good = static_cast<size_t>(std::ceil(kGoodShare * static_cast<double>(known.size())));
    return BestDraw(known, std::min(good, kMostGood));
  }

 private:
  Candidate BestDraw(const std::vector<const Observation*>& known, size_t good) {
    std::map<std::string, Points> good_points, other_points;
    for (size_t i = 0; i < known.size(); ++i) {
      const Candidate& candidate = known[i]->candidate;
      (i < good ? good_points : other_points)[candidate.learner].push_back(spaces_.at(candidate.learner).Position(candidate.parameters));
    }
    const auto learners = static_cast<double>(spaces_.size());
    const double good_sum = static_cast<double>(good) + learners, other_sum = static_cast<double>(known.size() - good) + learners;
    double best_ratio = -std::numeric_limits<double>::infinity();
    std::optional<Candidate> best;
    for (const auto& [learner, space] : spaces_) {
      const Density good_density(space, good_points[learner]), other_density(space, other_points[learner]);
      const double good_share = (1 + static_cast<double>(good_points[learner].size())) / good_sum;
      const double other_share = (1 + static_cast<double>(other_points[learner].size())) / other_sum;
      const auto draws = static_cast<size_t>(std::ceil(kDraws * good_share));
      for (size_t d = 0; d < draws; ++d) {
        const std::vector<double> at = good_density.Draw(&random_);
        const double ratio = std::log(good_share / other_share) + good_density.Log(at) - other_density.Log(at);
        if (best && ratio <= best_ratio) continue;
        best_ratio = ratio;
        best = space.At(at);
      }
    }
    return *best;
  }

  Random random_;
  std::map<std::string, SearchSpace> spaces_;
  std::vector<Candidate> begin_;
  size_t next_ = 0;
};

[[maybe_unused]] const bool registered = Strategies().Add(
    "bayes", {.summary = "draws from where the good configurations lie and the others do not",
              .paper = "Bergstra, J. et al. (2011). Algorithms for hyper-parameter optimization. NeurIPS 24.",
              .make = [](const StrategyContext& context) -> std::unique_ptr<Strategy> { return std::make_unique<Bayes>(context); }});

}  // namespace
}  // namespace everlearn
