#include "cli/fit_diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/terminal.h"

namespace everlearn {
namespace {

Json NumberOrNull(double value) { return std::isnan(value) ? Json() : Json(value); }

// How far apart the folds are.
struct Spread {
  double low, high, deviation;
};

Spread SpreadOf(const std::vector<double>& values) {
  std::vector<double> known;
  for (const double value : values)
    if (!std::isnan(value)) known.push_back(value);
  if (known.size() < 2) return {kMissing, kMissing, kMissing};
  double mean = 0, squares = 0;
  for (const double value : known) mean += value / static_cast<double>(known.size());
  for (const double value : known) squares += (value - mean) * (value - mean);
  const auto [low, high] = std::minmax_element(known.begin(), known.end());
  return {*low, *high, std::sqrt(squares / static_cast<double>(known.size() - 1))};
}

// Loss that more rows still take away: what the second half of them gained, in units of the folds' standard deviation.
std::string CurveRemark(const SearchedModel& model, double deviation) {
  if (model.curve.size() < 3) return "";
  const LearningCurvePoint& half = model.curve[model.curve.size() - 2];
  const LearningCurvePoint& all = model.curve.back();
  const double gain = (half.value - all.value) * (model.board.higher_is_better ? -1 : 1);
  const std::string figures =
      fmt::format("{} on {} rows, {} on {}", Figure(half.value), Grouped(half.rows), Figure(all.value), Grouped(all.rows));
  if (std::isnan(deviation) || deviation == 0) return "";
  if (gain > deviation / 2) return "more rows would help: " + figures;
  if (gain < deviation / 10) return "more rows would hardly help: " + figures;
  return "";
}

}  // namespace

Diagnosis Diagnose(const SearchedModel& model, double test) {
  Diagnosis diagnosis;
  const double own = model.board.rows[model.best].value;
  const Spread spread = SpreadOf(model.fold_values);
  const auto remark = [&](std::string text) {
    if (!text.empty()) diagnosis.remarks.push_back(std::move(text));
  };
  if (!std::isnan(spread.deviation) && spread.deviation > 0) {
    constexpr double kFar = 4;
    const double below = (own - test) / spread.deviation * (model.board.higher_is_better ? 1 : -1);
    if (below > kFar)
      remark(fmt::format("the test rows are harder than the training rows: {} against {} out of fold; are they of another time or kind?",
                         Figure(test), Figure(own)));
    if (spread.deviation > std::abs(own) / 4)
      remark(fmt::format("the folds disagree, {} to {}: too few rows for a firm figure", Figure(spread.low), Figure(spread.high)));
  }
  remark(CurveRemark(model, spread.deviation));
  JsonArray folds, curve, notes;
  for (const double value : model.fold_values) folds.push_back(NumberOrNull(value));
  for (const LearningCurvePoint& point : model.curve)
    curve.push_back(JsonObject{{"rows", point.rows}, {"value", NumberOrNull(point.value)}});
  for (const std::string& text : diagnosis.remarks) notes.push_back(boost::json::string(text));
  diagnosis.figures = {{"train", NumberOrNull(model.train_value)},
                       {"out_of_fold", NumberOrNull(own)},
                       {"test", NumberOrNull(test)},
                       {"folds", std::move(folds)},
                       {"learning_curve", std::move(curve)},
                       {"notes", std::move(notes)}};
  return diagnosis;
}

}  // namespace everlearn
