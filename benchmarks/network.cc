// Speed of the training kernel of networks: seconds of CPU for one pass over the rows, on one thread. benchmarks/network runs it beside
// PyTorch.
//
//   ninja -C build/release network_benchmark && build/release/benchmarks/network_benchmark --rows 13000 --inputs 16 --width 128 --layers 2
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "base/resources.h"
#include "kernels/network.h"

namespace everlearn {
namespace {

struct Options {
  size_t rows = 13'000, inputs = 16, width = 128, layers = 2, members = 1, batch = 256, passes = 5;
  std::string activation = "relu";
};

// A smooth function of all inputs, learnt by least squares. Prints the CPU seconds of each pass, the first not counted, and the loss.
int Run(const Options& options) {
  Random random(1);
  std::vector<float> fixed(options.rows * options.inputs), targets, weights(options.rows, 1.0f);
  for (float& value : fixed) value = static_cast<float>(random.Normal());
  for (size_t i = 0; i < options.rows; ++i) {
    double sum = 0;
    for (size_t j = 0; j < options.inputs; ++j) sum += std::sin(fixed[i * options.inputs + j] * static_cast<float>(1 + j % 3));
    targets.push_back(static_cast<float>(sum / std::sqrt(static_cast<double>(options.inputs))));
  }
  NetworkShape shape;
  shape.fixed = options.inputs;
  shape.members = options.members;
  shape.widths.assign(options.layers, options.width);
  shape.activation = options.activation == "relu" ? NetworkActivation::kRelu : NetworkActivation::kSilu;
  Network network(shape, 1);
  const NetworkData data{fixed.data(), nullptr, nullptr, targets.data(), weights.data()};
  std::vector<uint32_t> order(options.rows);
  std::iota(order.begin(), order.end(), 0u);
  AdamWStep step;
  step.weight_decay = 0.01f;
  double loss = 0;
  for (size_t pass = 0; pass <= options.passes; ++pass) {
    const double before = ThreadCpuSeconds();
    random.Shuffle(std::span(order));
    loss = 0;
    for (size_t i = 0; i < options.rows; i += options.batch) {
      const auto rows = std::span(order).subspan(i, std::min(options.batch, options.rows - i));
      loss += network.Differentiate(data, rows, {}) * static_cast<double>(rows.size()) / static_cast<double>(options.rows);
      network.Step(step);
      ++step.step;
    }
    if (pass > 0) fmt::print("{:.6f} s of CPU a pass, loss {:.6f}\n", ThreadCpuSeconds() - before, loss);
  }
  return 0;
}

}  // namespace
}  // namespace everlearn

int main(int argc, char** argv) {
  everlearn::Options options;
  CLI::App app("Speed of the training kernel of networks");
  app.add_option("--rows", options.rows, "rows")->check(CLI::PositiveNumber);
  app.add_option("--inputs", options.inputs, "numbers a row")->check(CLI::PositiveNumber);
  app.add_option("--width", options.width, "units of a hidden layer")->check(CLI::PositiveNumber);
  app.add_option("--layers", options.layers, "hidden layers")->check(CLI::PositiveNumber);
  app.add_option("--members", options.members, "members")->check(CLI::PositiveNumber);
  app.add_option("--batch", options.batch, "rows of a step")->check(CLI::PositiveNumber);
  app.add_option("--passes", options.passes, "passes that are measured")->check(CLI::PositiveNumber);
  app.add_option("--activation", options.activation, "of hidden units")->check(CLI::IsMember({"relu", "silu"}));
  CLI11_PARSE(app, argc, argv);
  try {
    return everlearn::Run(options);
  } catch (const everlearn::Error& error) {
    fmt::print(stderr, "network_benchmark: {}\n", error.message());
    return 1;
  }
}
