// Parameters as data, fitting by name, and the description that `everlearn learners` prints.
#include "learner/learner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace everlearn {
namespace {

using testing::HasSubstr;

std::vector<Parameter> SomeParameters() {
  return {{.name = "rate", .value = 0.1, .low = 0.001, .high = 1, .scale = ParameterScale::kLog, .doc = "step"},
          {.name = "rounds", .type = ParameterType::kInteger, .value = 10, .low = 1, .high = 1000},
          {.name = "fast", .type = ParameterType::kBoolean, .value = 1},
          {.name = "loss", .type = ParameterType::kChoice, .choices = {"squared", "absolute"}}};
}

std::string MessageOf(const std::function<void()>& call, std::string* hint = nullptr) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    if (hint != nullptr) *hint = error.hint();
    return error.message();
  }
  return "nothing was thrown";
}

// Counts rows: enough of an online learner to see in which order it is taught.
class Counter : public OnlineModel, public std::enable_shared_from_this<Counter> {
 public:
  void Predict(const double*, double* out) const override { *out = last_; }
  void Learn(const double*, double target, double weight) override { last_ = 10 * last_ + target * weight; }
  std::string State() const override { return ""; }
  std::shared_ptr<const Model> Snapshot() const override;

 private:
  double last_ = 0;
};

class FixedModel : public Model {
 public:
  explicit FixedModel(double value) : value_(value) {}
  std::string_view kind() const override { return "fixed"; }
  size_t features() const override { return 1; }
  size_t outputs() const override { return 1; }
  void PredictRow(const double*, double* out) const override { *out = value_; }
  Json Save(const std::string&, ArrayFileWriter*) const override { return nullptr; }

 private:
  double value_;
};

std::shared_ptr<const Model> Counter::Snapshot() const { return std::make_shared<FixedModel>(last_); }

const bool registered = Learners().Add(
    "test_counter", LearnerInfo{.summary = "Counts.",
                                .paper = "None",
                                .parameters = SomeParameters(),
                                .regression = true,
                                .start = [](const StreamShape&, const ParameterValues&, uint64_t) { return std::make_unique<Counter>(); }});

TEST(ParameterValues, DefaultsAndSettings) {
  ParameterValues values(SomeParameters());
  EXPECT_EQ(values.Number("rate"), 0.1);
  EXPECT_EQ(values.Integer("rounds"), 10);
  EXPECT_TRUE(values.Boolean("fast"));
  EXPECT_EQ(values.Choice("loss"), "squared");
  values.Set("x", "rate", "0.5");
  values.Set("x", "rounds", "1e2");
  values.Set("x", "fast", "false");
  values.Set("x", "loss", "absolute");
  EXPECT_EQ(values.ToJson(), ParseJson(R"({"rate":0.5,"rounds":100,"fast":false,"loss":"absolute"})", "test"));
  const ParameterValues again = ParameterValues::FromJson("x", SomeParameters(), values.ToJson());
  EXPECT_EQ(again.ToJson(), values.ToJson());
}

TEST(ParameterValues, SaysWhatIsWrong) {
  ParameterValues values(SomeParameters());
  EXPECT_EQ(MessageOf([&] { values.Set("ridge", "rate", "2"); }), "ridge.rate is '2', but must be a number from 0.001 to 1");
  EXPECT_EQ(MessageOf([&] { values.Set("ridge", "rounds", "1.5"); }), "ridge.rounds is '1.5', but must be an integer from 1 to 1000");
  EXPECT_EQ(MessageOf([&] { values.Set("ridge", "fast", "maybe"); }), "ridge.fast is 'maybe', but must be true or false");
  EXPECT_EQ(MessageOf([&] { values.Set("ridge", "loss", "x"); }), "ridge.loss is 'x', but must be one of squared, absolute");
  for (const char* text : {"", "nan", "0.5x", "inf", "-1"}) EXPECT_THROW(values.Set("ridge", "rate", text), Error) << text;
  std::string hint;
  EXPECT_THAT(MessageOf([&] { values.Set("ridge", "raet", "1"); }, &hint), HasSubstr("no parameter 'raet'"));
  EXPECT_EQ(hint, "did you mean 'rate'?");
}

TEST(FitLearner, TeachesAnOnlineLearnerRowByRow) {
  const Dataset data({false}, {0}, {0, 0, 0, 0}, {1, 2, 3, 4}, {1, 1, 1, 2}, 0);
  const std::vector<uint32_t> rows{0, 2, 3};
  const auto model = FitLearner("test_counter", {&data, rows}, ParameterValues(SomeParameters()), {});
  double prediction = 0;
  model->PredictRow(data.row(0), &prediction);
  EXPECT_EQ(prediction, 138);
}

TEST(FitLearner, RefusesATaskItCannotDo) {
  const Dataset data({false}, {0}, {0, 0}, {0, 1}, {}, 2);
  const std::vector<uint32_t> rows{0, 1};
  EXPECT_THAT(MessageOf([&] { FitLearner("test_counter", {&data, rows}, ParameterValues({}), {}); }), HasSubstr("binary"));
  std::string hint;
  MessageOf([&] { FitLearner("test_cuonter", {&data, rows}, ParameterValues({}), {}); }, &hint);
  EXPECT_EQ(hint, "did you mean 'test_counter'?");
}

TEST(DescribeLearner, ListsTasksAndParameters) {
  const Json json = DescribeLearner("test_counter");
  EXPECT_EQ(ToText(json.at("tasks")), R"(["regression"])");
  EXPECT_TRUE(json.at("online").as_bool());
  EXPECT_EQ(ToText(json.at("parameters").at(0)),
            ToText(ParseJson(R"({"name":"rate","type":"number","default":0.1,"low":0.001,"high":1,"scale":"log","doc":"step"})", "test")));
  EXPECT_EQ(ToText(json.at("parameters").at(3)),
            ToText(ParseJson(R"({"name":"loss","type":"choice","default":"squared","choices":["squared","absolute"],"doc":""})", "test")));
}

}  // namespace
}  // namespace everlearn
