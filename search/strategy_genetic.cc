// strategy genetic: a steady-state genetic algorithm. Parents win tournaments by loss; a child takes each parameter from one of two parents
// of its learner, then some are changed. The population is the best of what was seen.
#include <algorithm>
#include <cmath>

#include "search/portfolio.h"
#include "search/search_space.h"
#include "search/strategy.h"

namespace everlearn {
namespace {

constexpr size_t kPopulation = 20;
constexpr size_t kTournament = 3;
constexpr size_t kBegin = 10;        // candidates before the first child
constexpr double kDeviation = 0.12;  // of a changed number, in parts of its range
constexpr double kImmigrants = 0.05;

class Genetic : public Strategy {
 public:
  explicit Genetic(const StrategyContext& context) : random_(Random::Derive(context.seed, 3)) {
    for (const std::string& learner : AllowedLearners(context)) spaces_.emplace(learner, SearchSpace(learner));
    begin_ = RankedPortfolio(context);
    if (begin_.size() > kBegin / 2) begin_.erase(begin_.begin() + kBegin / 2, begin_.end());
    while (begin_.size() < kBegin && !spaces_.empty()) begin_.push_back(Immigrant());
  }

  std::optional<Candidate> Next(std::span<const Observation> seen) override {
    if (next_ < begin_.size()) return begin_[next_++];
    std::vector<const Observation*> population = Population(seen);
    if (spaces_.empty()) return std::nullopt;
    if (population.empty() || random_.Uniform() < kImmigrants) return Immigrant();
    const Observation& mother = *Winner(population);
    std::erase_if(population, [&](const Observation* other) { return other->candidate.learner != mother.candidate.learner; });
    return Child(mother.candidate, Winner(population)->candidate);
  }

 private:
  Candidate Immigrant() {
    auto space = spaces_.begin();
    std::advance(space, random_.Below(spaces_.size()));
    return space->second.At(space->second.RandomPosition(&random_));
  }

  // The best first.
  std::vector<const Observation*> Population(std::span<const Observation> seen) const {
    std::vector<const Observation*> population;
    for (const Observation& observation : seen) {
      if (std::isfinite(observation.loss) && spaces_.count(observation.candidate.learner) > 0) population.push_back(&observation);
    }
    std::stable_sort(population.begin(), population.end(), [](const auto* a, const auto* b) { return a->loss < b->loss; });
    if (population.size() > kPopulation) population.resize(kPopulation);
    return population;
  }

  const Observation* Winner(const std::vector<const Observation*>& population) {
    size_t best = population.size();
    for (size_t i = 0; i < kTournament; ++i) best = std::min<size_t>(best, random_.Below(population.size()));
    return population[best];
  }

  Candidate Child(const Candidate& mother, const Candidate& father) {
    const SearchSpace& space = spaces_.at(mother.learner);
    std::vector<double> position = space.Position(mother.parameters);
    const std::vector<double> other = space.Position(father.parameters);
    const double rate = std::max(0.2, 1.0 / static_cast<double>(std::max<size_t>(1, position.size())));
    for (size_t i = 0; i < position.size(); ++i) {
      if (random_.Uniform() < 0.5) position[i] = other[i];
      if (random_.Uniform() >= rate) continue;
      position[i] = space.levels(i) > 0 ? random_.Uniform() : std::clamp(position[i] + kDeviation * random_.Normal(), 0.0, 1.0);
    }
    return space.At(position);
  }

  Random random_;
  std::map<std::string, SearchSpace> spaces_;
  std::vector<Candidate> begin_;
  size_t next_ = 0;
};

[[maybe_unused]] const bool registered = Strategies().Add(
    "genetic",
    {.summary = "children of the best configurations so far, each a mix of two, with changes",
     .paper = "Goldberg, D. E. & Deb, K. (1991). A comparative analysis of selection schemes used in genetic algorithms. FOGA 1.",
     .make = [](const StrategyContext& context) -> std::unique_ptr<Strategy> { return std::make_unique<Genetic>(context); }});

}  // namespace
}  // namespace everlearn
