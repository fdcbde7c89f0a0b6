#pragma once
#include <string>
#include <utility>
#include <vector>
namespace everlearn {
class ServiceMetrics {
 public:
  void AddTask(const std::string&) {}
  void AddPredictions(const std::string&, size_t, double) {}
  void AddOutcomes(const std::string&, const std::string&, size_t) {}
  void SetLoss(const std::string&, const std::string&, double) {}
  void SetModels(const std::string&, const std::vector<std::pair<std::string, std::string>>&) {}
  void AddEvent(const std::string&, const std::string&) {}
  void SetQueueRows(size_t) {}
  void AddWorkerRestart() {}
  std::string Render() const { return ""; }
};
}  // namespace everlearn
