#include "cli/replay_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

constexpr size_t kMostNamed = 3;
constexpr double kPercent = 100;

std::string Weights(const LoopState& state) {
  std::vector<std::pair<double, std::string>> experts;
  for (const Blend::Expert& expert : state.blend.experts())
    experts.emplace_back(state.blend.Weight(expert), state.roster.Get(expert.member).name);
  std::stable_sort(experts.begin(), experts.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  for (size_t i = 0; i < std::min(kMostNamed, experts.size()); ++i)
    text += fmt::format("{}{} {:.0f} %", i == 0 ? "" : ", ", experts[i].second, kPercent * experts[i].first);
  return text;
}

}  // namespace

std::string ReplayLine::Text(const ReplayProgress& progress) {
  const LoopState& state = *progress.state;
  const bool classes = state.options.classes > 0;
  const double seconds = watch_.Seconds();
  std::string text = fmt::format(", {:.0f} rows/s", static_cast<double>(progress.rows - shown_rows_) / std::max(seconds - seconds_, 1e-3));
  const uint64_t scored = state.served.rows();
  if (scored > scored_rows_) {
    const double value = state.served.Value(classes ? "accuracy" : "rmse");
    const double total = static_cast<double>(scored) * (classes ? value : value * value);
    const double mean = std::max(0.0, total - total_) / static_cast<double>(scored - scored_rows_);
    text += classes ? fmt::format(", accuracy {:.2f} % now, {:.2f} % so far", kPercent * mean, kPercent * value)
                    : fmt::format(", rmse {:.4g} now, {:.4g} so far", std::sqrt(mean), value);
    total_ = total;
    scored_rows_ = scored;
  }
  if (state.roster.champion != 0) text += ", serves " + state.roster.Get(state.roster.champion).name;
  if (const std::string weights = Weights(state); !weights.empty()) text += " (" + weights + ")";
  seconds_ = seconds;
  shown_rows_ = progress.rows;
  return text + fmt::format(", {} alarm{}", alarms_, alarms_ == 1 ? "" : "s");
}

}  // namespace everlearn
