#include "tests/hostile/driver/stopper.h"

#include <array>
#include <cerrno>

namespace garland::hostile {
namespace {

struct Sign {
  std::string_view words; // of the host's sentence
  std::string_view layer;
};

// The first that fits. What the host says of a worker's end is in host/runtime/worker_link.cpp.
constexpr auto kSigns = std::to_array<Sign>({
    {"watchdog", "watchdog"},
    {"exit code 68", "watchdog"},
    {"kept it busy for", "stall watch"},
    {"within a second of being told to", "call deadline"},
    {"did not greet the host within", "handshake deadline"},
    {"described its sandbox", "handshake check"},
    {"greeted the host", "handshake check"},
    {"for a call that does not run", "call id check"},
    {"a frame claims", "length check"},
    {"more than the host had granted", "window check"},
    {"that it had ended", "call id check"},
    {"it asked for a URL that", "request check"},
    {"flooded the host", "flood check"},
    {"broke the protocol", "message check"},
    {"that names no call", "message check"},
    {"closed its connection", "connection watch"},
    {"stack of 256 KiB was used up", "guard page"},
    {"SIGSYS", "seccomp"},
    {"exit code 69", "resource limit"},
    {"MiB of memory", "resource limit"},
    // The worker never came to run the act: a proof of nothing, unless an expectation names it.
    {"could not be loaded", "loader"},
    {"exit code 64", "loader"},
    {"exit code 65", "loader"},
    {"exit code 66", "loader"},
    {"exit code 67", "loader"},
    {"SIG", "own process"},
    {"exit code", "own process"},
});

} // namespace

std::string_view stopperByEnd(std::string_view how) {
  for (auto const& sign : kSigns)
    if (how.find(sign.words) != std::string_view::npos) return sign.layer;
  return {};
}

std::string_view stopperByErrno(std::int64_t code, char tier) {
  constexpr std::int64_t kRefusedByHost = 1000; // acts/act.h
  switch (code) {
  case EPERM:
  case ENOSYS: return "seccomp";
  case EACCES: return tier == 'A' || tier == 'B' ? "Landlock" : "kernel's own rights";
  case ENOENT: return "private root";
  case ENOMEM:
  case EMFILE:
  case EAGAIN: return "resource limit";
  case kRefusedByHost: return "argument check";
  default: return {};
  }
}

std::string_view stopperByError(Error const& error) {
  if (error.kind == ErrorKind::hostLimit) return "resource limit";
  return stopperByEnd(error.message);
}

} // namespace garland::hostile
