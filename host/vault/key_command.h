// A command that gives a master key: of a key management service, or whatever has it.
#pragma once

#include "host/base/clock.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace garland::vault {

// How many bytes the program wrote to its standard output, which are in `out`. Its standard input is empty,
// its standard error is ours, and it ends before `limit` or is killed. No shell has a part in it. Errors:
// notFound (no such program), invalidInput (more than `out` holds), hostLimit (it failed, or took too long).
Result<std::size_t> outputOf(std::vector<std::string> const& argv, std::span<std::byte> out,
                             Milliseconds limit);

} // namespace garland::vault
