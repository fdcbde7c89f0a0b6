// Arrays of the file: `category` (U8), `log_prior`, `mean`, `deviation`, `log_share` (F64) and `begin` (U64), as in NaiveBayesParameters.
#include "model/naive_bayes.h"

#include <algorithm>
#include <cmath>

#include "model/check.h"
#include "model/link.h"

namespace everlearn {
namespace {

class NaiveBayesModel final : public Model {
 public:
  explicit NaiveBayesModel(NaiveBayesParameters parameters) : parameters_(std::move(parameters)) {
    for (const double deviation : parameters_.deviation) log_deviation_.push_back(std::log(deviation));
  }
  std::string_view kind() const override { return "naive_bayes"; }
  size_t features() const override { return parameters_.is_category.size(); }
  size_t outputs() const override { return parameters_.log_prior.size(); }

  void PredictRow(const double* row, double* out) const override {
    std::copy(parameters_.log_prior.begin(), parameters_.log_prior.end(), out);
    for (size_t j = 0; j < features(); ++j) {
      const double x = row[j];
      const uint64_t columns = parameters_.begin[j + 1] - parameters_.begin[j];
      if (parameters_.is_category[j]) {
        if (!(x >= 0)) {
          AddShares(j, columns - 1, out);
        } else if (x < static_cast<double>(columns - 1)) {
          AddShares(j, static_cast<uint64_t>(x), out);
        }
        continue;
      }
      AddShares(j, std::isnan(x) ? 1 : 0, out);
      if (!std::isnan(x)) AddDensities(j, x, out);
    }
    ApplyLink(Link::kSoftmax, out, outputs(), 1.0, out);
  }

  Json Save(const std::string& prefix, ArrayFileWriter* file) const override {
    file->Add(prefix + "category", std::span(parameters_.is_category));
    file->Add(prefix + "log_prior", std::span(parameters_.log_prior));
    file->Add(prefix + "mean", std::span(parameters_.mean));
    file->Add(prefix + "deviation", std::span(parameters_.deviation));
    file->Add(prefix + "log_share", std::span(parameters_.log_share));
    file->Add(prefix + "begin", std::span(parameters_.begin));
    return JsonObject();
  }

 private:
  void AddShares(size_t feature, uint64_t column, double* out) const {
    const double* shares = parameters_.log_share.data() + (parameters_.begin[feature] + column) * outputs();
    for (size_t k = 0; k < outputs(); ++k) out[k] += shares[k];
  }

  void AddDensities(size_t feature, double x, double* out) const {
    for (size_t k = 0; k < outputs(); ++k) {
      const size_t at = feature * outputs() + k;
      const double z = std::clamp((x - parameters_.mean[at]) / parameters_.deviation[at], -kNormalLimit, kNormalLimit);
      out[k] -= 0.5 * z * z + log_deviation_[at];
    }
  }

  NaiveBayesParameters parameters_;
  std::vector<double> log_deviation_;
};

std::shared_ptr<const Model> Load(const Json&, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  NaiveBayesParameters parameters;
  parameters.is_category = ToVector(file.Get<uint8_t>(prefix + "category"));
  parameters.log_prior = ToVector(file.Get<double>(prefix + "log_prior"));
  parameters.mean = ToVector(file.Get<double>(prefix + "mean"));
  parameters.deviation = ToVector(file.Get<double>(prefix + "deviation"));
  parameters.log_share = ToVector(file.Get<double>(prefix + "log_share"));
  parameters.begin = ToVector(file.Get<uint64_t>(prefix + "begin"));
  CheckModel(parameters.is_category.size() == features && parameters.log_prior.size() == outputs,
             "the naive Bayes model has a wrong number of features or classes");
  return MakeNaiveBayes(std::move(parameters));
}

const bool registered = ModelKinds().Add("naive_bayes", {"classes from independent features", Load});

}  // namespace

std::shared_ptr<const Model> MakeNaiveBayes(NaiveBayesParameters parameters) {
  const size_t features = parameters.is_category.size(), classes = parameters.log_prior.size();
  CheckModel(classes >= 1, "the naive Bayes model has no classes");
  CheckModel(parameters.mean.size() == features * classes && parameters.deviation.size() == features * classes &&
                 parameters.begin.size() == features + 1 && parameters.begin[0] == 0,
             "the arrays of the naive Bayes model differ in length");
  for (size_t j = 0; j < features; ++j) {
    const bool grows = parameters.begin[j + 1] > parameters.begin[j];
    CheckModel(grows && (parameters.is_category[j] || parameters.begin[j + 1] - parameters.begin[j] == 2),
               "a feature of the naive Bayes model has a wrong number of values");
  }
  CheckModel(parameters.log_share.size() % classes == 0 && parameters.log_share.size() / classes == parameters.begin.back(),
             "the naive Bayes model has a wrong number of shares");
  CheckModel(
      AllFinite(parameters.log_prior) && AllFinite(parameters.mean) && AllFinite(parameters.deviation) && AllFinite(parameters.log_share),
      "a number of the naive Bayes model is not finite");
  CheckModel(std::all_of(parameters.deviation.begin(), parameters.deviation.end(), [](double d) { return d > 0; }),
             "a deviation of the naive Bayes model is not above 0");
  return std::make_shared<NaiveBayesModel>(std::move(parameters));
}

}  // namespace everlearn
