// strategy portfolio: the ranked configurations in their order, nothing else.
#include "search/portfolio.h"

namespace everlearn {
namespace {

class Portfolio : public Strategy {
 public:
  explicit Portfolio(const StrategyContext& context) : ranked_(RankedPortfolio(context)) {}
  std::optional<Candidate> Next(std::span<const Observation>) override {
    if (next_ == ranked_.size()) return std::nullopt;
    return ranked_[next_++];
  }

 private:
  std::vector<Candidate> ranked_;
  size_t next_ = 0;
};

[[maybe_unused]] const bool registered = Strategies().Add(
    "portfolio",
    {.summary = "configurations that did well on data like this, in that order",
     .paper = "Feurer, M. et al. (2022). Auto-Sklearn 2.0: Hands-free AutoML via meta-learning. JMLR 23.",
     .make = [](const StrategyContext& context) -> std::unique_ptr<Strategy> { return std::make_unique<Portfolio>(context); }});

}  // namespace
}  // namespace everlearn
