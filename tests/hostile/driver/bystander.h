// Somebody who must notice nothing: calls one after the other into a plugin, each with a record and a result
// that have to be right.
#pragma once

#include "tests/hostile/driver/stage.h"

namespace garland::hostile {

struct Witness {
  std::uint64_t calls = 0; // that have ended
  std::uint64_t lost = 0;  // that ended with an error
  std::uint64_t wrong = 0; // whose answer was another one
  std::uint64_t late = 0;  // that took longer than isLate() allows
  Milliseconds slowest{0};
  std::string first_trouble;

  bool unhurt() const { return calls > 0 && lost == 0 && wrong == 0 && late == 0; }
};

class Bystander {
public:
  static constexpr Milliseconds kDeadline{5'000}; // of each call
  // From when on a call is late: 20 times what calls take in the quiet before the act, and no less than this,
  // since the machine may be busy with something else.
  static constexpr Milliseconds kLateFloor{1'000};

  // Lives until its stream has ended. `with_record`: the operation emits one, too.
  Bystander(Stage& stage, runtime::PluginInfo plugin, std::string vendor, std::string operation,
            bool with_record)
      : stage_(stage), plugin_(std::move(plugin)), vendor_(std::move(vendor)),
        operation_(std::move(operation)), with_record_(with_record) {}

  // The first call, which starts the worker; its error is one of the environment.
  Task<void> warmUp(std::string secret);
  Task<void> measure();                   // calls in the quiet, to know what is late
  Task<void> stream();                    // until stop()
  Task<void> atLeast(std::uint64_t more); // returns when that many calls more have ended, or the stream has
  void stop() { stopping_ = true; }

  Witness const& witness() const { return witness_; }
  Milliseconds late() const { return late_; }
  std::string const& pluginId() const { return plugin_.manifest.id; }
  std::string const& vendor() const { return vendor_; }
  bool streaming() const { return streaming_; }

private:
  Task<Milliseconds> once(std::uint64_t number); // how long it took
  void note(std::uint64_t& count, std::string trouble);

  Stage& stage_;
  runtime::PluginInfo plugin_;
  std::string vendor_;
  std::string operation_;
  bool with_record_;
  Witness witness_;
  Milliseconds late_ = kDeadline;
  bool stopping_ = false;
  bool streaming_ = false;
};

} // namespace garland::hostile
