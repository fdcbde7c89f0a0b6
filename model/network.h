// Multilayer perceptrons with members that share their hidden layers (kernels/network.h trains them); the prediction is the members' mean.
//
// Models are immutable; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/model.h"
#include "model/network_inputs.h"

namespace everlearn {

enum class NetworkUnit : uint8_t { kRelu, kSilu };  // max(0, z); z / (1 + exp(-z))

struct NetworkParameters {
  NetworkInputs inputs;
  size_t outputs = 1;
  bool classes = false;  // outputs are probabilities: the members' softmax; else their mean as value
  NetworkUnit unit = NetworkUnit::kRelu;
  size_t members = 1;
  std::vector<uint64_t> widths;  // of hidden layers, at least one
  std::vector<float> tables;     // rows × width of each table
  // Hidden layers one after another, inputs × outputs each, row after row; the first: inputs × (members × width), with the scaling of each
  // member in it.
  std::vector<float> weights;
  std::vector<float> biases;        // the first: members × width
  std::vector<float> head_weights;  // members × (width × outputs)
  std::vector<float> head_biases;   // members × outputs
  // Of a value: mean + scale × output, held inside [low, high].
  double mean = 0, scale = 1, low = 0, high = 0;
};

// Throws kDamaged where sizes or numbers are wrong.
std::shared_ptr<const Model> MakeNetworkModel(NetworkParameters parameters);

}  // namespace everlearn
