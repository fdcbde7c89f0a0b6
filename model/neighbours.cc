// Arrays of the file: `category`, `with_missing` (U8), `mean`, `scale` (F64), `coordinates` (F32), `codes` (U16), `target`, `weight`,
// `prior` (F64), all as in NeighboursParameters.
#include "model/neighbours.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/row_distances.h"
#include "model/check.h"

namespace everlearn {
namespace {

constexpr size_t kBlockRows = 1024;
constexpr size_t kGroupRows = 32;  // that are passed over at once where none is near
constexpr uint32_t kNoCode = 65'536;

struct Neighbour {
  float distance;  // squared
  uint32_t row;
  bool operator<(const Neighbour& other) const { return distance != other.distance ? distance < other.distance : row < other.row; }
};

class NeighboursModel final : public Model {
 public:
  explicit NeighboursModel(NeighboursParameters parameters) : parameters_(std::move(parameters)) {}
  std::string_view kind() const override { return "neighbours"; }
  size_t features() const override { return parameters_.is_category.size(); }
  size_t outputs() const override { return parameters_.outputs; }

  void PredictRow(const double* row, double* out) const override {
    std::vector<Neighbour> nearest = Nearest(row);
    std::vector<double> votes = Votes(nearest);
    double total = 0, sum = 0;
    for (const double vote : votes) total += vote;
    if (!parameters_.classes) {
      for (size_t i = 0; i < votes.size(); ++i) sum += votes[i] / total * parameters_.target[nearest[i].row];
      out[0] = sum;
      return;
    }
    // Votes count as many rows as there are voters, however they are shared out.
    const auto voters = static_cast<double>(votes.size());
    for (size_t k = 0; k < outputs(); ++k) out[k] = parameters_.prior_rows * parameters_.prior[k] / (voters + parameters_.prior_rows);
    for (size_t i = 0; i < votes.size(); ++i) {
      out[static_cast<size_t>(parameters_.target[nearest[i].row])] += votes[i] / total * voters / (voters + parameters_.prior_rows);
    }
  }

  Json Save(const std::string& prefix, ArrayFileWriter* file) const override {
    file->Add(prefix + "category", std::span(parameters_.is_category));
    file->Add(prefix + "with_missing", std::span(parameters_.with_missing));
    file->Add(prefix + "mean", std::span(parameters_.mean));
    file->Add(prefix + "scale", std::span(parameters_.scale));
    file->Add(prefix + "coordinates", std::span(parameters_.coordinates));
    file->Add(prefix + "codes", std::span(parameters_.codes));
    file->Add(prefix + "target", std::span(parameters_.target));
    file->Add(prefix + "weight", std::span(parameters_.weight));
    file->Add(prefix + "prior", std::span(parameters_.prior));
    return JsonObject{{"classes", parameters_.classes},
                      {"neighbours", parameters_.neighbours},
                      {"by_distance", parameters_.by_distance},
                      {"prior_rows", parameters_.prior_rows}};
  }

 private:
  // From the nearest on; of equally near rows the earlier.
  std::vector<Neighbour> Nearest(const double* row) const {
    std::vector<float> coordinates;
    std::vector<uint32_t> codes;
    EmbedNeighbour(parameters_, row, &coordinates, &codes);
    std::vector<float> apart;  // squared distance of two categories, one a category
    for (size_t j = 0; j < features(); ++j) {
      if (parameters_.is_category[j]) apart.push_back(static_cast<float>(parameters_.scale[j] * parameters_.scale[j]));
    }
    const size_t rows = parameters_.rows(), wanted = std::min<size_t>(parameters_.neighbours, rows);
    std::vector<Neighbour> heap;  // the farthest in front
    float distances[kBlockRows];
    for (size_t first = 0; first < rows; first += kBlockRows) {
      const size_t count = std::min(kBlockRows, rows - first);
      SquaredDistances(
          {parameters_.coordinates.data() + first, parameters_.codes.data() + first, rows, count, coordinates.size(), codes.size()},
          coordinates.data(), codes.data(), apart.data(), distances);
      for (size_t i = 0; i < count; i += kGroupRows) {
        const size_t end = std::min(i + kGroupRows, count);
        if (heap.size() < wanted || AnyBelow(distances + i, end - i, heap.front().distance)) Take(distances, i, end, first, wanted, &heap);
      }
    }
    std::sort_heap(heap.begin(), heap.end());
    return heap;
  }

  // A later row that is as far as the farthest in the heap stays out.
  static bool AnyBelow(const float* distances, size_t count, float limit) {
    bool any = false;
    for (size_t i = 0; i < count; ++i) any |= distances[i] < limit;
    return any;
  }

  static void Take(const float* distances, size_t begin, size_t end, size_t first_row, size_t wanted, std::vector<Neighbour>* heap) {
    for (size_t i = begin; i < end; ++i) {
      const Neighbour candidate{distances[i], static_cast<uint32_t>(first_row + i)};
      if (heap->size() == wanted) {
        if (!(candidate < heap->front())) continue;
        std::pop_heap(heap->begin(), heap->end());
        heap->pop_back();
      }
      heap->push_back(candidate);
      std::push_heap(heap->begin(), heap->end());
    }
  }

  std::vector<double> Votes(const std::vector<Neighbour>& nearest) const {
    std::vector<double> votes;
    const bool exact = nearest.front().distance == 0;
    for (const Neighbour& neighbour : nearest) {
      double vote = parameters_.weight[neighbour.row];
      if (parameters_.by_distance) {
        if (exact && neighbour.distance > 0) break;
        if (!exact) vote /= std::sqrt(static_cast<double>(neighbour.distance));
      }
      votes.push_back(vote);
    }
    return votes;
  }

  NeighboursParameters parameters_;
};

std::shared_ptr<const Model> Load(const Json& json, const std::string& prefix, const ArrayFile& file, size_t features, size_t outputs) {
  NeighboursParameters parameters;
  parameters.is_category = ToVector(file.Get<uint8_t>(prefix + "category"));
  parameters.with_missing = ToVector(file.Get<uint8_t>(prefix + "with_missing"));
  parameters.mean = ToVector(file.Get<double>(prefix + "mean"));
  parameters.scale = ToVector(file.Get<double>(prefix + "scale"));
  parameters.coordinates = ToVector(file.Get<float>(prefix + "coordinates"));
  parameters.codes = ToVector(file.Get<uint16_t>(prefix + "codes"));
  parameters.target = ToVector(file.Get<double>(prefix + "target"));
  parameters.weight = ToVector(file.Get<double>(prefix + "weight"));
  parameters.prior = ToVector(file.Get<double>(prefix + "prior"));
  parameters.outputs = outputs;
  parameters.prior_rows = NumberField(json, "prior_rows");
  const Json &classes = Field(json, "classes"), &by_distance = Field(json, "by_distance");
  CheckModel(classes.is_bool() && by_distance.is_bool(), "a field of the neighbours is not true or false");
  parameters.classes = classes.get_bool();
  parameters.by_distance = by_distance.get_bool();
  const int64_t neighbours = IntegerField(json, "neighbours");
  CheckModel(neighbours >= 1 && neighbours <= std::numeric_limits<int32_t>::max(), "the number of neighbours is wrong");
  parameters.neighbours = static_cast<uint32_t>(neighbours);
  CheckModel(parameters.is_category.size() == features, "the neighbours have a wrong number of features");
  return MakeNeighbours(std::move(parameters));
}

const bool registered = ModelKinds().Add("neighbours", {"the nearest of stored rows", Load});

void CheckTargets(const NeighboursParameters& parameters) {
  CheckModel(AllFinite(parameters.target) && AllFinite(parameters.weight), "a target or weight of a neighbour is not finite");
  CheckModel(std::all_of(parameters.weight.begin(), parameters.weight.end(), [](double w) { return w > 0; }),
             "the weight of a neighbour is not above 0");
  if (!parameters.classes) {
    CheckModel(parameters.outputs == 1 && parameters.prior.empty(), "the neighbours of a value have several outputs");
    return;
  }
  const auto is_class = [&](double y) { return y >= 0 && y < static_cast<double>(parameters.outputs) && y == std::floor(y); };
  CheckModel(std::all_of(parameters.target.begin(), parameters.target.end(), is_class), "the target of a neighbour is no class");
  CheckModel(parameters.prior.size() == parameters.outputs && AllFinite(parameters.prior) && std::isfinite(parameters.prior_rows) &&
                 parameters.prior_rows >= 0,
             "the prior of the neighbours is wrong");
}

}  // namespace

void EmbedNeighbour(const NeighboursParameters& parameters, const double* row, std::vector<float>* coordinates,
                    std::vector<uint32_t>* codes) {
  for (size_t j = 0; j < parameters.is_category.size(); ++j) {
    const double x = row[j];
    if (parameters.is_category[j]) {
      codes->push_back(!(x >= 0) ? kMissingNeighbourCode : x < kMissingNeighbourCode ? static_cast<uint32_t>(x) : kNoCode);
      continue;
    }
    const bool missing = std::isnan(x);
    const double z = (x - parameters.mean[j]) / parameters.scale[j];
    coordinates->push_back(missing ? 0.0f : static_cast<float>(std::clamp(z, -kNeighbourLimit, kNeighbourLimit)));
    if (parameters.with_missing[j]) coordinates->push_back(missing ? 1.0f : 0.0f);
  }
}

std::shared_ptr<const Model> MakeNeighbours(NeighboursParameters parameters) {
  const size_t features = parameters.is_category.size(), rows = parameters.rows();
  CheckModel(parameters.with_missing.size() == features && parameters.mean.size() == features && parameters.scale.size() == features &&
                 parameters.weight.size() == rows,
             "the arrays of the neighbours differ in length");
  size_t coordinates = 0, categories = 0;
  for (size_t j = 0; j < features; ++j) {
    CheckModel(std::isfinite(parameters.mean[j]) && std::isfinite(parameters.scale[j]) && parameters.scale[j] > 0,
               "a mean or scale of the neighbours is wrong");
    categories += parameters.is_category[j] ? 1 : 0;
    coordinates += parameters.is_category[j] ? 0 : parameters.with_missing[j] ? 2 : 1;
  }
  CheckModel(rows >= 1 && rows <= std::numeric_limits<uint32_t>::max() && parameters.neighbours >= 1, "there are no neighbours");
  CheckModel(parameters.coordinates.size() == coordinates * rows && parameters.codes.size() == categories * rows,
             "the stored rows have a wrong size");
  const auto is_held = [](float x) { return std::abs(x) <= static_cast<float>(kNeighbourLimit); };
  CheckModel(std::all_of(parameters.coordinates.begin(), parameters.coordinates.end(), is_held), "a coordinate is out of bounds");
  CheckTargets(parameters);
  return std::make_shared<NeighboursModel>(std::move(parameters));
}

}  // namespace everlearn
