// What the worker knows about one running call. The plugin sees it as an opaque garland_call.
#pragma once

#include "host/runtime/wire.h"
#include "host/runtime/worker_arena.h"
#include "host/runtime/worker_fiber.h"

#include <garland/plugin.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <list>
#include <optional>
#include <string>
#include <variant>

namespace garland::runtime::worker {

struct Call {
  Call(std::uint64_t id_in, wire::Call ask_in, std::size_t arena_limit)
      : id(id_in), ask(std::move(ask_in)), arena(arena_limit) {}

  // What the plugin gets: the id in the place of an address. It is never used again, and nothing lies there.
  garland_call* handle() const { return std::bit_cast<garland_call*>(std::uintptr_t{id}); }

  std::uint64_t id;
  wire::Call ask;
  Arena arena;
  std::optional<Fiber> fiber;
  std::int64_t deadline_ns = std::numeric_limits<std::int64_t>::max(); // pluginMonotonicNs()
  bool exporting = false; // asks the instance for its state instead of running an operation
  bool cancelled = false;
  bool ready = false;             // it is in the run queue
  std::int64_t running_since = 0; // monotonic; when it got the processor last

  // The one question that it may have open, and the answer once it is there.
  std::uint32_t last_request = 0;
  std::variant<std::monostate, wire::HttpAnswer, wire::KvAnswer, wire::Ack> answer;

  // Emitted records that the host has not taken yet.
  std::list<std::size_t> unacknowledged;
  std::size_t unacknowledged_bytes = 0;
  std::optional<Error> emit_error;

  // How it ends.
  std::string result;
  std::optional<Error> failure;         // told by garland_host.fail
  std::optional<Error> last_host_error; // what a host function answered last

  struct {
    wire::Progress latest;
    bool unsent = false;
    std::int64_t sent_at = 0;
  } progress;
};

} // namespace garland::runtime::worker
