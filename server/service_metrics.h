// The figures of a service in the Prometheus text format (interface.md, Prometheus names).
//
// Any thread. A prediction costs one lock and one look-up, a fraction of a microsecond.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace everlearn {

class ServiceMetrics {
 public:
  explicit ServiceMetrics(std::string version = "") : version_(std::move(version)) {}

  void AddTask(const std::string& task);  // its counters are there from the start
  void AddPredictions(const std::string& task, uint64_t rows, double seconds);
  void AddSourcePredictions(const std::string& task, uint64_t rows);  // that nobody waited for
  void AddOutcomes(const std::string& task, const std::string& status, uint64_t count);
  void AddEvent(const std::string& task, const std::string& kind);
  void AddWorkerRestart();
  void SetQueueRows(uint64_t rows);
  void SetLoss(const std::string& task, const std::string& model, double loss);
  void SetEstimatedLoss(const std::string& task, double loss);
  void SetDrift(const std::string& task, const std::string& column, double drift);
  void SetModels(const std::string& task, const std::vector<std::pair<std::string, std::string>>& model_and_role);  // replaces

  std::string Render() const;

 private:
  // Upper ends of the histogram's buckets, in seconds.
  static constexpr std::array<double, 16> kBuckets = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                      0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
  using Pair = std::pair<std::string, std::string>;

  std::string version_;
  mutable std::mutex lock_;
  std::map<std::string, uint64_t> predictions_;
  std::map<Pair, uint64_t> outcomes_, events_;
  std::map<Pair, double> losses_, drifts_;
  std::map<std::string, double> estimated_;
  std::map<std::string, std::vector<Pair>> models_;
  std::array<uint64_t, kBuckets.size()> bucket_ = {};
  uint64_t requests_ = 0, restarts_ = 0, queue_rows_ = 0;
  double seconds_ = 0;
};

}  // namespace everlearn
