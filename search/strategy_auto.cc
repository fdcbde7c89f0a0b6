// strategy auto: first the best of the portfolio, then local search from the best points of all learners, with the rest of the portfolio
// and a few random candidates between.
#include "search/frugal_search.h"
#include "search/portfolio.h"

namespace everlearn {
namespace {

constexpr size_t kPortfolioFirst = 12;
constexpr size_t kPortfolioEvery = 4;  // then every so many candidates one comes from the portfolio
constexpr size_t kRandomEvery = 9;

class Auto : public Strategy {
 public:
  explicit Auto(const StrategyContext& context)
      : portfolio_(Strategies().Get("portfolio").make(context)), random_(Strategies().Get("random").make(context)), search_(context) {}

  std::optional<Candidate> Next(std::span<const Observation> seen) override {
    const size_t turn = turn_++;
    if (turn < kPortfolioFirst || turn % kPortfolioEvery == 0) {
      if (auto candidate = portfolio_->Next(seen)) return candidate;
    }
    if (turn % kRandomEvery == 0) return random_->Next(seen);
    return search_.Next(seen);
  }

 private:
  std::unique_ptr<Strategy> portfolio_, random_;
  FrugalSearch search_;
  size_t turn_ = 0;
};

[[maybe_unused]] const bool registered = Strategies().Add(
    "auto", {.summary = "the portfolio, then local search around the best of each learner",
             .paper = "Wang, C. et al. (2021). FLAML: A fast and lightweight AutoML library. MLSys 3.",
             .make = [](const StrategyContext& context) -> std::unique_ptr<Strategy> { return std::make_unique<Auto>(context); }});

}  // namespace
}  // namespace everlearn
