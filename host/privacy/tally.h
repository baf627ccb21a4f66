// What became of the rows, or files, of one place that named the person.
#pragma once

#include <cstdint>

namespace garland::privacy {

struct Tally {
  std::int64_t removed = 0;
  std::int64_t rewritten = 0;
  std::int64_t kept = 0;
  std::int64_t busy = 0;
};

} // namespace garland::privacy
