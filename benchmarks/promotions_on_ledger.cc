// How often the loop promotes where there is nothing to promote, on real differences: A/A by exchanging two members' predictions.
//
// Reads a ledger (the demo's flights.db), takes two members, and exchanges their predictions in randomly chosen blocks of rows, so that
// neither is better on the average while errors stay bunched as they are. The same Evidence as the loop's runs over it; the share of runs
// with a promotion is printed for several lengths of the blocks, beside the real order.
//
//   build/release/benchmarks/promotions_on_ledger build/demo/flights.db online_linear gradient_boosting [RUNS]
#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <deque>

#include "base/parallel.h"
#include "base/random.h"
#include "loop/records.h"

namespace everlearn {
namespace {

struct Comparison {
  std::vector<PendingRow> rows;  // in the order in which tests saw them: members 1 (champion) and 2
  LoopOptions options;
};

uint32_t MemberNamed(const LoopState& state, const std::string& name) {
  for (const Member& member : state.roster.members)
    if (member.name == name) return member.id;
  throw Error(ErrorKind::kNotFound, "the ledger has no member " + name);
}

// The rows in the order of prediction, as outcomes arrive or windows close.
Comparison ReadRows(const Ledger& ledger, const std::string& champion, const std::string& challenger) {
  Comparison comparison;
  comparison.options = OptionsOf(ledger);
  const LoopOptions& options = comparison.options;
  const auto state = StateOf(ledger);
  const uint32_t first = MemberNamed(*state, champion), second = MemberNamed(*state, challenger);
  const size_t outputs = options.outputs();
  std::deque<PendingRow> queue;
  uint64_t head = 0;
  Event event;
  ledger.ReadEvents(1, ledger.last_event(), [&](uint64_t, std::string_view bytes) {
    DecodeEvent(bytes, outputs, options.classes > 0, &event);
    if (event.kind == EventKind::kModel) return true;
    if (event.kind == EventKind::kOutcome) {
      if (event.row >= head && event.row - head < queue.size()) queue[event.row - head].truth = event.truth;
    } else {
      PendingRow row;
      row.row = event.row;
      row.time = event.time;
      row.truth = kMissing;
      row.informed = comparison.rows.size();
      row.members = event.members;
      row.predictions = event.predictions;
      queue.push_back(row);
    }
    while (!queue.empty() && (queue.front().known() || event.time - queue.front().time > options.window_time)) {
      PendingRow& row = queue.front();
      const double* a = row.Of(first, outputs);
      const double* b = row.Of(second, outputs);
      if (row.known() && a != nullptr && b != nullptr) {
        std::vector<double> both(a, a + outputs);
        both.insert(both.end(), b, b + outputs);
        row.predictions = both;
        row.members = {1, 2};
        comparison.rows.push_back(row);
      }
      queue.pop_front();
      ++head;
    }
    return true;
  });
  return comparison;
}

Roster TwoMembers() {
  Roster roster;
  for (uint32_t id : {1u, 2u}) {
    Lineage lineage;
    lineage.id = lineage.newest = id;
    roster.lineages.push_back(lineage);
    Member& member = roster.members.emplace_back();
    member.id = member.lineage = id;
  }
  roster.champion = 1;
  return roster;
}

// Rows until the promotion, or 0. `hours` 0: the real order, no exchange.
size_t RowsUntilPromotion(const Comparison& comparison, double hours, uint64_t seed) {
  const Roster roster = TwoMembers();
  const size_t outputs = comparison.options.outputs();
  Evidence evidence(comparison.options.metric, comparison.options.classes, comparison.options.evidence);
  evidence.OnChampion(roster, 0);
  PendingRow row;
  for (size_t i = 0; i < comparison.rows.size(); ++i) {
    row = comparison.rows[i];
    if (hours > 0) {
      const auto block = static_cast<uint64_t>(static_cast<double>(row.time) / (hours * 3.6e9));
      if (MixBits(MixBits(seed) ^ block) & 1)
        std::swap_ranges(row.predictions.begin(), row.predictions.begin() + static_cast<std::ptrdiff_t>(outputs),
                         row.predictions.begin() + static_cast<std::ptrdiff_t>(outputs));
    }
    const auto decision = evidence.Consume(row, row.truth, roster, row.row + 1);
    if (decision && decision->kind == "promoted") return i + 1;
  }
  return 0;
}

void Print(const Comparison& comparison, size_t runs) {
  const size_t real = RowsUntilPromotion(comparison, 0, 0);
  fmt::print("rows compared: {}; in their real order {}\n\n", comparison.rows.size(),
             real > 0 ? fmt::format("promoted after {} rows", real) : std::string("not promoted"));
  fmt::print("{:>22}  {:>5}  {:>14}\n", "exchanged in blocks of", "runs", "promoted");
  for (const double hours : {0.1, 1.0, 6.0, 24.0, 72.0, 168.0}) {
    std::atomic<size_t> promoted = 0;
    ParallelFor(runs, 0, [&](size_t run) { promoted += RowsUntilPromotion(comparison, hours, run + 1) > 0 ? 1 : 0; });
    fmt::print("{:>20} h  {:>5}  {:>12.1f} %\n", hours, runs, 100.0 * static_cast<double>(promoted) / static_cast<double>(runs));
  }
}

int Main(int count, char** arguments) {
  if (count < 4) {
    fmt::print(stderr, "usage: promotions_on_ledger LEDGER CHAMPION CHALLENGER [RUNS]\n");
    return 2;
  }
  try {
    const auto ledger = OpenLedger(arguments[1], {.read_only = true});
    Print(ReadRows(*ledger, arguments[2], arguments[3]), count > 4 ? std::strtoul(arguments[4], nullptr, 10) : 100);
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.message());
    return 1;
  }
}

}  // namespace
}  // namespace everlearn

int main(int count, char** arguments) { return everlearn::Main(count, arguments); }
