// Fuzz entry: no bytes may crash the reader of model files, nor the prediction of a model that it accepts.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/calibrated.h"
#include "model/constant.h"
#include "model/ensemble.h"
#include "model/linear.h"
#include "model/linear_trees.h"
#include "model/model_file.h"
#include "model/stack.h"
#include "model/stream_trees.h"
#include "model/trees.h"

namespace {

using namespace everlearn;

ModelFile Frame() {
  Table table;
  table.rows = 2;
  Column age;
  age.name = "age";
  age.type = ColumnType::kNumber;
  age.numbers = {1.5, 2.5};
  Column town;
  town.name = "town";
  town.type = ColumnType::kCategory;
  town.codes = {0, 1};
  town.dictionary = {"Bern", "Chur"};
  table.columns = {age, town};
  ModelFile file;
  for (const Column& column : table.columns) {
    ColumnSchema schema;
    schema.name = column.name;
    schema.type = column.type;
    schema.kind = ColumnTypeName(column.type);
    file.schema.columns.push_back(std::move(schema));
  }
  file.task.target = "y";
  file.task.kind = TaskKind::kBinary;
  file.task.metric = "log_loss";
  file.task.labels = {"no", "yes"};
  file.space = FeatureSpace::Build(table, file.schema, file.task, true);
  return file;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  ModelFile constant = Frame(), linear = Frame(), trees = Frame(), ensemble = Frame();
  constant.model = MakeConstantModel(2, {0.25, 0.75});
  const std::vector<double> zeros(2, 0.0), ones(2, 1.0);
  LinearParameters l{MakeLinearColumns({false, true}, {0, 2}, zeros, ones), 2, Link::kSigmoid, {0.1}, {}};
  l.weights.assign(l.columns.columns(), 0.125);
  linear.model = MakeLinearModel(l);
  TreesParameters t;
  t.features = 2;
  t.outputs = 2;
  t.link = Link::kSigmoid;
  t.category_offsets = {0, 1};
  t.category_words = {1};
  t.leaves = {3};
  t.left = {1, ~0};
  t.right = {~1, ~2};
  t.feature = {0, 1};
  t.threshold = {2.0, 0};
  t.flags = {kSplitMissingNan | kSplitDefaultLeft, kSplitCategories};
  t.leaf_values = {0.1, -0.2, 0.3};
  trees.model = MakeTrees(t);
  ModelFile linear_trees = Frame();
  linear_trees.model = MakeLinearTrees(t, {.ranges = {{0, 0}, {4, 0}},
                                           .constants = {0.1, 0.2, 0.3},
                                           .offsets = {0, 1, 1, 2},
                                           .term_features = {0, 0},
                                           .coefficients = {0.5, -0.5}});
  ensemble.model = MakeEnsemble({{MakeBag({constant.model, linear.model}), 0.75}, {trees.model, 0.25}});
  ModelFile calibrated = Frame(), stack = Frame();
  calibrated.model = MakeCalibrated(
      trees.model, {.method = Calibration::Method::kIsotonic, .classes = 2, .begin = {0, 2}, .x = {0.25, 0.5}, .y = {0.25, 0.75}});
  calibrated.task.decision = {1, 5};
  calibrated.intervals = Intervals({2, {}, {0, 3}, {0.25, 0.5, 0.75}, 0.9});
  LinearParameters top{MakeLinearColumns({false, false}, {0, 0}, zeros, ones), 2, Link::kSigmoid, {0.1}, std::vector<double>(4, 0.125)};
  stack.model = MakeStack({constant.model, linear.model}, MakeLinearModel(top));
  ModelFile stream = Frame();
  StreamTreesParameters grown;
  grown.classes = 2;
  grown.scale = {{0, 1}, {1, 0}, {2, 1}, {}};
  StreamTree tree;
  tree.nodes = {{2, 0, StreamNode::kMissingLeft, 1, 2}, {0, kNoSplit, 0, 0, 0}, {0, kNoSplit, 0, 1, 0}};
  tree.class_leaves.resize(2);
  tree.class_leaves[0] = {{30, 10}, true, {0}, {1}, {0, 1}, {30, 0, 30, 10, 1, 10}, {{2, {30, 20, 10, 10, 1, 9}}}};
  tree.class_leaves[1].weights = {0, 3};
  grown.trees = {tree};
  stream.model = MakeStreamTrees(grown);
  return {stream.Bytes(), calibrated.Bytes(), stack.Bytes(),        constant.Bytes(),
          linear.Bytes(), trees.Bytes(),      linear_trees.Bytes(), ensemble.Bytes()};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    // The checksum is made right, where there is one: damage is to reach what lies behind it.
    const std::string key = "\"checksum\": \"";
    constexpr size_t kDigits = 16;
    const size_t at = bytes.find(key);
    if (at != std::string::npos && at + key.size() + kDigits <= bytes.size())
      bytes.replace(at + key.size(), kDigits, ArrayFile::Parse(bytes, "input")->Checksum());
    const ModelFile file = ModelFile::Parse(std::move(bytes), "input");
    const std::vector<double> row(file.model->features(), kMissing);
    std::vector<double> out(file.model->outputs());
    file.model->PredictRow(row.data(), out.data());
    if (file.intervals) file.intervals.LeastProbability(file.intervals.coverage());
  } catch (const Error&) {
  }
  return 0;
}
