#include "loop/monitor.h"

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

constexpr size_t kMostAlarms = 10;  // of columns at once; the whole table's says how many there are

}  // namespace

Monitor::Monitor(const std::string& metric, size_t classes, const std::vector<bool>& is_category, std::vector<std::string> columns)
    : features_(is_category.size()), columns_(std::move(columns)), estimate_(metric, classes, is_category), drift_(is_category) {}

std::vector<JsonObject> Monitor::OnRow(PendingRow* row, uint32_t champion) {
  estimate_.OnRow(row);
  if (row->features.size() < features_) return {};
  if (!served_ && !row->history) drift_.EndHistory();
  served_ = served_ || !row->history;
  // A champion that won on what has drifted makes it the normal state.
  const auto& drifts = drift_.columns();
  if (champion != champion_ && champion_ != 0 && std::any_of(drifts.begin(), drifts.end(), [](const ColumnDrift& d) { return d.drifting; }))
    drift_.BeginReference();
  champion_ = champion;
  if (!drift_.AddRow(row->row, row->features.data())) return {};
  std::vector<JsonObject> alarms;
  for (size_t i = 0; i < std::min(drift_.begun().size(), kMostAlarms); ++i) alarms.push_back(ColumnJson(drift_.begun()[i]));
  if (drift_.table_begun()) {
    const auto drifting = std::count_if(drifts.begin(), drifts.end(), [](const ColumnDrift& d) { return d.drifting; });
    alarms.push_back(
        {{"what", "inputs"}, {"column", nullptr}, {"psi", drift_.table().psi}, {"p", drift_.table().p}, {"columns_drifting", drifting}});
  }
  return alarms;
}

void Monitor::OnOutcome(const PendingRow& row, double truth, double loss, uint64_t counted) {
  estimate_.OnOutcome(row, truth, loss, counted);
  if (row.features.size() >= features_) drift_.AddLoss(row.row, row.features.data(), loss);
}

std::string Monitor::ColumnName(size_t column) const { return column < columns_.size() ? columns_[column] : std::to_string(column); }

Json Monitor::EstimatedJson() const {
  const EstimatedLoss e = estimate_.Get();
  return JsonObject{
      {"rows", e.rows},
      {"loss", e.loss},
      {"lower", e.lower},
      {"upper", e.upper},
      {"accuracy", e.accuracy},
      {"recent", JsonObject{{"rows", e.recent_rows}, {"loss", e.recent_loss}}},
      {"realised",
       JsonObject{{"rows", e.matured_rows}, {"loss", e.realised_loss}, {"estimated", e.matured_loss}, {"accuracy", e.realised_accuracy}}},
      {"band",
       JsonObject{{"coverage", EstimatedLoss::kCoverage},
                  {"blocks", e.blocks},
                  {"realised", e.blocks == 0 ? Json(nullptr) : Json(static_cast<double>(e.covered) / static_cast<double>(e.blocks))}}}};
}

JsonObject Monitor::ColumnJson(size_t column) const {
  const ColumnDrift& d = drift_.columns()[column];
  return {{"what", "inputs"},
          {"column", ColumnName(column)},
          {"effect", d.effect},
          {"p", d.p},
          {"ks", d.ks},
          {"chi_squared", d.chi_squared},
          {"wasserstein", d.wasserstein},
          {"jensen_shannon", d.jensen_shannon},
          {"psi", d.psi},
          {"missing", d.missing},
          {"reference_missing", d.reference_missing},
          {"drifting", d.drifting}};
}

JsonArray Monitor::DriftJson(size_t most) const {
  JsonArray columns;
  if (drift_.windows() == 0) return columns;
  const std::vector<size_t> ranked = drift_.Ranked();
  for (size_t i = 0; i < std::min(most, ranked.size()); ++i) columns.push_back(ColumnJson(ranked[i]));
  return columns;
}

std::vector<std::pair<std::string, double>> Monitor::Distances(size_t most) const {
  std::vector<std::pair<std::string, double>> distances;
  if (drift_.windows() == 0) return distances;
  const std::vector<size_t> ranked = drift_.Ranked();
  for (size_t i = 0; i < std::min(most, ranked.size()); ++i)
    distances.emplace_back(ColumnName(ranked[i]), drift_.columns()[ranked[i]].jensen_shannon);
  return distances;
}

void Monitor::Save(ByteWriter* out) const {
  estimate_.Save(out);
  drift_.Save(out);
  out->Put(champion_);
  out->Put(served_);
}

void Monitor::Load(ByteReader* in) {
  estimate_.Load(in);
  drift_.Load(in);
  champion_ = in->Get<uint32_t>();
  served_ = in->Get<bool>();
}

}  // namespace everlearn
