// Lets work end by itself at SIGINT and SIGTERM: the first one is noted, a second one ends the program at
// once.
#pragma once

namespace garland::cli {

// As long as it lives. One at a time.
class UntilSignal {
public:
  UntilSignal();
  ~UntilSignal();
  UntilSignal(UntilSignal const&) = delete;
  UntilSignal& operator=(UntilSignal const&) = delete;
  static bool came(); // [any thread]
};

} // namespace garland::cli
