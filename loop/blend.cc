#include "loop/blend.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "evaluation/metric.h"
#include "loop/loss.h"

namespace everlearn {
namespace {

constexpr size_t kMixes = Blend::kRates.size();  // of either sort
constexpr double kMostSquaredErrors = 16.0;      // an error counts as at most this many variances
constexpr double kVarianceRows = 200.0;          // memory of the variance, in outcomes
constexpr double kLeastVarianceRows = 20.0;      // from here on
constexpr double kTrustRows = 1000;
// Between the two blends: how sure one was of what is wrong counts little, since both are wrong until a change is known.
constexpr double kWrong = 0.1, kFarOff = 0.135;
constexpr double kChoicePart = 0.25;     // of the choice in the geometric mean
constexpr double kLeastPooled = 1e-6;    // probabilities count as at least this in it
constexpr double kMostShare = 1 + 1e-6;  // rounding
constexpr double kMostGrowth = 20.0;     // a squared error counts as at most so many variances in the variance

// Weights that were multiplied by likelihoods: made to sum to 1, and a share of all spread evenly.
template <typename WeightOf>
void SpreadShare(size_t count, double share, const WeightOf& weight_of) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += weight_of(i);
  for (size_t i = 0; i < count; ++i) weight_of(i) = (1.0 - share) * weight_of(i) / sum + share / static_cast<double>(count);
}

// What the two blends say of it.
std::vector<double>& BothAtHand() {
  static thread_local std::vector<double> both;
  return both;
}

}  // namespace

// Of the row at hand.
struct Blend::Row {
  std::vector<const double*> advice;  // of each expert; null: none
  std::vector<const double*> now;     // the same just before the outcome is learnt
  std::vector<double> parties;        // outputs each: what the mixes say, then the pools
  std::vector<double> mean;           // of the mixes, by their shares
};

Blend::Row& Blend::RowAtHand() {
  static thread_local Row row;
  return row;
}

Blend::Blend(size_t classes, bool zero_one)
    : classes_(classes),
      zero_one_(zero_one),
      pools_(classes),
      shares_(kMixes + pools_.pools(), 1.0 / static_cast<double>(kMixes + pools_.pools())) {}

void Blend::AddExpert(uint32_t member) {
  const double weight = 1.0 / static_cast<double>(experts_.size() + 1);
  for (Expert& expert : experts_)
    for (double& w : expert.weights) w *= 1.0 - weight;
  experts_.push_back({member, weight, {}});
  experts_.back().weights.fill(weight);
  pools_.AddExpert();
  for (Blend& fresh : fresh_) fresh.AddExpert(member);
  for (ExpertChoice& choice : choice_) choice.AddExpert();
}

void Blend::ReplaceExpert(uint32_t member, uint32_t by) {
  for (Expert& expert : experts_)
    if (expert.member == member) expert.member = by;
  for (Blend& fresh : fresh_) fresh.ReplaceExpert(member, by);
}

bool Blend::HasExpert(uint32_t member) const {
  return std::any_of(experts_.begin(), experts_.end(), [&](const Expert& expert) { return expert.member == member; });
}

double Blend::Weight(const Expert& expert) const {
  double weight = OwnWeight(expert);
  if (fresh_.empty()) return weight;
  const auto place = static_cast<size_t>(&expert - experts_.data());
  weight += fresh_share_ * (fresh_[0].OwnWeight(fresh_[0].experts_[place]) - weight);
  if (choice_.empty()) return weight;
  const double chosen = choice_[0].BlendShare() * weight + choice_[0].Share(place);
  return zero_one_ ? chosen : weight + kChoicePart * (chosen - weight);
}

double Blend::OwnWeight(const Expert& expert) const {
  double weight = 0, sum = 0;
  for (size_t mix = 0; mix < mixes(); ++mix) {
    weight += shares_[mix] * expert.weights[mix];
    sum += shares_[mix];
  }
  return weight / sum;
}

bool Blend::ReadRow(const std::vector<uint32_t>& members, const std::vector<double>& predictions, Row* row) const {
  const size_t k = outputs();
  row->advice.assign(experts_.size(), nullptr);
  row->parties.assign(shares_.size() * k, 0.0);
  row->mean.assign(k, 0.0);
  std::array<double, 2 * kMixes> sums{};
  for (size_t e = 0; e < experts_.size(); ++e) {
    const auto found = std::find(members.begin(), members.end(), experts_[e].member);
    if (found == members.end()) continue;
    const double* prediction = predictions.data() + static_cast<size_t>(found - members.begin()) * k;
    if (!std::isfinite(prediction[0])) continue;
    row->advice[e] = prediction;
    for (size_t mix = 0; mix < mixes(); ++mix) {
      const double weight = experts_[e].weights[mix];
      for (size_t i = 0; i < k; ++i) row->parties[mix * k + i] += weight * prediction[i];
      sums[mix] += weight;
    }
  }
  if (*std::min_element(sums.begin(), sums.begin() + static_cast<std::ptrdiff_t>(mixes())) <= 0) return false;
  double shares = 0;
  for (size_t mix = 0; mix < mixes(); ++mix) {
    for (size_t i = 0; i < k; ++i) {
      row->parties[mix * k + i] /= sums[mix];
      row->mean[i] += shares_[mix] * row->parties[mix * k + i];
    }
    shares += shares_[mix];
  }
  for (double& value : row->mean) value /= shares;
  pools_.Predict(row->mean.data(), row->advice, row->parties.data() + mixes() * k);
  return true;
}

bool Blend::Predict(const std::vector<uint32_t>& members, const std::vector<double>& predictions, double* out,
                    std::vector<double>* parties) const {
  const size_t k = outputs();
  Row& row = RowAtHand();
  std::fill(out, out + k, 0.0);
  if (parties != nullptr) parties->clear();
  if (!ReadRow(members, predictions, &row)) return false;
  for (size_t party = 0; party < shares_.size(); ++party)
    for (size_t i = 0; i < k; ++i) out[i] += shares_[party] * row.parties[party * k + i];
  const auto read_back = [&] {  // as it is stored, which keeps the second of two probabilities
    if (classes_ == 2) out[0] = 1.0 - out[1];
  };
  read_back();
  if (parties != nullptr) *parties = row.parties;
  if (fresh_.empty()) return true;
  std::vector<double>& both = BothAtHand();
  both.assign(out, out + k);
  both.resize(2 * k);
  if (!fresh_[0].Predict(members, predictions, both.data() + k)) std::copy_n(out, k, both.data() + k);
  for (size_t i = 0; i < k; ++i) out[i] += fresh_share_ * (both[k + i] - out[i]);
  read_back();
  if (parties != nullptr) parties->insert(parties->end(), both.begin(), both.end());
  if (choice_.empty()) return true;
  // The row's advice is still that of this blend: the second one's experts are the same, in the same order.
  std::array<double, ExpertChoice::kSaid> said{};
  choice_[0].Predict(out, row.advice, both.data(), said.data());
  if (parties != nullptr) parties->insert(parties->end(), said.begin(), said.end());
  Pool(both.data(), out);
  read_back();
  return true;
}

void Blend::Pool(const double* chosen, double* out) const {
  if (zero_one_) {
    std::copy_n(chosen, classes_, out);
    return;
  }
  double sum = 0;
  for (size_t c = 0; c < classes_; ++c) {
    const double blended = std::max(out[c], kLeastPooled), ratio = std::max(chosen[c], kLeastPooled) / blended;
    sum += out[c] = blended * std::pow(ratio, kChoicePart);
  }
  for (size_t c = 0; c < classes_; ++c) out[c] /= sum;
}

double Blend::Likelihood(const double* prediction, double truth) const {
  if (classes_ > 0) return prediction[static_cast<size_t>(truth)] + kLeastProbability;
  if (!(variance_ > 0)) return 1;
  const double error = prediction[0] - truth, in_variances = error * error / variance_;
  return std::exp(-0.5 * (in_variances <= kMostSquaredErrors ? in_variances : kMostSquaredErrors));  // also what is not a number
}

void Blend::FollowVariance(double error) {
  // One absurd outcome must not hide all differences between experts for thousands of rows.
  const double most = variance_rows_ >= kLeastVarianceRows && variance_ > 0 ? kMostGrowth * variance_ : RowLoss::kMost;
  const double squared = error * error <= most ? error * error : most;
  variance_rows_ = std::min(variance_rows_ + 1.0, kVarianceRows);
  variance_ += (squared - variance_) / variance_rows_;
}

// The second sort of mixes begins where the first one is, and so does the second blend.
void Blend::BeLate() {
  fresh_.push_back(*this);
  late_ = true;
  if (classes_ > 0) choice_.emplace_back(classes_);
  for (ExpertChoice& choice : choice_)
    for (size_t e = 0; e < experts_.size(); ++e) choice.AddExpert();
  for (Expert& expert : experts_) std::copy_n(expert.weights.begin(), kMixes, expert.weights.begin() + kMixes);
  double all = 1;
  for (size_t mix = 0; mix < kMixes; ++mix) all += shares_[mix];
  std::vector<double> shares(shares_.begin(), shares_.begin() + kMixes);
  shares_.insert(shares_.begin() + kMixes, shares.begin(), shares.end());
  for (double& share : shares_) share /= all;
}

const double* Blend::AdviceNow(size_t expert, const std::vector<uint32_t>& members, const std::vector<double>& now) const {
  for (size_t i = 0; i < members.size(); ++i) {
    const double* said = now.data() + i * outputs();
    if (members[i] == experts_[expert].member) return std::isfinite(said[0]) ? said : nullptr;
  }
  return nullptr;
}

// Who was silent keeps its share of the weights (Freund, Schapire, Singer & Warmuth, Using and combining predictors that specialize, 1997).
void Blend::LearnMix(size_t mix, const std::vector<const double*>& advice, double truth) {
  const double rate = Blend::kRates[mix % kMixes];
  double spoke = 0, left = 0;
  for (size_t e = 0; e < experts_.size(); ++e) {
    if (advice[e] == nullptr) continue;
    const double likelihood = Likelihood(advice[e], truth);
    double& weight = experts_[e].weights[mix];
    spoke += weight;
    left += weight *= rate == 1 ? likelihood : std::pow(likelihood, rate);
  }
  if (!(spoke > 0)) return;
  for (size_t e = 0; e < experts_.size(); ++e)
    if (advice[e] == nullptr) experts_[e].weights[mix] *= left / spoke;
  SpreadShare(experts_.size(), kShares[mix % kMixes], [&](size_t e) -> double& { return experts_[e].weights[mix]; });
}

void Blend::Learn(const PendingRow& row, double truth, uint64_t delay, const std::vector<double>& now) {
  if (delay > 0 && !late_) BeLate();
  LearnFrom(row.members, row.predictions, row.parties, truth, delay, now);
  // What is known by now is at once an outcome of what would be said by now.
  for (Blend& fresh : fresh_) fresh.LearnFrom(row.members, now.size() == row.predictions.size() ? now : row.predictions, {}, truth, 0, {});
}

void Blend::JudgeFresh(const double* said, double truth, double rate) {
  constexpr double kShare = 0.002;
  const double least = classes_ > 0 ? kWrong / static_cast<double>(classes_) : kFarOff;
  const auto credit = [&](const double* prediction) { return std::pow(std::max(Likelihood(prediction, truth), least), rate); };
  const double own = (1 - fresh_share_) * credit(said), fresh = fresh_share_ * credit(said + outputs());
  fresh_share_ = (1 - kShare * rate) * fresh / (own + fresh) + kShare * rate / 2;
}

// What was said before there was a choice is known by its parties alone: it counts as their mean.
void Blend::LearnChoice(const double* said, const std::vector<double>& parties, std::span<const double* const> advice, double truth,
                        uint64_t delay) {
  std::array<double, ExpertChoice::kSaid> as_blended{};
  if (said == nullptr) {
    if (parties.empty()) return;
    std::vector<double>& sum = BothAtHand();
    sum.assign(classes_, 0.0);
    for (size_t i = 0; i < parties.size(); ++i) sum[i % classes_] += parties[i];
    as_blended.fill(static_cast<double>(PredictedClass(sum.data(), classes_)));
    said = as_blended.data();
  }
  choice_[0].Learn(said, advice, truth, static_cast<double>(delay));
}

void Blend::LearnFrom(const std::vector<uint32_t>& members, const std::vector<double>& predictions, const std::vector<double>& parties,
                      double truth, uint64_t delay, const std::vector<double>& now) {
  const size_t k = outputs();
  Row& row = RowAtHand();
  if (!ReadRow(members, predictions, &row)) return;
  const size_t own = row.parties.size();
  const bool by_both = !fresh_.empty() && parties.size() == own + said_further();
  const std::vector<double>& said = by_both || parties.size() == own ? parties : row.parties;
  if (classes_ == 0) {
    double blended = 0;
    for (size_t party = 0; party < shares_.size(); ++party) blended += shares_[party] * said[party];
    FollowVariance(blended - truth);
  }
  for (Expert& expert : experts_) {
    const double weight = std::accumulate(expert.weights.begin(), expert.weights.begin() + kMixes, 0.0) / static_cast<double>(kMixes);
    expert.trust += (weight - expert.trust) / kTrustRows;
  }
  const double rate = 1 / std::sqrt(1.0 + static_cast<double>(delay));
  for (size_t party = 0; party < shares_.size(); ++party) shares_[party] *= std::pow(Likelihood(said.data() + party * k, truth), rate);
  SpreadShare(shares_.size(), kPartyShare, [&](size_t i) -> double& { return shares_[i]; });
  if (by_both) JudgeFresh(parties.data() + own, truth, rate * rate);
  if (!choice_.empty()) LearnChoice(by_both ? parties.data() + own + 2 * k : nullptr, parties, row.advice, truth, delay);
  pools_.Learn(row.mean.data(), row.advice, truth, variance_, rate);
  for (size_t mix = 0; mix < kMixes; ++mix) LearnMix(mix, row.advice, truth);
  if (!late_) return;
  row.now = row.advice;
  if (now.size() == predictions.size())
    for (size_t e = 0; e < experts_.size(); ++e) row.now[e] = AdviceNow(e, members, now);
  for (size_t mix = kMixes; mix < 2 * kMixes; ++mix) LearnMix(mix, row.now, truth);
}

void Blend::Save(ByteWriter* out) const {
  out->Put(variance_);
  out->Put(variance_rows_);
  out->Put(late_);
  out->PutAll(shares_);
  out->PutVarint(experts_.size());
  for (const Expert& expert : experts_) {
    out->Put(expert.member);
    out->Put(expert.trust);
    for (const double weight : expert.weights) out->Put(weight);
  }
  pools_.Save(out);
  out->Put(fresh_share_);
  for (const Blend& fresh : fresh_) fresh.Save(out);
  for (const ExpertChoice& choice : choice_) choice.Save(out);
}

void Blend::Load(ByteReader* in) { Load(in, true); }

void Blend::Load(ByteReader* in, bool may_be_late) {
  variance_ = in->Get<double>();
  variance_rows_ = in->Get<double>();
  late_ = in->Get<bool>();
  const size_t parties = mixes() + pools_.pools();
  shares_ = in->GetAll<double>();
  experts_.clear();
  for (uint64_t left = in->GetCount(); left > 0; --left) {
    Expert& expert = experts_.emplace_back();
    expert.member = in->Get<uint32_t>();
    expert.trust = in->Get<double>();
    for (double& weight : expert.weights) weight = in->Get<double>();
  }
  pools_.Load(in);
  fresh_share_ = in->Get<double>();
  fresh_.clear();
  choice_.clear();
  if (late_ && may_be_late) {
    fresh_.emplace_back(classes_, zero_one_).Load(in, false);
    if (classes_ > 0) choice_.emplace_back(classes_).Load(in);
  }
  // Shares and weights are never 0: an expert without any could not come back.
  const auto is_share = [](double share) { return share > 0 && share <= kMostShare; };
  bool good = shares_.size() == parties && pools_.experts() == experts_.size() && std::all_of(shares_.begin(), shares_.end(), is_share);
  for (const Expert& expert : experts_)
    good = good && expert.trust >= 0 && expert.trust <= kMostShare && std::all_of(expert.weights.begin(), expert.weights.end(), is_share);
  good = good && is_share(fresh_share_) && (!late_ || (may_be_late && fresh_[0].size() == experts_.size()));
  good = good && (choice_.empty() || choice_[0].experts() == experts_.size());
  good = good && variance_ >= 0 && std::isfinite(variance_) && variance_rows_ >= 0 && variance_rows_ <= kVarianceRows;
  if (!good) throw Error(ErrorKind::kDamaged, "the ledger's checkpoint is damaged: its blend is none");
}

}  // namespace everlearn
