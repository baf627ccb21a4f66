// What is done before an operation can be: a payment is held before it is captured.
#pragma once

#include "certification/bench.h"

#include <functional>
#include <string>

namespace garland::certification {

inline constexpr char const* kNothingMade = "none"; // instead of an id

// Puts the id wherever it says "{id}".
void fill(json::value& value, std::string const& id);

// Gives each "idempotency_key" in it a name of its own for that taking; 0 leaves it as it is.
void renew(json::value& value, int taking);

// Takes the steps in their order; each is {"operation", "input"} or {"edit"}, and its "{id}" what the one
// before it has made. The id that the last one has made; kNothingMade if one of them failed, and the rest is
// not taken.
std::string takeSteps(Bench& bench, json::array steps, std::string const& account,
                      std::function<Journal(Ask)> const& run);

} // namespace garland::certification
