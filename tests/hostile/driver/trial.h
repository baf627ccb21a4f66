// One act, or one plugin of a stranger, on the stage among bystanders; and what came of it.
#pragma once

#include "tests/hostile/driver/expectations.h"
#include "tests/hostile/driver/footprint.h"
#include "tests/hostile/driver/stage.h"

namespace garland::hostile {

struct Setting {
  Tier tier;
  bool as_root = false;
  int observer = -1; // see Observer
};

struct Verdict {
  std::string outcome; // "stopped", "not covered", "got through", "bystander hurt", "unexpected";
                       // of a stranger instead of the first: "survived", or "refused" if it cannot be loaded
  std::string what_stopped_it;   // "seccomp", "private root", "watchdog", ...
  std::string worker;            // "went on", or how it ended
  std::vector<std::string> seen; // what was seen from outside, or is wrong; one sentence each
  std::uint64_t bystander_calls = 0;
  std::uint64_t bystander_lost = 0;
  std::uint64_t bystander_wrong = 0;
  std::uint64_t bystander_late = 0;
  Milliseconds bystander_slowest{0};
  Milliseconds bystander_late_means{0}; // a call that takes longer
  int attempts = 1;                     // until no call was late; the last is told
  bool vendor_apart = false;            // a bystander called the same plugin for another vendor
  std::int64_t host_grew_kib = 0;
  json::array operations; // of a stranger: what each answered
  std::string refusal;    // of a stranger: why it cannot be loaded; one sentence

  bool held() const { return outcome == "stopped" || outcome == "survived" || outcome == "not covered"; }
};

// Throws std::runtime_error if the environment does not allow it.
Verdict perform(Expectation const& expectation, Setting const& setting);
// In a process without a sandbox: "got through" is what is expected.
Verdict performNaked(Expectation const& expectation, Setting const& setting);
// With only tier D to be had: that the host loads nothing unless it was allowed to.
Verdict performRefusal(Setting const& setting);
// Any plugin: every operation that it offers and those named.
Verdict performStranger(std::string const& file, std::vector<std::string> const& operations,
                        Setting const& setting);

json::value toJson(Verdict const& verdict);

} // namespace garland::hostile
