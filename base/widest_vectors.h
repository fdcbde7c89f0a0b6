// Loops over floats compiled three times, for AVX-512, AVX2 and the baseline, of which the machine's best runs; and an exponential that
// the compiler can vectorise in them.
//
// Pure functions, safe from any thread. Results are the same in all three: no sum changes its order, no product is fused.
#pragma once

#include <bit>
#include <cstdint>

namespace everlearn {

enum class VectorLevel { kBaseline, kAvx2, kAvx512 };

inline VectorLevel WidestVectors() {
  static const VectorLevel level = [] {
    const bool v3 =
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return v4 ? VectorLevel::kAvx512 : v3 ? VectorLevel::kAvx2 : VectorLevel::kBaseline;
  }();
  return level;
}

namespace widest_vectors {
#ifdef __clang__  // which only reads this code, and does not know the preference
#define EVERLEARN_AVX512 "arch=x86-64-v4"
#else
#define EVERLEARN_AVX512 "arch=x86-64-v4,prefer-vector-width=512"
#endif
template <auto kBody, typename... Arguments>
[[gnu::target(EVERLEARN_AVX512), gnu::flatten]] void RunAvx512(Arguments... arguments) {
  kBody(arguments...);
}
template <auto kBody, typename... Arguments>
[[gnu::target("arch=x86-64-v3"), gnu::flatten]] void RunAvx2(Arguments... arguments) {
  kBody(arguments...);
}
#undef EVERLEARN_AVX512
}  // namespace widest_vectors

// Calls kBody(arguments…), a function of plain loops; arguments are pointers and numbers.
template <auto kBody, typename... Arguments>
void RunWithWidestVectors(Arguments... arguments) {
  switch (WidestVectors()) {
    case VectorLevel::kAvx512:
      return widest_vectors::RunAvx512<kBody>(arguments...);
    case VectorLevel::kAvx2:
      return widest_vectors::RunAvx2<kBody>(arguments...);
    case VectorLevel::kBaseline:
      return kBody(arguments...);
  }
}

// exp(x) within 2 units in the last place for x in [-87, 88], and held there. NaN stays NaN. The minimax polynomial of degree 6 after
// Cody & Waite's reduction, with the coefficients of the Cephes library (S. Moshier, expf).
inline float FastExp(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  constexpr float kRounder = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
  const float n = (x * 1.44269504088896341f + kRounder) - kRounder;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const int32_t exponent = n == n ? static_cast<int32_t>(n) : 0;
  return p * std::bit_cast<float>(static_cast<uint32_t>(exponent + 127) << 23);
}

}  // namespace everlearn
