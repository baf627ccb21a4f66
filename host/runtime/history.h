// What happened to the plugins' workers, across restarts of the daemon: the newest events, and how often a
// worker was started again after a crash. Crash reports themselves are files of their own (crash_capsule.h).
#pragma once

#include "host/runtime/event_ring.h"
#include "host/runtime/kept_builds.h"

#include <boost/asio/thread_pool.hpp>

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace garland::runtime {

// [loop thread] What is to be on disk gets there on a thread of its own; a power cut may lose the last event.
class History {
public:
  // `redactor` may be null; it and `log` must outlive it.
  History(KeptBuilds kept, Redactor const* redactor, Log const& log);
  ~History(); // waits for the disk
  History(History const&) = delete;
  History& operator=(History const&) = delete;

  void add(SupervisorEvent event);
  // From the oldest to the newest.
  std::vector<SupervisorEvent> events() const { return events_.all(); }
  std::uint64_t restarts(std::string_view plugin_id) const;

private:
  struct Page {
    std::vector<SupervisorEvent> events;
    std::map<std::string, std::uint64_t, std::less<>> restarts; // by plugin id
  };

  void restore();
  void save();
  void writeUnwritten();

  KeptBuilds kept_;
  Redactor const* redactor_;
  Log const& log_;
  EventRing events_;
  std::map<std::string, std::uint64_t, std::less<>> restarts_;
  std::mutex mutex_;
  std::optional<Page> unwritten_; // the newest; what came before it need not be written any more
  bool warned_ = false;           // [disk thread]
  asio::thread_pool disk_{1};
};

} // namespace garland::runtime
