// A multilayer perceptron for tables with learned embeddings and an ensemble of members inside one net, trained on one thread in floats.
//
// The ensemble is TabM's small one (Gorishniy, Kotelnikov & Babenko, TabM: advancing tabular deep learning with parameter-efficient
// ensembling, 2024): members share the weights of all hidden layers and differ in a scaling of the inputs, the first bias and the last
// layer. Embeddings of numbers are piecewise linear (Gorishniy, Rubachev & Babenko, On embeddings for numerical features, 2022), those of
// categories one row a level. The first layer of all members is one product: (x ∘ r) W = x (diag(r) W), side by side.
//
// A Network belongs to one thread. What it computes depends on nothing but its arguments (on machines with and without fused multiply-add
// it differs by rounding).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/matrix_product.h"
#include "kernels/network_loops.h"

namespace everlearn {

// Learned rows of numbers, one of which, or a mix of two neighbours, is the embedding of a value.
struct NetworkTable {
  size_t rows = 0, width = 0;
  // Row t is the sum of the parameters of rows 0…t, so that each learns the slope of a piece; the last row, for missing values, stands
  // alone.
  bool cumulative = false;
};

struct NetworkShape {
  std::vector<NetworkTable> tables;  // the inputs are their columns, in order,
  size_t fixed = 0;                  // and after them numbers as given
  size_t members = 1;
  std::vector<size_t> widths;  // of hidden layers, at least one
  size_t outputs = 1;          // classes, or 1
  bool classes = false;        // loss: log-loss of a softmax; else half the squared error
  NetworkActivation activation = NetworkActivation::kRelu;

  size_t embedded() const;  // columns of the tables
  size_t inputs() const { return embedded() + fixed; }
};

// Rows to train on or to predict, owned by someone else; each array row after row.
struct NetworkData {
  const float* fixed = nullptr;         // rows × shape.fixed
  const uint32_t* positions = nullptr;  // rows × tables: the row of the table,
  const float* fractions = nullptr;     // rows × tables: the share of the next one, 0 for none
  const float* targets = nullptr;       // class or value; for training only
  const float* weights = nullptr;       // for training only
};

// Where each group of parameters begins in the flat array; matrices are inputs × outputs, row after row.
struct NetworkLayout {
  explicit NetworkLayout(const NetworkShape& shape);
  std::vector<size_t> tables;
  std::vector<size_t> weights;  // of hidden layers
  size_t head_weights = 0;      // members × (width × outputs)
  size_t undecayed = 0;         // from here on, nothing decays
  size_t scaling = 0;           // members × inputs
  std::vector<size_t> biases;   // of hidden layers; the first: members × width
  size_t head_biases = 0;       // members × outputs
  size_t size = 0;
};

struct NetworkLossOptions {
  float dropout = 0;
  float label_smoothing = 0;  // share of each class's target that goes to all classes equally
};

class Network {
 public:
  // Starts as PyTorch's linear layers do, uniform in ±1/√inputs; embeddings of numbers start as a random multiple of their quantile, in
  // [-√3, √3]; scalings are normal, one draw a table or fixed column and member (1 where there is one member).
  Network(NetworkShape shape, uint64_t seed);

  const NetworkShape& shape() const { return shape_; }
  const NetworkLayout& layout() const { return layout_; }
  std::span<float> parameters() { return parameters_; }
  std::span<const float> gradient() const { return gradient_; }

  // Sets gradient() to that of the loss over these rows, and returns the loss: the weighted sum over rows of the mean over members, divided
  // by the number of rows.
  double Differentiate(const NetworkData& data, std::span<const uint32_t> rows, const NetworkLossOptions& options);
  // Scores without dropout: rows × members × outputs.
  void Predict(const NetworkData& data, std::span<const uint32_t> rows, std::span<float> scores);
  // One step along gradient(); decay is for weights and embeddings, not for biases and scalings.
  void Step(AdamWStep step);

  // What the parameters come to: rows of all tables; the first layer, inputs × (members × width).
  std::vector<float> TableRows() const;
  std::vector<float> FirstLayer() const;

 private:
  void Start(uint64_t seed);
  void Prepare();  // packs the parameters for products
  void SetTableRows(std::vector<float>* rows) const;
  void SetFirstLayer(std::vector<float>* layer) const;
  void Gather(const NetworkData& data, std::span<const uint32_t> rows);
  void Forward(std::span<const uint32_t> rows, const NetworkLossOptions* options);
  double ScoreGradient(const NetworkData& data, std::span<const uint32_t> rows, float label_smoothing, double scale);
  void Backward(const NetworkData& data, std::span<const uint32_t> rows);
  void BackwardTables(const NetworkData& data, std::span<const uint32_t> rows);
  void FinishFirstLayer();
  void FinishTables();
  size_t BlockRows() const;

  NetworkShape shape_;
  NetworkLayout layout_;
  DropoutRandom dropout_random_;
  std::vector<float> parameters_, gradient_, mean_, square_;
  // Of one step: effective tables and first layer, packed matrices.
  std::vector<float> table_rows_, first_layer_, table_gradient_, first_gradient_;
  std::vector<PackedMatrix> forward_, backward_;  // hidden layers; backward_[0]: the embedded columns
  std::vector<PackedMatrix> heads_, heads_back_;  // one a member
  // Of one block of rows.
  std::vector<float> inputs_, scores_, input_gradient_;
  std::vector<std::vector<float>> activations_, slopes_;
  std::vector<float> delta_, next_delta_;
};

}  // namespace everlearn
