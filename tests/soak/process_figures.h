// What a process holds: what must not grow while it only repeats itself.
#pragma once

#include <cstddef>

namespace garland::soak {

struct ProcessFigures {
  std::size_t resident = 0; // bytes
  std::size_t heap = 0;     // bytes that malloc has given out; 0 under a sanitizer, which has its own malloc
  std::size_t descriptors = 0;
  std::size_t threads = 0;
};

// Of this process, now. Gives free memory back to the system first, so that `resident` says what is held.
ProcessFigures measureSelf();

} // namespace garland::soak
