// Tests of the model file: equal after a round trip, refused with the reason otherwise, and never a crash on changed bytes.
#include "model/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "model/calibrated.h"
#include "model/constant.h"
#include "model/ensemble.h"
#include "model/hashed_linear.h"
#include "model/linear.h"
#include "model/stack.h"
#include "model/trees.h"

namespace everlearn {
namespace {

using testing::HasSubstr;

constexpr size_t kClasses = 3;

// A table of a number, a category and a timestamp, for a task of three classes.
ModelFile Frame() {
  Table table;
  table.rows = 3;
  for (const char* name : {"age", "when"}) {
    Column column;
    column.name = name;
    column.type = name == std::string("age") ? ColumnType::kNumber : ColumnType::kTimestamp;
    column.numbers = {1.5e15, 2.25e15, kMissing};
    table.columns.push_back(std::move(column));
  }
  Column town;
  town.name = "town";
  town.type = ColumnType::kCategory;
  town.codes = {0, 1, 2};
  town.dictionary = {"Bern", "Genève", "Chur"};
  table.columns.push_back(std::move(town));

  ModelFile file;
  for (const Column& column : table.columns) {
    ColumnSchema schema;
    schema.name = column.name;
    schema.type = column.type;
    schema.kind = ColumnTypeName(column.type);
    file.schema.columns.push_back(std::move(schema));
  }
  file.task.target = "label";
  file.task.kind = TaskKind::kMulticlass;
  file.task.metric = "log_loss";
  file.task.labels = {"a", "b", "c"};
  file.space = FeatureSpace::Build(table, file.schema, file.task, true);
  file.notes = JsonObject{{"rows", 3}};
  return file;
}

TreesParameters SomeTrees(size_t features) {
  TreesParameters p;
  p.features = features;
  p.outputs = kClasses;
  p.link = Link::kSoftmax;
  p.category_offsets = {0, 1};
  p.category_words = {5};
  for (size_t t = 0; t < kClasses * 2; ++t) {
    p.leaves.push_back(3);
    p.left.insert(p.left.end(), {1, ~0});
    p.right.insert(p.right.end(), {~1, ~2});
    p.feature.insert(p.feature.end(), {0, static_cast<uint32_t>(features - 1)});
    p.threshold.insert(p.threshold.end(), {1e15, 0});
    p.flags.insert(p.flags.end(), {kSplitMissingNan | kSplitDefaultLeft, kSplitCategories});
    p.leaf_values.insert(p.leaf_values.end(), {0.1, -0.2, 0.3});
  }
  return p;
}

std::vector<ModelFile> Samples() {
  std::vector<ModelFile> files(6, Frame());
  const FeatureSpace& space = files[0].space;
  const size_t features = space.size();
  std::vector<bool> is_category;
  std::vector<size_t> sizes;
  for (const Feature& feature : space.features()) {
    is_category.push_back(feature.is_category());
    sizes.push_back(feature.dictionary.size());
  }
  const std::vector<double> zeros(features, 0.0), ones(features, 1.0);
  files[0].model = MakeConstantModel(features, {0.2, 0.3, 0.5});
  files[0].state = "state of an online learner";

  LinearParameters linear{MakeLinearColumns(is_category, sizes, zeros, ones), kClasses, Link::kSoftmax, {0.1, 0.2, 0.3}, {}};
  linear.weights.assign(linear.columns.columns() * kClasses, 0.125);
  files[1].model = MakeLinearModel(linear);

  HashedLinearParameters hashed;
  hashed.features = {{is_category.begin(), is_category.end()}, zeros, ones, 10, 100};
  hashed.outputs = kClasses;
  hashed.link = Link::kSoftmax;
  hashed.bias = {0.1, 0.2, 0.3};
  for (uint32_t index = 0; index < 1024; index += 3) hashed.indices.push_back(index);
  hashed.weights.assign(hashed.indices.size() * kClasses, -0.5);
  files[2].model = MakeHashedLinearModel(hashed);

  files[3].model = MakeTrees(SomeTrees(features));

  // Models of models, with a decision and sets of labels.
  const auto bag = MakeEnsemble({{MakeBag({files[0].model, files[1].model}), 0.75}, {files[3].model, 0.25}});
  files[4].model = MakeCalibrated(bag, {.method = Calibration::Method::kIsotonic,
                                        .classes = kClasses,
                                        .begin = {0, 2, 3, 4},
                                        .x = {0.25, 0.5, 0.5, 0.5},
                                        .y = {0.25, 0.75, 0.5, 0.5}});
  files[4].task.decision = {1, 2, 0.5};
  files[4].intervals = Intervals({kClasses, {}, {0, 3}, {0.25, 0.5, 0.75}, 0.9});
  const std::vector<bool> numbers(2 * kClasses, false);
  LinearParameters top{MakeLinearColumns(numbers, std::vector<size_t>(2 * kClasses), std::vector<double>(2 * kClasses, 0.0),
                                         std::vector<double>(2 * kClasses, 1.0)),
                       kClasses,
                       Link::kSoftmax,
                       {0.1, 0.2, 0.3},
                       {}};
  top.weights.assign(top.columns.columns() * kClasses, 0.125);
  files[5].model = MakeStack({files[0].model, files[3].model}, MakeLinearModel(top));
  return files;
}

std::vector<double> PredictionsOf(const Model& model, size_t rows) {
  Random random(1);
  std::vector<double> values, out(rows * model.outputs());
  for (size_t i = 0; i < rows * model.features(); ++i) values.push_back(random.Uniform() < 0.2 ? kMissing : random.Normal() * 4);
  model.Predict({values.data(), rows, model.features()}, out.data());
  return out;
}

std::string Refusal(const std::string& bytes) {
  try {
    ModelFile::Parse(bytes, "m.safetensors");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDamaged);
    return error.message();
  }
  return "accepted";
}

// The same file with another manifest and a checksum that is right.
std::string WithManifest(const std::string& bytes, const std::string& from, const std::string& to) {
  const auto file = ArrayFile::Parse(bytes, "m");
  std::string manifest = file->Text("everlearn");
  const size_t at = manifest.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  manifest.replace(at, from.size(), to);
  ArrayFileWriter writer;
  writer.SetText("everlearn", manifest);
  for (const auto& [name, entry] : file->arrays()) {
    if (entry.type == ArrayType::kF64) writer.Add(name, file->Get<double>(name), entry.shape);
    if (entry.type == ArrayType::kU64) writer.Add(name, file->Get<uint64_t>(name), entry.shape);
    if (entry.type == ArrayType::kU32) writer.Add(name, file->Get<uint32_t>(name), entry.shape);
    if (entry.type == ArrayType::kI32) writer.Add(name, file->Get<int32_t>(name), entry.shape);
    if (entry.type == ArrayType::kU8) writer.Add(name, file->Get<uint8_t>(name), entry.shape);
  }
  return writer.Bytes();
}

TEST(ModelFile, ReadsWhatItWrote) {
  for (const ModelFile& written : Samples()) {
    const std::string bytes = written.Bytes();
    const ModelFile read = ModelFile::Parse(bytes, "m");
    EXPECT_EQ(read.model->kind(), written.model->kind());
    EXPECT_EQ(PredictionsOf(*read.model, 40), PredictionsOf(*written.model, 40));
    EXPECT_EQ(read.task.labels, written.task.labels);
    EXPECT_EQ(read.task.decision, written.task.decision);
    ASSERT_EQ(static_cast<bool>(read.intervals), static_cast<bool>(written.intervals));
    if (read.intervals) {
      EXPECT_EQ(read.intervals.LeastProbability(0.75), written.intervals.LeastProbability(0.75));
    }
    EXPECT_EQ(read.schema.columns.size(), written.schema.columns.size());
    EXPECT_EQ(read.space.features().back().dictionary, written.space.features().back().dictionary);
    EXPECT_EQ(ToText(read.notes), ToText(written.notes));
    EXPECT_EQ(read.state, written.state);
    EXPECT_EQ(read.bytes_hash, HashText(HashBytes(bytes)));
    EXPECT_EQ(read.Bytes(), bytes);
  }
}

TEST(ModelFile, SaysWhyItRefuses) {
  const std::string bytes = Samples()[1].Bytes();
  EXPECT_EQ(Refusal(bytes), "accepted");
  EXPECT_EQ(Refusal(bytes.substr(0, bytes.size() / 2)), "m.safetensors is truncated");
  EXPECT_EQ(Refusal(""), "m.safetensors is truncated");
  EXPECT_EQ(Refusal("age,town\n1,Bern\n"), "m.safetensors is not a model file");
  ArrayFileWriter other;
  EXPECT_EQ(Refusal(other.Bytes()), "m.safetensors is not a model file");
  std::string damaged = bytes;
  damaged.back() ^= 1;
  EXPECT_EQ(Refusal(damaged), "m.safetensors is damaged: the checksum does not match");
  EXPECT_EQ(Refusal(WithManifest(bytes, "\"format_version\": 2", "\"format_version\": 3")),
            "m.safetensors was written by a newer version of Everlearn (format 3; this one reads 2)");
  EXPECT_THAT(Refusal(WithManifest(bytes, "\"format_version\": 2", "\"format_version\": 0")), HasSubstr("format version"));
  const std::string decided = Samples()[4].Bytes();
  EXPECT_THAT(Refusal(WithManifest(decided, "\"coverage\": 0.9", "\"coverage\": 9")), HasSubstr("coverage"));
  EXPECT_THAT(Refusal(WithManifest(decided, "\"isotonic\"", "\"magic\"")), HasSubstr("calibration"));
  EXPECT_THAT(Refusal(WithManifest(bytes, "\"linear\"", "\"magic\"")), HasSubstr("model kind"));
  EXPECT_THAT(Refusal(WithManifest(bytes, "\"linear\"", "\"trees\"")), HasSubstr("is damaged"));
  EXPECT_THAT(Refusal(WithManifest(bytes, "\"softmax\"", "\"sigmoid\"")), HasSubstr("sigmoid"));
  EXPECT_THAT(Refusal(WithManifest(bytes, "\"column\": \"age\"", "\"column\": \"agf\"")), HasSubstr("not in its schema"));
  EXPECT_THAT(Refusal(WithManifest(bytes, "\"part\": \"value\"", "\"part\": \"category\"")), HasSubstr("is damaged"));
}

// Bytes of a file whose checksum was made right again after a change, where it still parses so far.
std::string WithChecksum(std::string bytes) {
  try {
    const std::string digits = "\"checksum\": \"";
    const size_t at = bytes.find(digits) + digits.size();
    const auto file = ArrayFile::Parse(bytes, "m");
    bytes.replace(at, 16, file->Checksum());
  } catch (const Error&) {
  }
  return bytes;
}

TEST(ModelFile, SurvivesChangedBytes) {
  std::vector<std::string> originals;
  for (const ModelFile& sample : Samples()) originals.push_back(sample.Bytes());
  Random random(7);
  size_t accepted = 0, past_checksum = 0;
  for (int i = 0; i < 24'000; ++i) {
    std::string bytes = originals[static_cast<size_t>(i) % originals.size()];
    uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof header);
    const uint64_t changes = 1 + random.Below(3);
    for (uint64_t change = 0; change < changes; ++change) {
      // Half of the changes fall into the arrays, where they leave a file that can be parsed.
      const bool in_arrays = random.Below(2) == 0;
      const size_t begin = in_arrays ? 8 + header : 0, end = in_arrays ? bytes.size() : 8 + header;
      const size_t at = begin + random.Below(end - begin);
      const uint64_t how = random.Below(4);
      if (how == 0) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.Below(8)));
      if (how == 1) bytes[at] = static_cast<char>(random.Next());
      if (how == 2) bytes[at] = "0123456789[]{}\",:-e"[random.Below(19)];
      if (how == 3) std::memset(bytes.data() + at, static_cast<int>(random.Below(2) * 255), std::min<size_t>(8, bytes.size() - at));
    }
    if (random.Below(10) == 0) bytes.resize(random.Below(bytes.size()));
    if (i % 4 != 0) bytes = WithChecksum(std::move(bytes));
    try {
      const ModelFile file = ModelFile::Parse(bytes, "m");
      PredictionsOf(*file.model, 20);
      ++accepted;
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::kDamaged) << error.message();
      ASSERT_THAT(error.message(), testing::StartsWith("m "));
      past_checksum += error.message().find("is damaged: ") != std::string::npos && error.message().find("checksum") == std::string::npos;
    }
  }
  EXPECT_GT(accepted, 1000u);  // so deep do the changes reach
  EXPECT_GT(past_checksum, 3000u);
}

}  // namespace
}  // namespace everlearn
