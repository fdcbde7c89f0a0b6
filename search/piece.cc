#include "search/piece.h"

#include <new>
#include <numeric>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"
#include "base/resources.h"
#include "model/model_bytes.h"
#include "search/cross_validation.h"

namespace everlearn {
namespace {

constexpr size_t kMostTrainRowsMeasured = 2'000;

// Every so many rows, so that the sample spans all of them.
std::vector<uint32_t> Sample(const std::vector<uint32_t>& rows) {
  const size_t step = (rows.size() + kMostTrainRowsMeasured - 1) / kMostTrainRowsMeasured;
  std::vector<uint32_t> sample;
  for (size_t i = 0; i < rows.size(); i += step) sample.push_back(rows[i]);
  return sample;
}

// `count` of the rows, drawn without replacement, in their order.
std::vector<uint32_t> Draw(const std::vector<uint32_t>& rows, size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<uint32_t> drawn;
  for (size_t i = 0; i < rows.size() && drawn.size() < count; ++i)
    if (random.Below(rows.size() - i) < count - drawn.size()) drawn.push_back(rows[i]);
  return drawn;
}

Fold Everything(const Dataset& data) {
  Fold all;
  all.train.resize(data.rows());
  std::iota(all.train.begin(), all.train.end(), 0U);
  return all;
}

void Fit(const SearchPlan& plan, const Dataset& data, const PieceRequest& request, PieceResult* result) {
  const Fold everything = request.fold == kAllRows ? Everything(data) : Fold();
  const Fold& fold = request.fold == kAllRows ? everything : plan.folds[request.fold];
  const LearnerInfo& learner = Learners().Get(request.learner);
  const ParameterValues values =
      ParameterValues::FromJson(request.learner, learner.parameters, ParseJson(request.parameters, "the parameters of a trial"));
  const Stopwatch watch;
  FitOptions options;
  options.seed = request.seed;
  options.validation = fold.validation;
  options.rounds = request.rounds;
  options.rounds_made = &result->rounds;
  if (learner.monotone) options.monotone = plan.monotone;
  if (request.seconds > 0) options.stop = [&] { return watch.Seconds() > request.seconds; };
  const bool all = request.train_rows == 0 || request.train_rows >= fold.train.size();
  const std::vector<uint32_t> train = all ? fold.train : Draw(fold.train, request.train_rows, request.seed);
  const auto model = FitLearner(request.learner, {&data, train}, values, options);
  result->fit_seconds = watch.Seconds();
  result->cut = options.stop && options.stop();
  const Metric& metric = Metrics().Get(plan.metric);
  if (request.fold != kAllRows) {
    const Stopwatch predicting;
    result->value = Measure(metric, *model, data, fold.validation, &result->predictions);
    result->predict_seconds = predicting.Seconds();
    result->train_value = Measure(metric, *model, data, Sample(train));
  }
  result->model = ModelBytes(*model);
}

}  // namespace

PieceResult RunPiece(const SearchPlan& plan, const Dataset& data, const PieceRequest& request) {
  PieceResult result;
  try {
    Fit(plan, data, request, &result);
  } catch (const Error& error) {
    result.status = TrialStatus::kFailed;
    result.reason = error.message();
  } catch (const std::bad_alloc&) {
    result.status = TrialStatus::kFailed;
    result.reason = "out of memory";
  } catch (const std::exception& error) {  // of a library
    result.status = TrialStatus::kFailed;
    result.reason = error.what();
  }
  if (result.status == TrialStatus::kFailed) {
    result.predictions.clear();
    result.model.clear();
  }
  result.number = request.number;
  return result;
}

std::string SearchPlan::Encode() const {
  ByteWriter out;
  out.PutText(metric);
  out.PutAll(monotone);
  out.Put(memory_bytes);
  out.Put(parent);
  out.PutVarint(folds.size());
  for (const Fold& fold : folds) {
    out.PutAll(fold.train);
    out.PutAll(fold.validation);
  }
  return out.Take();
}

SearchPlan SearchPlan::Decode(std::string_view bytes) {
  ByteReader in(bytes);
  SearchPlan plan;
  plan.metric = in.GetText();
  plan.monotone = in.GetAll<int8_t>();
  plan.memory_bytes = in.Get<uint64_t>();
  plan.parent = in.Get<int64_t>();
  for (uint64_t left = in.GetCount(); left > 0; --left) {
    Fold fold;
    fold.train = in.GetAll<uint32_t>();
    fold.validation = in.GetAll<uint32_t>();
    plan.folds.push_back(std::move(fold));
  }
  return plan;
}

std::string PieceRequest::Encode() const {
  ByteWriter out;
  out.Put(number);
  out.PutText(learner);
  out.PutText(parameters);
  out.Put(fold);
  out.Put(seed);
  out.Put(train_rows);
  out.Put(rounds);
  out.Put(seconds);
  return out.Take();
}

PieceRequest PieceRequest::Decode(std::string_view bytes) {
  ByteReader in(bytes);
  PieceRequest request;
  request.number = in.Get<uint64_t>();
  request.learner = in.GetText();
  request.parameters = in.GetText();
  request.fold = in.Get<uint32_t>();
  request.seed = in.Get<uint64_t>();
  request.train_rows = in.Get<uint64_t>();
  request.rounds = in.Get<int64_t>();
  request.seconds = in.Get<double>();
  return request;
}

std::string PieceResult::Encode() const {
  ByteWriter out;
  out.Put(number);
  out.Put(static_cast<uint8_t>(status));
  out.PutText(reason);
  out.Put(value);
  out.Put(train_value);
  out.Put(fit_seconds);
  out.Put(predict_seconds);
  out.Put(rounds);
  out.Put(cut);
  out.PutAll(predictions);
  out.PutText(model);
  return out.Take();
}

PieceResult PieceResult::Decode(std::string_view bytes) {
  ByteReader in(bytes);
  PieceResult result;
  result.number = in.Get<uint64_t>();
  result.status = static_cast<TrialStatus>(in.Get<uint8_t>());
  result.reason = in.GetText();
  result.value = in.Get<double>();
  result.train_value = in.Get<double>();
  result.fit_seconds = in.Get<double>();
  result.predict_seconds = in.Get<double>();
  result.rounds = in.Get<int64_t>();
  result.cut = in.Get<bool>();
  result.predictions = in.GetAll<double>();
  result.model = in.GetText();
  return result;
}

}  // namespace everlearn
