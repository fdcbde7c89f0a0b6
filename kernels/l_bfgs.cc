#include "kernels/l_bfgs.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <deque>
#include <limits>

namespace everlearn {
namespace {

constexpr double kSufficientDecrease = 1e-4;  // c1 of the Wolfe conditions
constexpr double kCurvature = 0.9;            // c2
constexpr int kMaxEvaluations = 30;           // of one line search

using Vector = std::vector<double>;

double Dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

double LargestMagnitude(const Vector& a) {
  double largest = 0;
  for (const double v : a) largest = std::max(largest, std::abs(v));
  return largest;
}

struct Pair {
  Vector step, change;  // s = x' - x, y = gradient' - gradient
  double rho;           // 1 / (s · y)
};

// Algorithm 7.4: the product of the inverse Hessian's approximation with -gradient.
Vector Direction(const std::deque<Pair>& pairs, const Vector& gradient) {
  Vector q = gradient;
  Vector alpha(pairs.size());
  for (size_t k = pairs.size(); k-- > 0;) {
    alpha[k] = pairs[k].rho * Dot(pairs[k].step, q);
    for (size_t i = 0; i < q.size(); ++i) q[i] -= alpha[k] * pairs[k].change[i];
  }
  if (!pairs.empty()) {
    const double scale = 1.0 / (pairs.back().rho * Dot(pairs.back().change, pairs.back().change));
    for (double& v : q) v *= scale;
  }
  for (size_t k = 0; k < pairs.size(); ++k) {
    const double beta = pairs[k].rho * Dot(pairs[k].change, q);
    for (size_t i = 0; i < q.size(); ++i) q[i] += (alpha[k] - beta) * pairs[k].step[i];
  }
  for (double& v : q) v = -v;
  return q;
}

// The function along x + step * direction, remembering the point of the latest evaluation.
struct Ray {
  const SmoothFunction& function;
  const Vector& start;
  const Vector& direction;
  Vector point, gradient;

  struct Sample {
    double step, value, slope;
  };
  Sample At(double step) {
    for (size_t i = 0; i < start.size(); ++i) point[i] = start[i] + step * direction[i];
    double value = function(point, gradient);
    const double slope = Dot(gradient, direction);
    if (!std::isfinite(value) || !std::isfinite(slope)) value = std::numeric_limits<double>::infinity();
    return {step, value, slope};
  }
};

// Minimiser of the cubic through two samples (3.59), kept away from the ends of the interval; the middle where there is none.
double Interpolate(const Ray::Sample& a, const Ray::Sample& b) {
  const double middle = 0.5 * (a.step + b.step);
  if (!std::isfinite(a.value) || !std::isfinite(b.value)) return middle;
  const double d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step);
  const double square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return middle;
  const double d2 = std::copysign(std::sqrt(square), b.step - a.step);
  const double step = b.step - (b.step - a.step) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
  const double low = std::min(a.step, b.step), high = std::max(a.step, b.step), margin = 0.1 * (high - low);
  return step > low + margin && step < high - margin ? step : middle;
}

// Algorithms 3.5 and 3.6. True when `*result` lowers the value; the ray then stands there.
bool LineSearch(Ray* ray, double value, double slope, double first_step, Ray::Sample* result) {
  const Ray::Sample origin{0, value, slope};
  const auto decreases = [&](const Ray::Sample& s) { return s.value <= value + kSufficientDecrease * s.step * slope; };
  const auto is_flat = [&](const Ray::Sample& s) { return std::abs(s.slope) <= -kCurvature * slope; };
  Ray::Sample low = origin, high = origin, now = origin;
  int evaluations = 0;
  bool bracketed = false;
  for (double step = first_step; !bracketed && evaluations < kMaxEvaluations; step *= 2) {
    const Ray::Sample before = now;
    now = ray->At(step);
    ++evaluations;
    if (!decreases(now) || (evaluations > 1 && now.value >= before.value)) {
      low = before, high = now, bracketed = true;
    } else if (is_flat(now)) {
      *result = now;
      return true;
    } else if (now.slope >= 0) {
      low = now, high = before, bracketed = true;
    }
  }
  while (bracketed && evaluations < kMaxEvaluations) {
    now = ray->At(Interpolate(low, high));
    ++evaluations;
    if (!decreases(now) || now.value >= low.value) {
      high = now;
      continue;
    }
    if (is_flat(now)) {
      *result = now;
      return true;
    }
    if (now.slope * (high.step - low.step) >= 0) high = low;
    low = now;
  }
  if (!bracketed) low = now;
  if (low.step == 0 || !(low.value < value)) return false;
  *result = ray->At(low.step);  // enough decrease without the curvature condition is still progress
  return true;
}

}  // namespace

LBfgsResult MinimizeLBfgs(const SmoothFunction& function, std::vector<double>* x, const LBfgsOptions& options) {
  const size_t size = x->size();
  Vector gradient(size);
  LBfgsResult result;
  result.value = function(*x, gradient);
  assert(std::isfinite(result.value));
  std::deque<Pair> pairs;
  result.converged = LargestMagnitude(gradient) <= options.gradient_tolerance;
  while (!result.converged && result.iterations < options.max_iterations && !(options.stop && options.stop())) {
    Vector direction = Direction(pairs, gradient);
    double slope = Dot(direction, gradient);
    if (!(slope < 0)) {  // rounding has spoilt the approximation: begin again with steepest descent
      pairs.clear();
      direction = Direction(pairs, gradient);
      slope = Dot(direction, gradient);
    }
    Ray ray{function, *x, direction, Vector(size), Vector(size)};
    Ray::Sample found{};
    const double first_step = pairs.empty() ? std::min(1.0, 1.0 / LargestMagnitude(gradient)) : 1.0;
    if (!LineSearch(&ray, result.value, slope, first_step, &found)) {
      if (pairs.empty()) break;  // no descent even along the gradient: this is as exact as rounding allows
      pairs.clear();
      continue;
    }
    ++result.iterations;
    Pair pair{Vector(size), Vector(size), 0};
    for (size_t i = 0; i < size; ++i) {
      pair.step[i] = ray.point[i] - (*x)[i];
      pair.change[i] = ray.gradient[i] - gradient[i];
    }
    const double curvature = Dot(pair.step, pair.change);
    if (curvature > 1e-300) {
      pair.rho = 1.0 / curvature;
      pairs.push_back(std::move(pair));
      if (pairs.size() > static_cast<size_t>(options.history)) pairs.pop_front();
    }
    const double decrease = result.value - found.value;
    *x = ray.point;
    gradient = ray.gradient;
    result.value = found.value;
    result.converged =
        LargestMagnitude(gradient) <= options.gradient_tolerance || decrease <= options.value_tolerance * std::abs(result.value);
  }
  return result;
}

}  // namespace everlearn
