// When a run ends before its last case: its time is over, or somebody says so. What runs then is cancelled,
// and what has not begun is left out.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

namespace garland::certification {

class Ending {
public:
  // No limit: 0. `interrupted` may be null.
  Ending(std::chrono::seconds limit, std::function<bool()> interrupted)
      : limit_(limit), interrupted_(std::move(interrupted)) {}

  // Once it is, it stays so. [any thread]
  bool isDue() const {
    if (cause_ != Cause::none) return true;
    bool const late = limit_.count() > 0 && std::chrono::steady_clock::now() - began_ >= limit_;
    auto const cause = late ? Cause::late : interrupted_ && interrupted_() ? Cause::interrupted : Cause::none;
    auto none = Cause::none;
    cause_.compare_exchange_strong(none, cause);
    return cause != Cause::none;
  }
  // Once it is due.
  std::string why() const {
    return cause_ == Cause::late ? "the time limit of " + std::to_string(limit_.count()) + " s was over"
                                 : "the run was interrupted";
  }

private:
  enum class Cause { none, late, interrupted };
  std::chrono::seconds limit_;
  std::function<bool()> interrupted_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  mutable std::atomic<Cause> cause_ = Cause::none;
};

} // namespace garland::certification
