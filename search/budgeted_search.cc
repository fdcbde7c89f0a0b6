#include "search/budgeted_search.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/parallel.h"
#include "learner/dataset_block.h"
#include "model/model_bytes.h"
#include "search/final_model.h"
#include "search/refit.h"
#include "search/search_report.h"
#include "search/strategy.h"
#include "search/trials.h"
#include "search/worker_pool.h"

namespace everlearn {
namespace {

// Shares of the time for search: new trials have the first part, the folds that members of the ensemble still lack go before new trials in
// the second. A search that continues another one knows already what is good, and fits that on the new rows first.
constexpr double kExploring = 0.55, kExploringFurther = 0.2;
// A piece may take this share of the time; a trial whose folds together take less than the second is finished at once, or, where it is
// about as good as the best, less than the third.
constexpr double kLongestPiece = 0.2, kCheapTrial = 0.03, kCheapGoodTrial = 0.1, kGoodGap = 0.01;
constexpr double kStacking = 0.01;  // share of the budget that a linear model over the members may take
constexpr double kRefitting = 0.2;  // at most this share of the budget is kept for fits of members on all rows, where these are wanted
constexpr double kLongestRefitted = 0.15;  // what a piece may then take, so that the fit on all rows has the time
constexpr double kLookEvery = 0.1;         // seconds
constexpr size_t kMostKept = 40;           // trials whose predictions and models are kept
constexpr double kSecondsPerUnit = 0.01;

class BudgetedSearch {
 public:
  BudgetedSearch(std::unique_ptr<Dataset>* data, const std::vector<Fold>& folds, const BudgetedSearchOptions& options)
      : options_(options), metric_(Metrics().Get(options.metric)), folds_(folds), block_("everlearn-data") {
    description_ = DescribeData(**data);
    WriteDataset(**data, &block_);
    data->reset();
    *data = MapDataset(std::make_shared<const Mapping>(block_.descriptor()));
    data_ = data->get();
    constant_ = FitConstant();
    trials_ = std::make_unique<Trials>(metric_, folds, constant_losses_);
    StrategyContext context;
    context.experience = options.experience;
    context.data = description_;
    context.classes = data_->classes();
    context.weights = data_->has_weights();
    context.monotone = !options.monotone.empty();
    context.metric = options.metric;
    context.budget_seconds = options.units > 0 ? options.units * kSecondsPerUnit : options.seconds;
    context.learners = options.learners;
    context.seed = options.seed;
    context.first = options.first;
    strategy_ = MakeStrategy(options.strategy, context);
    const int most = kMostWorkersACore * AvailableThreads();
    const int threads = options.threads > 0 ? std::min(options.threads, most) : AvailableThreads();
    TakeOver(threads);
    pool_ = std::make_unique<WorkerPool>(block_, MakePlan(threads), threads);
  }

  BudgetedSearchResult Run() {
    if (options_.units > 0) RunUnits();
    else RunClock();
    pool_->Abandon();
    LookAtMemory();
    // The rest of what was set aside is for what is made of its predictions, and the file.
    constexpr double kAfterInterrupt = 2;  // seconds
    FinalModelOptions last = FinalOptions(Stopped() ? Now() + kAfterInterrupt : options_.seconds - Reserve() / 2);
    if (Refits()) last.refit = [this](const std::vector<size_t>& trials) { return Refit(trials); };
    FinalModel final = MakeFinalModel(*data_, folds_, options_.metric, *trials_, constant_, last);
    BudgetedSearchResult result;
    result.peak_memory_bytes = std::max(peak_memory_, PeakMemoryBytes());
    result.constant_loss = MeanOfKnown(constant_losses_);
    result.experience = LearntByTrials(*trials_, *data_, folds_, metric_);
    result.description = description_;
    for (const LearningCurvePoint& point : curve_)
      if (!std::isnan(point.value)) result.curve.push_back(point);
    DescribeResult(*trials_, folds_, options_.metric, spent_seconds_, std::move(final), &result);
    return result;
  }

 private:
  // What there is before anything was tried, and what every trial is compared with.
  std::shared_ptr<const Model> FitConstant() {
    for (const double value : ConstantValues(metric_, *data_, folds_))
      constant_losses_.push_back(metric_.higher_is_better ? -value : value);
    std::vector<uint32_t> all(data_->rows());
    std::iota(all.begin(), all.end(), 0U);
    return FitLearner("constant", {data_, all}, ParameterValues(Learners().Get("constant").parameters), {});
  }

  // The members of an earlier search, the most important first, judged on this search's folds by their models. Some (neighbours, wide nets)
  // are slow to predict: what the first part of the time does not suffice for is left.
  void TakeOver(int threads) {
    constexpr double kMostOfTheTime = 0.15;
    const auto is_late = [&] { return options_.units == 0 && (Stopped() || Now() > kMostOfTheTime * options_.seconds); };
    for (const EarlierTrial& earlier : options_.earlier) {
      if (trials_->size() > 0 && is_late()) return;
      const size_t trial = trials_->Add(earlier.candidate);
      std::vector<PieceResult> results(std::min(folds_.size(), earlier.fold_models.size()));
      ParallelFor(results.size(), threads, [&](size_t k) {
        if (k > 0 && is_late()) return;
        const Model& model = *earlier.fold_models[k];
        PieceResult& result = results[k];
        result.number = trial * folds_.size() + k;
        const Stopwatch watch;
        result.value = Measure(metric_, model, *data_, folds_[k].validation, &result.predictions);
        result.predict_seconds = watch.Seconds();
        result.model = ModelBytes(model);
        result.rounds = 0;  // they are not known
      });
      for (PieceResult& result : results) {
        if (result.model.empty()) break;  // there was no time
        trials_->Take(trial, std::move(result));
      }
      // Its other folds would be fitted on other rows than these.
      (*trials_)[trial].hopeless = true;
    }
  }

  SearchPlan MakePlan(int threads) const {
    SearchPlan plan;
    plan.metric = options_.metric;
    plan.folds = folds_;
    plan.monotone = options_.monotone;
    if (options_.memory_bytes > 0) {
      // What this process holds by now is spent; a part is kept for the models that come back and for the ensemble.
      constexpr double kForModels = 0.25;
      constexpr uint64_t kLeast = 64 << 20;
      const uint64_t mine = ResidentMemoryBytes();
      const double left = static_cast<double>(options_.memory_bytes > mine ? options_.memory_bytes - mine : 0) * (1 - kForModels);
      plan.memory_bytes = std::max(kLeast, static_cast<uint64_t>(left / threads));
    }
    return plan;
  }

  double Now() const { return options_.watch.Seconds(); }
  bool Stopped() const { return no_worker_ || (options_.stop && options_.stop()); }

  // Time that the ensemble, what is made of its predictions and the model file will take: as often as one choice of members took so far.
  double Reserve() const {
    constexpr double kLeast = 0.15, kSecondsPerCell = 2e-7, kChoices = 3, kMost = 0.2;
    const double cells = static_cast<double>(data_->rows() * data_->outputs() * std::min(trials_->size(), kMostKept));
    return std::min(kLeast + cells * kSecondsPerCell + kChoices * choice_seconds_ + kStacking * options_.seconds, kMost * options_.seconds);
  }

  void RunClock() {
    begin_ = Now();
    while (!Stopped() && Now() < End()) {
      while (!Stopped() && pool_->idle() > 0 && StartNext()) {
      }
      if (pool_->busy() == 0) break;
      for (PieceResult& result : pool_->Wait(std::min(kLookEvery, std::max(0.001, End() - Now())))) Take(std::move(result));
      LookAtMemory();
      if (options_.progress) options_.progress(std::min(1.0, Now() / options_.seconds), trials_->size());
    }
  }

  // Whether members are to be single models.
  bool Refits() const { return options_.time_ordered || options_.max_latency > 0; }

  double RefitEnd() const { return options_.seconds - Reserve(); }
  double End() const { return RefitEnd() - (Refits() ? std::min(refit_seconds_, kRefitting * options_.seconds) : 0); }

  std::map<size_t, std::string> Refit(const std::vector<size_t>& trials) {
    RefitOptions refit{.seed = options_.seed, .stop = options_.stop};
    if (options_.units > 0) refit.units = kRefitting * options_.units;
    else refit.seconds_left = [this] { return RefitEnd() - Now(); };
    refit.between = [this] { LookAtMemory(); };
    Refitted refitted = RefitTrials(trials, *trials_, *data_, folds_, pool_.get(), refit);
    spent_seconds_ += refitted.fit_seconds;
    return std::move(refitted.models);
  }

  // Trial after trial, with all folds of one at once: decisions do not depend on what ends first.
  void RunUnits() {
    double left = options_.units * (Refits() ? 1 - kRefitting : 1);
    while (!Stopped() && trials_->size() < kMostTrials) {
      const std::optional<Candidate> candidate = strategy_->Next(observations_);
      if (!candidate) return;
      const double units = FoldUnits(*candidate);
      if (units > left) {
        if (++unaffordable_ > kMostUnaffordable) return;
        observations_.push_back({*candidate, kMissing, 0});
        continue;
      }
      const size_t trial = trials_->Add(*candidate);
      left -= units * static_cast<double>(RunFolds(trial, 0, 1));
      size_t affordable = 1;
      while (affordable < folds_.size() && units * static_cast<double>(affordable) <= left) ++affordable;
      if (!(*trials_)[trial].hopeless && (*trials_)[trial].status == TrialStatus::kOk)
        left -= units * static_cast<double>(RunFolds(trial, 1, affordable));
      if (trials_->size() > kMostKept) trials_->Forget(kMostKept);
      Observe(trial, units * kSecondsPerUnit);
      if (options_.progress) options_.progress(1 - left / options_.units, trials_->size());
    }
  }

  // Returns how many were run.
  size_t RunFolds(size_t trial, size_t first, size_t end) {
    for (size_t fold = first; (fold < end || pool_->busy() > 0) && !Stopped();) {
      for (; fold < end && pool_->idle() > 0; ++fold) StartPiece(trial, fold, 0);
      for (PieceResult& result : pool_->Wait(kLookEvery)) Take(std::move(result));
      LookAtMemory();
    }
    return end > first ? end - first : 0;
  }

  double FoldUnits(const Candidate& candidate) const {
    // A piece also takes messages between two processes, however small it is.
    constexpr double kLeast = 0.2;
    return std::max(kLeast, TrainingUnits(candidate, *data_, folds_));
  }

  void StartPiece(size_t trial, size_t fold, double seconds) {
    const Candidate& candidate = (*trials_)[trial].candidate;
    StartRequest({.number = trial * folds_.size() + fold,
                  .learner = candidate.learner,
                  .parameters = ToText(candidate.parameters.ToJson()),
                  .fold = static_cast<uint32_t>(fold),
                  .seed = FitSeed(options_.seed, fold),
                  .seconds = seconds});
    (*trials_)[trial].running[fold] = true;
  }

  // Where the system gives no process, the search ends with what it has.
  void StartRequest(const PieceRequest& request) {
    try {
      pool_->Start(request);
    } catch (const Error& error) {
      no_worker_ = true;
      if (request.number >= kCurve) return;
      PieceResult failed;
      failed.number = request.number;
      failed.status = TrialStatus::kFailed;
      failed.reason = error.message();
      Take(std::move(failed));
    }
  }

  // Points of the learning curve of the best trial by now, where they cost little.
  void StartCurve() {
    constexpr double kMostOfTheTime = 0.05;
    const std::vector<size_t> ranked = trials_->Ranked();
    curve_started_ = true;
    if (ranked.empty()) return;
    const Trial& best = (*trials_)[ranked.front()];
    if (best.pieces[0]->fit_seconds > kMostOfTheTime * (End() - begin_)) return;
    const size_t rows = folds_.front().train.size();
    for (const size_t count : {rows / 4, rows / 2}) {
      curve_.push_back({count, kMissing});
      curve_requests_.push_back({.number = kCurve + curve_.size() - 1,
                                 .learner = best.candidate.learner,
                                 .parameters = ToText(best.candidate.parameters.ToJson()),
                                 .seed = FitSeed(options_.seed, 0),
                                 .train_rows = count});
    }
    curve_.push_back({rows, best.pieces[0]->value});
  }

  void Take(PieceResult result) {
    if (result.number >= kCurve) {
      curve_[result.number - kCurve].value = result.value;
      return;
    }
    const size_t trial = result.number / folds_.size();
    spent_seconds_ += result.fit_seconds;
    trials_->Take(trial, std::move(result));
    const Trial& taken = (*trials_)[trial];
    if (options_.units == 0 && !IsCheapAndUndecided(trial)) Observe(trial, taken.done() > 0 ? taken.pieces[0]->seconds() : 0);
    // In units, only between trials: what is the best must not depend on which fold ended first.
    if (options_.units == 0 && trials_->size() > kMostKept) trials_->Forget(kMostKept);
  }

  // Tells the strategy, once. Losses of different folds are compared by what the first trial with a result lost on them.
  void Observe(size_t trial, double seconds) {
    if (!observed_.insert(trial).second) return;
    const size_t done = (*trials_)[trial].done();
    if (!reference_ && done > 0) reference_ = trial;
    const size_t folds = reference_ ? std::min(done, (*trials_)[*reference_].done()) : 0;
    const bool known = folds > 0 && (*trials_)[trial].status == TrialStatus::kOk;
    observations_.push_back(
        {(*trials_)[trial].candidate, known ? trials_->Loss(trial, folds) - trials_->Loss(*reference_, folds) : kMissing, seconds});
  }

  // Starts the piece that is worth most now; false where there is none.
  bool StartNext() {
    const double left = End() - Now();
    const double share = options_.earlier.empty() ? kExploring : kExploringFurther;
    const bool exploring = Now() < begin_ + share * (End() - begin_);
    if (!exploring && !curve_started_) StartCurve();
    if (!curve_requests_.empty()) {
      StartRequest(curve_requests_.back());
      curve_requests_.pop_back();
      return true;
    }
    if (const auto piece = CheapFold()) return Begin(piece->first, piece->second, left);
    if (!exploring) {
      if (const auto piece = LackingFold(left)) return Begin(piece->first, piece->second, left);
    }
    if (trials_->size() >= kMostTrials) return false;
    const std::optional<Candidate> candidate = strategy_->Next(observations_);
    if (!candidate) {
      const auto piece = LackingFold(left);
      return piece && Begin(piece->first, piece->second, left);
    }
    return Begin(trials_->Add(*candidate), 0, left);
  }

  bool Begin(size_t trial, size_t fold, double left) {
    // A fit that was cut learns on where it is wanted: its other folds may take all the time that is left.
    const bool was_cut = fold > 0 && (*trials_)[trial].pieces[0]->cut;
    const double longest = was_cut ? left : std::max(0.5, (Refits() ? kLongestRefitted : kLongestPiece) * (End() - begin_));
    const double limit = std::min(left * 0.93, longest);
    StartPiece(trial, fold, std::max(0.05, limit));
    return true;
  }

  using TrialFold = std::pair<size_t, size_t>;

  std::optional<size_t> NextFold(size_t number) const {
    const Trial& trial = (*trials_)[number];
    if (trial.hopeless || trial.status != TrialStatus::kOk) return std::nullopt;
    for (size_t k = 0; k < folds_.size(); ++k)
      if (!trial.pieces[k] && !trial.running[k]) return k;
    return std::nullopt;
  }

  // Whether a trial is to be raced to its end before others are begun: it is not hopeless, and its folds cost little.
  bool IsCheapAndUndecided(size_t number) const {
    const Trial& trial = (*trials_)[number];
    if (trial.done() == 0 || trial.done() == folds_.size() || trial.hopeless || trial.status != TrialStatus::kOk) return false;
    const PieceResult& first = *trial.pieces[0];
    const double whole = first.seconds() * static_cast<double>(folds_.size());
    const double cheap = trials_->Gap(number) <= kGoodGap ? kCheapGoodTrial : kCheapTrial;
    return whole < cheap * (End() - begin_) * Workers();
  }

  std::optional<TrialFold> CheapFold() const {
    for (size_t i = 0; i < trials_->size(); ++i)
      if (IsCheapAndUndecided(i))
        if (const auto fold = NextFold(i)) return TrialFold(i, *fold);
    return std::nullopt;
  }

  double Workers() const { return pool_->idle() + pool_->busy(); }

  // Of the best trials by what the ensemble wants: a fold that there is time for.
  std::optional<TrialFold> LackingFold(double left) {
    // Shares of the time that go into looking who the members would be: of all, and once.
    constexpr double kChoosing = 0.05, kLongestChoice = 0.05;
    if (Now() >= choose_again_) {
      const Stopwatch watch;
      wanted_ =
          WantedTrials(*data_, folds_, options_.metric, *trials_, FinalOptions(std::min(End(), Now() + kLongestChoice * options_.seconds)));
      refit_seconds_ = RefitSeconds(wanted_, *trials_, *data_, folds_, Workers());
      choice_seconds_ = std::max(choice_seconds_, watch.Seconds());
      choose_again_ = Now() + watch.Seconds() / kChoosing;
    }
    for (size_t k = 0; k < folds_.size(); ++k) {
      for (const size_t i : wanted_) {
        const auto fold = NextFold(i);
        if (!fold || *fold != k) continue;
        const PieceResult& first = *(*trials_)[i].pieces[0];
        // With less time than the first fold had, one that is cut would be worse than what was measured.
        if (first.seconds() < left * 0.9) return TrialFold(i, k);
      }
    }
    return std::nullopt;
  }

  void LookAtMemory() { peak_memory_ = std::max(peak_memory_, pool_->MemoryBytes()); }

  // `deadline`: on the watch; a search in units that was not interrupted has none.
  FinalModelOptions FinalOptions(double deadline) const {
    FinalModelOptions final{.seed = options_.seed, .max_latency = options_.max_latency};
    if (options_.units == 0 || Stopped()) final.stop = [this, deadline] { return Now() > deadline; };
    // Members of a task in order of time come from other rows than those that they were measured on.
    // The top of a stack may weigh a member negatively, which turns its order around.
    if (options_.time_ordered) final.most_models = 1;
    else if (options_.monotone.empty())
      final.stacking_units = kStacking * (options_.units > 0 ? options_.units : options_.seconds / kSecondsPerUnit);
    return final;
  }

  static constexpr uint64_t kCurve = uint64_t{1} << 32;  // requests from this number on are points of the learning curve
  static constexpr size_t kMostTrials = 5'000;
  static constexpr int kMostUnaffordable = 50;
  static constexpr int kMostWorkersACore = 2;  // more only take time from each other, and memory

  const BudgetedSearchOptions& options_;
  const Metric& metric_;
  const std::vector<Fold>& folds_;
  MemoryFile block_;
  const Dataset* data_ = nullptr;
  DataDescription description_;
  std::vector<double> constant_losses_;
  std::shared_ptr<const Model> constant_;
  std::unique_ptr<Trials> trials_;
  std::unique_ptr<Strategy> strategy_;
  std::unique_ptr<WorkerPool> pool_;
  std::vector<Observation> observations_;
  std::set<size_t> observed_;        // trials
  std::optional<size_t> reference_;  // the trial that others are compared with
  std::vector<size_t> wanted_;
  double choose_again_ = 0, choice_seconds_ = 0;
  bool curve_started_ = false, no_worker_ = false;
  std::vector<LearningCurvePoint> curve_;
  std::vector<PieceRequest> curve_requests_;
  int unaffordable_ = 0;
  double begin_ = 0;
  double refit_seconds_ = std::numeric_limits<double>::infinity();  // until the members are known
  double spent_seconds_ = 0;
  uint64_t peak_memory_ = 0;
};

}  // namespace

BudgetedSearchResult RunBudgetedSearch(std::unique_ptr<Dataset>* data, const std::vector<Fold>& folds,
                                       const BudgetedSearchOptions& options) {
  return BudgetedSearch(data, folds, options).Run();
}

}  // namespace everlearn
