// What is expected of each act: how its worker fares, and what has to stop it. The acts themselves are
// tests/hostile/acts; whether one succeeded is never read here, but seen from outside (scene, footprint).
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

namespace garland::hostile {

enum class Fate { lives, ends, either }; // of the worker that the act runs in

enum class Control { nobody, anybody, root };

struct Expectation {
  std::string_view act = {};
  Fate fate = Fate::lives;
  // Whatever of these, separated by '|', stops it first. "files" is the layer that hides files in the tier.
  std::string_view stopped_by = {};
  // How often the operation is called: one after the other, or side by side.
  int calls = 1;
  bool together = false;
  std::chrono::milliseconds deadline{10'000};
  // Tiers that do not cover the act and say so of themselves ("BD").
  std::string_view not_covered = {};
  // Who succeeds with it in a process without a sandbox, so that the proof is seen to fail (--control).
  Control control = Control::nobody;
  std::string_view tiers = "ABCD"; // where it is worth its time
};

std::span<Expectation const> expectations();
Expectation const* expectationOf(std::string_view act); // nullptr if there is no such act

bool isAtStart(std::string_view act); // runs in a static initialiser or in the entry
// True if `layer` is among those that may stop the act in that tier ('A'..'D').
bool mayStop(Expectation const& expectation, char tier, std::string_view layer);

} // namespace garland::hostile
