// The model file: one safetensors file with a manifest, without code, safe to load from strangers (design.md, contract 5).
//
// The manifest (metadata "everlearn", JSON) names format version, task, schema, feature space, model kind and parameters; metadata
// "checksum" covers manifest and arrays, so that damage is refused. Immutable after loading.
#pragma once

#include <memory>
#include <string>

#include "base/json.h"
#include "data/schema.h"
#include "data/task.h"
#include "model/feature_space.h"
#include "model/intervals.h"
#include "model/model.h"

namespace everlearn {

struct ModelFile {
  Task task;
  Schema schema;  // of the columns that are features or have a role
  FeatureSpace space;
  std::shared_ptr<const Model> model;
  Json notes;                // score, leaderboard row, training rows, version of the program: for people, not for prediction
  std::string state;         // of an online learner, to go on learning; empty otherwise
  std::string bytes_hash;    // hexadecimal, of the whole file; set by Parse
  Intervals intervals = {};  // none, unless out-of-fold predictions were there to make them from

  std::string Bytes() const;
  void Save(const std::string& path) const;
  // Throws kNotFound, kPermission, kDamaged ("is truncated", "is of a newer version", …).
  static ModelFile Load(const std::string& path);
  static ModelFile Parse(std::string bytes, const std::string& name);
};

}  // namespace everlearn
