// A dead worker's stack as a person reads it: the raw lines of its last words, with names from the symbol
// table of the plugin's file. Runs and maps no plugin code.
#pragma once

#include "host/base/json.h"

#include <string>
#include <string_view>
#include <vector>

namespace garland::runtime {

struct StackFrame {
  std::string object;       // "plugin", "worker", "libc.so.6", "?"
  std::string function;     // "dav::pull+1f"; empty if no name is known
  std::uint64_t offset = 0; // in the object; 0 for libraries that gave a name

  // "dav::pull+1f (plugin+0x1a2b)"
  std::string describe() const;
};

// `frames`: the text of wire::Stack, tainted. `plugin`: the bytes of its file; empty: no names.
// Lines that are not frames are left out, and so is what called the plugin.
std::vector<StackFrame> symbolise(std::string_view frames, std::string_view plugin);
// The same, with the file behind a descriptor (the sealed image).
std::vector<StackFrame> symbolise(std::string_view frames, int plugin);

// Of the object behind a descriptor: its GNU build id in lower-case hex, "" if it has none.
std::string buildIdOf(int plugin);

// The innermost frame that is the plugin's; null if there is none.
StackFrame const* culprit(std::vector<StackFrame> const& stack);

} // namespace garland::runtime
