#include "search/cross_validation.h"

#include <algorithm>
#include <atomic>
#include <new>

#include "base/error.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/resources.h"

namespace everlearn {
namespace {

constexpr const char* kEnded = "the search ended first";

struct Piece {
  TrialStatus status = TrialStatus::kStopped;
  std::string reason;
  double value = 0;
  double fit_seconds = 0, predict_seconds = 0;
  std::vector<double> predictions;
};

Piece RunPiece(const Dataset& data, const Fold& fold, const Candidate& candidate, const Metric& metric, const FitOptions& fit,
               bool keep_predictions) {
  Piece piece;
  try {
    const Stopwatch fitting;
    const auto model = FitLearner(candidate.learner, {&data, fold.train}, candidate.parameters, fit);
    piece.fit_seconds = fitting.Seconds();
    if (fit.stop && fit.stop()) {  // it may have ended early: not comparable
      piece.reason = kEnded;
      return piece;
    }
    const Stopwatch predicting;
    piece.value = Measure(metric, *model, data, fold.validation, &piece.predictions);
    piece.predict_seconds = predicting.Seconds();
    if (!keep_predictions) piece.predictions = {};
    piece.status = TrialStatus::kOk;
  } catch (const Error& error) {
    piece.status = error.kind() == ErrorKind::kInterrupted ? TrialStatus::kStopped : TrialStatus::kFailed;
    piece.reason = error.message();
  } catch (const std::bad_alloc&) {
    piece.status = TrialStatus::kFailed;
    piece.reason = "out of memory";
  }
  return piece;
}

// Mean and its standard error over the folds with a value.
void Summarise(std::span<const Piece> pieces, LeaderboardRow* row) {
  double sum = 0, count = 0;
  for (const Piece& piece : pieces) {
    if (std::isnan(piece.value)) continue;
    sum += piece.value;
    ++count;
  }
  if (count == 0) {
    row->status = TrialStatus::kFailed;
    row->reason = "the metric is not defined on any fold";
    return;
  }
  row->value = sum / count;
  double squares = 0;
  for (const Piece& piece : pieces) {
    if (!std::isnan(piece.value)) squares += (piece.value - row->value) * (piece.value - row->value);
  }
  if (count > 1) row->standard_error = std::sqrt(squares / (count - 1) / count);
}

LeaderboardRow MakeRow(const Dataset& data, const std::vector<Fold>& folds, const Candidate& candidate, size_t number,
                       std::span<const Piece> pieces, bool keep_predictions) {
  LeaderboardRow row;
  row.candidate = number;
  row.name = candidate.name;
  row.learner = candidate.learner;
  row.parameters = candidate.parameters.ToJson().as_object();
  double rows = 0, seconds = 0;
  for (size_t k = 0; k < pieces.size(); ++k) {
    if (pieces[k].status > row.status) {  // failed outweighs stopped outweighs ok
      row.status = pieces[k].status;
      row.reason = pieces[k].reason;
    }
    row.fit_seconds += pieces[k].fit_seconds / static_cast<double>(pieces.size());
    rows += static_cast<double>(folds[k].validation.size());
    seconds += pieces[k].predict_seconds;
  }
  if (row.status != TrialStatus::kOk) return row;
  row.predict_seconds_per_row = rows > 0 ? seconds / rows : 0;
  Summarise(pieces, &row);
  if (keep_predictions) {
    const size_t outputs = data.outputs();
    row.predictions.assign(data.rows() * outputs, kMissing);
    for (size_t k = 0; k < pieces.size(); ++k) {
      for (size_t i = 0; i < folds[k].validation.size(); ++i)
        std::copy_n(&pieces[k].predictions[i * outputs], outputs, &row.predictions[folds[k].validation[i] * outputs]);
    }
  }
  return row;
}

}  // namespace

uint64_t FitSeed(uint64_t seed, size_t part) { return MixBits(seed ^ MixBits(part + 1)); }

double Measure(const Metric& metric, const Model& model, const Dataset& data, std::span<const uint32_t> rows,
               std::vector<double>* predictions) {
  const size_t outputs = data.outputs();
  std::vector<double> own;
  std::vector<double>& out = predictions != nullptr ? *predictions : own;
  out.resize(rows.size() * outputs);
  std::vector<double> truth(rows.size()), weights;
  if (data.has_weights()) weights.resize(rows.size());
  // Blocks of rows beside each other, so that the model predicts them together.
  constexpr size_t kBlock = 1024;
  std::vector<double> block;
  for (size_t first = 0; first < rows.size(); first += kBlock) {
    const size_t count = std::min(kBlock, rows.size() - first);
    block.clear();
    for (size_t i = 0; i < count; ++i) block.insert(block.end(), data.row(rows[first + i]), data.row(rows[first + i]) + data.features());
    model.Predict({block.data(), count, data.features()}, &out[first * outputs]);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    truth[i] = data.target()[rows[i]];
    if (data.has_weights()) weights[i] = data.weight(rows[i]);
  }
  return metric.compute({truth, out, data.classes(), weights});
}

Leaderboard CrossValidate(const Dataset& data, const std::vector<Fold>& folds, const std::vector<Candidate>& candidates,
                          const CrossValidationOptions& options) {
  const Metric& metric = Metrics().Get(options.metric);
  std::vector<Piece> pieces(candidates.size() * folds.size());
  std::atomic<size_t> done = 0;
  ParallelFor(pieces.size(), options.threads, [&](size_t i) {
    const size_t fold = i % folds.size();
    if (options.stop && options.stop()) {
      pieces[i].reason = kEnded;
    } else {
      const FitOptions fit{FitSeed(options.seed, fold), 1, options.stop};
      pieces[i] = RunPiece(data, folds[fold], candidates[i / folds.size()], metric, fit, options.keep_predictions);
    }
    if (options.progress) options.progress(++done, pieces.size());
  });
  Leaderboard board{options.metric, metric.higher_is_better, {}};
  for (size_t c = 0; c < candidates.size(); ++c) {
    const std::span<const Piece> own(&pieces[c * folds.size()], folds.size());
    board.rows.push_back(MakeRow(data, folds, candidates[c], c, own, options.keep_predictions));
  }
  board.Sort();
  return board;
}

std::vector<double> ConstantValues(const Metric& metric, const Dataset& data, const std::vector<Fold>& folds) {
  const ParameterValues none(Learners().Get("constant").parameters);
  std::vector<double> values;
  for (const Fold& fold : folds)
    values.push_back(Measure(metric, *FitLearner("constant", {&data, fold.train}, none, {}), data, fold.validation));
  return values;
}

}  // namespace everlearn
