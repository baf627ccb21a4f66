// The last words of a worker, and the watchdog inside it.
//
// A crash of plugin code must name the operation that crashed, and a fiber that keeps the processor must not
// silence the others. Both are handled by signals that interrupt the plugin: the handlers use only
// what was put down beforehand, send one `dying` message and let the process end.
#pragma once

#include "host/runtime/wire.h"

#include <cstdint>
#include <string_view>

namespace garland::runtime::worker {

// Before the sandbox closes: alternative stack, handlers, processor-time ticks.
// `ipc` is the socket for the last message; `flight` may be null.
void installSignals(int ipc, wire::FlightPage* flight);

// Processor time that loading, closing and shutting down may take.
inline constexpr int kLoadingMs = 1'000;

// Plugin code gets the processor: whoever crashes or spins from now on is this call. `stack_limit` is the
// lowest address of its stack, or null on the main stack. It may hold the processor for `allowed_ms` of
// processor time (counted in steps of 100 ms). [worker thread]
void enterPlugin(std::uint64_t call_id, std::string_view operation, char const* stack_limit, int allowed_ms);
void leavePlugin();

// For other handlers: sends a ready message at once, or loses it if the host does not read; and the call that
// has the processor, 0 if none has.
void tellFromSignal(std::string_view frame);
std::uint64_t runningCall();

// Plugin code has called the host: its time goes on, but the watchdog must not interrupt a half-written
// message. [worker thread]
class InHost {
public:
  InHost();
  InHost(InHost const&) = delete;
  InHost& operator=(InHost const&) = delete;
  ~InHost();

  // The same without a scope, for a fiber that continues inside a host function.
  static bool now();
  static void set(bool in_host);
};

} // namespace garland::runtime::worker
