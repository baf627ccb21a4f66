// A file that a person named, of which "-" is standard input, or standard output.
#pragma once

#include "host/base/result.h"
#include "host/cli/output.h"

#include <string>

namespace garland::cli {

// As sentences call one that is read.
std::string shownFile(std::string const& file);
// All of it. Errors: invalidInput, with its name as above. Blocks.
Result<std::string> readNamedFile(std::string const& file);
// Instead of what the file held; standard output, which may be a file too, goes on behind what it has.
// Errors: invalidInput.
Result<void> writeNamedFile(Output& output, std::string const& file, std::string const& text);

} // namespace garland::cli
