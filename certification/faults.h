// The fault catalogue: what can go wrong between a connector and its provider, and when it does.
#pragma once

#include "host/runtime/runtime.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace garland::certification {

// How a connector may end when the fault meets it; a fault that it works around is well, too.
struct Fault {
  std::string_view name;
  std::string_view says; // one sentence, for findings
  bool reaches_provider = false;
  // Kinds of error that are right, by bits (1 << ErrorKind).
  std::uint32_t right = 0;
  // The answer, or none; `real` is null if the provider was not reached.
  Result<runtime::HttpAnswer> (*answer)(runtime::HttpAsk const& ask,
                                        runtime::HttpAnswer const* real) = nullptr;
  Milliseconds takes{0};   // virtual time; of the request's own, if it has less
  bool everywhere = false; // at any host call, not only at requests
  // Instead of `answer`: what the request before to the same path was answered; met only if there was one.
  enum class Repeats { no, once, forEver } repeats = Repeats::no;
};

std::span<Fault const> faults(); // 24
Fault const* faultNamed(std::string_view name);
// Fault::right in words, "transient or provider_bug"; "success" if there are none.
std::string kindsOf(std::uint32_t right);

// Which host call of an operation meets it.
struct FaultOrder {
  Fault const* fault = nullptr;
  std::size_t at = 0; // index into Journal::calls
  bool lasts = false; // every later one meets it, too
};

} // namespace garland::certification
