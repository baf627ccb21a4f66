// Source lines for places in a plugin, asked of llvm-symbolizer or addr2line. For programs that a developer
// runs on a plugin of their own: garlandd never lets another program read a plugin's file.
#pragma once

#include "host/runtime/stack_trace.h"

#include <string>
#include <vector>

namespace garland::runtime::dev {

// "pull (caldav.cpp:120, plugin+0x1a2b)" for each frame, as much of it as is known.
std::vector<std::string> describe(std::vector<StackFrame> const& stack, std::string const& plugin_path);

// A line of a sanitizer's report with its place in the plugin told by name; other lines as they are.
std::string withNames(std::string const& line, std::string const& plugin_path);

} // namespace garland::runtime::dev
