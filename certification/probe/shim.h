// What stands between the worker and the plugin: the worker is given a plugin that passes on to the real one,
// and the real one is given a host that passes on to the worker's. In between everything is looked at, and
// made as awkward as the settings say and the ABI allows.
#pragma once

#include "certification/probe/spans.h"
#include "host/base/json.h"
#include "host/runtime/worker_loop.h"

#include <garland/plugin.h>

#include <map>
#include <memory>
#include <string>

namespace garland::probe {

// The operations of the probe itself begin with it.
inline constexpr std::string_view kOwn = "probe.";
// Their account: it has no instance of the plugin.
inline constexpr std::string_view kOwnAccount = "con_probe";

struct Settings {
  bool guard = false;               // spans end at a closed page, and are closed after their time
  bool future = false;              // JSON has members that nobody knows
  bool stack = false;               // how much of the stack a call uses
  std::uint64_t fail_arena = 0;     // the how manieth thing of a call that would lie in its arena; 0: none
  std::uint64_t fail_malloc = 0;    // the same of allocations
  std::uint64_t fail_emit = 0;      // the same of records, which the host then does not take
  std::string interleave;           // operation that another account's instance runs whenever a call waits
  std::string interleave_input;     // JSON
  std::string interleave_account;   // JSON
  std::int64_t interleave_most = 0; // how often
};

// What the entry is given.
struct HostForm {
  std::size_t tail = 0; // bytes behind the table, poisoned
  std::uint16_t minor = GARLAND_ABI_MINOR;
  bool crypto = false; // offers garland.host.crypto/1
};

// [worker thread] One for a process; plugin code keeps what it makes.
class Shim {
public:
  Shim(runtime::worker::Loop& loop, garland_entry_v1_fn entry, garland_host const& host);
  Shim(Shim const&) = delete;
  Shim& operator=(Shim const&) = delete;
  static Shim& the();

  // Calls the entry with a host of that form. What it fills is used from then on, if it is OK.
  garland_status enter(HostForm const& form);
  // For the worker. Its texts are the plugin's.
  garland_plugin descriptor() const;

  garland_plugin const& plugin() const { return plugin_; } // the real one
  garland_entry_v1_fn entry() const { return entry_; }
  garland_host const* table() const { return table_; } // the plugin's
  garland_host const& host() const { return host_; }   // the worker's
  runtime::worker::Loop& loop() { return loop_; }
  runtime::worker::Call& call() { return *loop_.running(); }

  Settings settings;
  std::string dead_call; // the host function that was called for a call that is over
  std::uint64_t in_arena = 0;
  std::uint64_t emitted = 0;
  bool was_shut_down = false;
  bool nested = false; // what runs now only stands for another call on this thread
  std::int64_t interleaved = 0;
  garland_status nested_status = GARLAND_OK;

  // The real functions, entered as plugin code. On the fiber of a call.
  garland_op find(std::string_view id);
  garland_status open(garland_call* call, std::string_view account, garland_instance** out);
  void close(garland_instance* self);
  garland_status run(garland_op operation, garland_instance* self, garland_call* call,
                     std::string_view input);
  void shutdown();
  // Lets others run, and the watchdog begin anew.
  void breathe();
  // What lies in the arena of the running call.
  GuardedCopies& copies() { return copies_[call().id]; }

private:
  void buildTable(HostForm const& form);
  garland_json given(GuardedCopies& copies, std::string_view document, std::string& changed) const;

  runtime::worker::Loop& loop_;
  garland_entry_v1_fn entry_;
  garland_host host_;
  garland_host* table_ = nullptr; // never freed: plugin code keeps it
  garland_plugin plugin_{};
  std::map<std::uint64_t, GuardedCopies> copies_; // by call
};

// The plugin's host (shim_host.cpp), and what stands for the service that it may ask for.
garland_host shimTable();
void offerCrypto(bool offered);

// An operation of the probe (deeds.cpp); null if there is none of that id.
garland_op deedNamed(std::string_view id);

} // namespace garland::probe
