#include "loop/loss_estimate.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

#include "base/random.h"

namespace everlearn {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kEpsilon = 1e-15;      // as of the served loss
constexpr uint64_t kAllRows = 50'000;   // served rows that are all estimated; then
constexpr uint64_t kSampleEvery = 8;    // one of so many
constexpr uint64_t kFirstLearnt = 100;  // outcomes before the model of a regression's loss is asked
constexpr uint64_t kLeastBlock = 256;   // estimated rows of a block,
constexpr uint64_t kMostBlock = 1280;   // at most
constexpr uint64_t kFirstBlocks = 5;    // before there is a band
constexpr const char* kLossLearner = "online_linear";

ParameterValues LossParameters() { return ParameterValues(Learners().Get(kLossLearner).parameters); }

// The features and the prediction; the loss is a number.
StreamShape LossShape(const std::vector<bool>& is_category) {
  StreamShape shape;
  shape.is_category = is_category;
  shape.is_category.push_back(false);
  return shape;
}

}  // namespace

LossEstimate::LossEstimate(const std::string& metric, size_t classes, const std::vector<bool>& is_category)
    : loss_(metric, classes), classes_(classes), features_(is_category.size()), shape_(LossShape(is_category)) {
  if (classes == 0) model_ = Learners().Get(kLossLearner).start(shape_, LossParameters(), 0);
}

bool LossEstimate::Knows(const PendingRow& row) const { return classes_ > 0 || row.features.size() >= features_; }

void LossEstimate::OnRow(PendingRow* row) {
  row->estimated_loss = row->estimated_accuracy = kNone;
  newest_ = row->row / kSpanRows + 1;
  if (row->history) return;
  ++served_;
  if ((served_ > kAllRows && MixBits(row->row) % kSampleEvery != 0) || !Knows(*row)) return;
  if (classes_ == 0 && learnt_ < kFirstLearnt) return;
  Estimate(row);
  Span& span = spans_[row->row / kSpanRows % kSpans];
  if (span.number != newest_) {
    span = {};
    span.number = newest_;
  }
  ++span.waiting;
  span.waiting_loss += row->estimated_loss;
  if (classes_ > 0) span.waiting_accuracy += row->estimated_accuracy;
}

void LossEstimate::Estimate(PendingRow* row) const {
  const double* prediction = row->predictions.data();
  if (classes_ == 0) {
    inputs_.assign(row->features.begin(), row->features.begin() + static_cast<std::ptrdiff_t>(features_));
    inputs_.push_back(prediction[0]);
    model_->Predict(inputs_.data(), &row->estimated_loss);
    row->estimated_loss = std::isfinite(row->estimated_loss) ? std::clamp(row->estimated_loss, 0.0, RowLoss::kMost) : 0;
    return;
  }
  const size_t top = static_cast<size_t>(std::max_element(prediction, prediction + classes_) - prediction);
  const size_t stated = classes_ == 2 ? 1 : top;
  const double p = calibration_.Of(prediction[stated]), others = 1 - prediction[stated];
  row->estimated_loss = 0;
  for (size_t k = 0; k < classes_; ++k) {
    const double share = others > 0 ? prediction[k] / others : 1 / static_cast<double>(classes_ - 1);
    const double probability = k == stated ? p : (1 - p) * share;
    if (probability > 0) row->estimated_loss += probability * loss_.Of(prediction, static_cast<double>(k), kEpsilon);
  }
  row->estimated_accuracy = top == stated ? p : 1 - p;
}

void LossEstimate::Learn(const PendingRow& row, double truth, double loss) {
  if (!Knows(row)) return;
  const double* prediction = row.predictions.data();
  ++learnt_;
  if (classes_ == 0) {
    inputs_.assign(row.features.begin(), row.features.begin() + static_cast<std::ptrdiff_t>(features_));
    inputs_.push_back(prediction[0]);
    model_->Learn(inputs_.data(), loss, 1.0);
    return;
  }
  const size_t stated = classes_ == 2 ? 1 : static_cast<size_t>(std::max_element(prediction, prediction + classes_) - prediction);
  calibration_.Add(prediction[stated], static_cast<size_t>(truth) == stated);
}

LossEstimate::Span* LossEstimate::SpanOf(uint64_t row) {
  Span& span = spans_[row / kSpanRows % kSpans];
  return span.number == row / kSpanRows + 1 ? &span : nullptr;
}

void LossEstimate::OnWithdrawn(const PendingRow& row) {
  Span* span = std::isnan(row.estimated_loss) ? nullptr : SpanOf(row.row);
  if (span == nullptr || span->waiting == 0) return;
  --span->waiting;
  span->waiting_loss -= row.estimated_loss;
  if (classes_ > 0) span->waiting_accuracy -= row.estimated_accuracy;
}

void LossEstimate::OnOutcome(const PendingRow& row, double truth, double loss, uint64_t counted) {
  const bool estimated = !std::isnan(row.estimated_loss);
  if (estimated) {
    OnWithdrawn(row);
    if (Span* span = SpanOf(row.row)) {
      ++span->matured;
      span->matured_estimate += row.estimated_loss;
      span->realised += loss;
      if (classes_ > 0) {
        const double* prediction = row.predictions.data();
        span->right += std::max_element(prediction, prediction + classes_) - prediction == static_cast<std::ptrdiff_t>(truth) ? 1 : 0;
      }
    }
    AddToBlock(loss - row.estimated_loss, row.informed, counted);
  }
  if (estimated || learnt_ < kFirstLearnt) Learn(row, truth, loss);
}

void LossEstimate::AddToBlock(double error, uint64_t informed, uint64_t counted) {
  if ((informed > block_first_ && block_rows_ >= kLeastBlock) || block_rows_ >= kMostBlock) EndBlock();
  if (block_rows_ == 0) block_first_ = counted;
  ++block_rows_;
  block_sum_ += error;
  block_squares_ += error * error;
}

void LossEstimate::EndBlock() {
  const auto rows = static_cast<double>(block_rows_);
  const double error = block_sum_ / rows;
  const double variance = std::max(0.0, block_squares_ / rows - error * error);
  const double deviation = announced_.Deviation(rows);
  if (announced_.width > 0 && deviation > 0) width_.Add(std::abs(error) / deviation, announced_.width);
  announced_ = Now();
  past_[blocks_++ % kBlocks] = {error * error, variance, variance / rows};
  block_rows_ = 0;
  block_sum_ = block_squares_ = 0;
}

double LossEstimate::Band::Deviation(double rows) const { return std::sqrt(row_variance / rows + common_variance); }

LossEstimate::Band LossEstimate::Now() const {
  if (blocks_ < kFirstBlocks) return {};
  const auto median = [&](auto field) {
    std::vector<double> values;
    for (size_t i = 0; i < std::min<size_t>(blocks_, kBlocks); ++i) values.push_back(past_[i].*field);
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
  };
  constexpr double kMedianOfSquare = 0.4549;  // of a standard normal
  Band band;
  band.row_variance = median(&Block::variance);
  band.common_variance = std::max(0.0, median(&Block::squared_error) / kMedianOfSquare - median(&Block::mean_variance));
  band.width = width_.Get();
  if (std::isnan(band.width))
    band.width = boost::math::quantile(boost::math::students_t(static_cast<double>(blocks_)), (1 + EstimatedLoss::kCoverage) / 2);
  return band;
}

EstimatedLoss LossEstimate::Get() const {
  Span all;
  for (const Span& span : spans_) {
    // A span that a pause of sampled rows left behind is no part of the newest rows.
    if (span.number == 0 || span.number + kSpans <= newest_) continue;
    all.waiting += span.waiting;
    all.matured += span.matured;
    all.waiting_loss += span.waiting_loss;
    all.waiting_accuracy += span.waiting_accuracy;
    all.matured_estimate += span.matured_estimate;
    all.realised += span.realised;
    all.right += span.right;
  }
  const auto mean = [](double sum, uint64_t rows) { return rows == 0 ? kNone : sum / static_cast<double>(rows); };
  EstimatedLoss figures;
  figures.rows = all.waiting;
  figures.loss = mean(all.waiting_loss, all.waiting);
  figures.accuracy = classes_ > 0 ? mean(all.waiting_accuracy, all.waiting) : kNone;
  const Band band = Now();
  const double reach = band.width > 0 && all.waiting > 0 ? band.width * band.Deviation(static_cast<double>(all.waiting)) : kNone;
  figures.lower = std::isnan(reach) ? kNone : std::max(0.0, figures.loss - reach);
  figures.upper = figures.loss + reach;
  figures.recent_rows = all.waiting + all.matured;
  figures.recent_loss = mean(all.waiting_loss + all.matured_estimate, figures.recent_rows);
  figures.matured_rows = all.matured;
  figures.matured_loss = mean(all.matured_estimate, all.matured);
  figures.realised_loss = mean(all.realised, all.matured);
  figures.realised_accuracy = classes_ > 0 ? mean(all.right, all.matured) : kNone;
  figures.blocks = width_.rows();
  figures.covered = width_.covered();
  return figures;
}

void LossEstimate::Save(ByteWriter* out) const {
  calibration_.Save(out);
  out->PutText(model_ == nullptr ? "" : model_->State());
  for (const uint64_t field : {served_, learnt_, newest_, block_first_, block_rows_, blocks_}) out->Put(field);
  for (const double field : {block_sum_, block_squares_, announced_.row_variance, announced_.common_variance, announced_.width})
    out->Put(field);
  for (const Span& span : spans_) {
    for (const uint64_t field : {span.number, span.waiting, span.matured}) out->PutVarint(field);
    for (const double field : {span.waiting_loss, span.waiting_accuracy, span.matured_estimate, span.realised, span.right}) out->Put(field);
  }
  out->Put(past_);
  width_.Save(out);
}

void LossEstimate::Load(ByteReader* in) {
  calibration_.Load(in);
  const std::string model = in->GetText();
  if (model_ != nullptr) model_ = Learners().Get(kLossLearner).resume(shape_, LossParameters(), model);
  for (uint64_t* field : {&served_, &learnt_, &newest_, &block_first_, &block_rows_, &blocks_}) *field = in->Get<uint64_t>();
  for (double* field : {&block_sum_, &block_squares_, &announced_.row_variance, &announced_.common_variance, &announced_.width})
    *field = in->Get<double>();
  for (Span& span : spans_) {
    for (uint64_t* field : {&span.number, &span.waiting, &span.matured}) *field = in->GetVarint();
    for (double* field : {&span.waiting_loss, &span.waiting_accuracy, &span.matured_estimate, &span.realised, &span.right})
      *field = in->Get<double>();
  }
  past_ = in->Get<decltype(past_)>();
  const bool finite = std::all_of(past_.begin(), past_.end(), [](const Block& block) {
    return std::isfinite(block.squared_error) && std::isfinite(block.variance) && std::isfinite(block.mean_variance);
  });
  if (!finite) throw Error(ErrorKind::kDamaged, "the checkpoint's estimated loss holds no numbers");
  width_.Load(in);
}

}  // namespace everlearn
