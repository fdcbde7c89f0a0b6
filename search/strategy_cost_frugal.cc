// strategy cost-frugal: local search that begins where fits are cheap, in the learner from which most is expected for the time.
#include "search/frugal_search.h"

namespace everlearn {
namespace {

class CostFrugal : public Strategy {
 public:
  explicit CostFrugal(const StrategyContext& context) : search_(context) {}
  std::optional<Candidate> Next(std::span<const Observation> seen) override { return search_.Next(seen); }

 private:
  FrugalSearch search_;
};

[[maybe_unused]] const bool registered = Strategies().Add(
    "cost-frugal",
    {.summary = "local search that begins where fits are cheap",
     .paper = "Wu, Q., Wang, C. & Huang, S. (2021). Frugal optimization for cost-related hyperparameters. AAAI 35.",
     .make = [](const StrategyContext& context) -> std::unique_ptr<Strategy> { return std::make_unique<CostFrugal>(context); }});

}  // namespace
}  // namespace everlearn
