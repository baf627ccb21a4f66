// Whether the time of vault::equalInConstantTime tells where a guess is wrong: two kinds of guesses at a
// secret, wrong in the first byte and wrong in the last, in an order that nothing foretells, and Welch's t of
// their times. Beside it, by the same method, a comparison that ends at the first byte which differs: if that
// shows nothing, nothing was measured.
//
//   garland_compare_bench [SAMPLES]    prints {"constant_time": {...}, "first_difference": {...}}: t, means
//   in ns
#include "host/base/json.h"
#include "host/base/random.h"
#include "host/vault/vault.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace garland;
using Compare = bool (*)(std::string_view, std::string_view);

constexpr std::size_t kSamples = 100'000; // of each comparison
constexpr int kAtOnce = 64;               // comparisons that one sample is: the clock is coarse
// The slowest are the machine's doing: interrupts, other processes.
constexpr double kKept = 0.9;

[[gnu::noinline]] bool equalUntilTheFirstDifference(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i]) return false;
  return true;
}

struct Spread {
  double mean = 0;
  double variance = 0;
  double count = 0;
};

Spread spreadOf(std::vector<double> times) {
  std::ranges::sort(times);
  times.resize(static_cast<std::size_t>(static_cast<double>(times.size()) * kKept));
  Spread out;
  out.count = static_cast<double>(times.size());
  for (auto const time : times) out.mean += time / out.count;
  for (auto const time : times) out.variance += (time - out.mean) * (time - out.mean) / (out.count - 1);
  return out;
}

double welch(Spread const& a, Spread const& b) {
  return (a.mean - b.mean) / std::sqrt(a.variance / a.count + b.variance / b.count);
}

// All guesses stand in the same place of memory when they are timed.
json::object measure(Compare compare, std::size_t samples, Random& random) {
  std::string const secret = vault::sha256Hex("a secret");
  std::array<std::string, 2> guesses{secret, secret};
  guesses[0].front() ^= 1;
  guesses[1].back() ^= 1;
  std::array<std::vector<double>, 2> times;
  std::string guess = secret;
  int right = 0;
  for (std::size_t i = 0; i < samples; ++i) {
    auto const which = static_cast<std::size_t>(random.next() % 2);
    std::ranges::copy(guesses[which], guess.begin());
    right += compare(secret, guess) ? 1 : 0; // until the copy has settled
    auto const begun = std::chrono::steady_clock::now();
    for (int again = 0; again < kAtOnce; ++again) right += compare(secret, guess) ? 1 : 0;
    std::chrono::duration<double, std::nano> const took = std::chrono::steady_clock::now() - begun;
    times[which].push_back(took.count() / kAtOnce);
  }
  if (right != 0) std::abort(); // also lest the loop be left out
  auto const first = spreadOf(std::move(times[0]));
  auto const last = spreadOf(std::move(times[1]));
  return json::object{{"t", welch(first, last)},
                      {"wrong_first_byte_ns", first.mean},
                      {"wrong_last_byte_ns", last.mean},
                      {"samples", samples}};
}

} // namespace

int main(int argc, char** argv) {
  auto const samples = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : kSamples;
  if (samples < 1'000) {
    std::fprintf(stderr, "garland_compare_bench: at least 1000 samples\n");
    return 2;
  }
  SystemRandom random;
  json::object out;
  out["constant_time"] = measure(&vault::equalInConstantTime, samples, random);
  out["first_difference"] = measure(&equalUntilTheFirstDifference, samples, random);
  std::printf("%s\n", json::serialize(out).c_str());
  return 0;
}
