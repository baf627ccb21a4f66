#include "host/worker/dev_refusals.h"

#include "host/runtime/sandbox_audit.h"
#include "host/runtime/tainted.h"
#include "host/worker/dev_source_lines.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sstream>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace garland::runtime::dev {
namespace {

using Named = std::pair<std::uint64_t, std::string_view>;

constexpr std::array kFamilies = {Named{AF_UNIX, "AF_UNIX"}, Named{AF_INET, "AF_INET"},
                                  Named{AF_INET6, "AF_INET6"}, Named{AF_NETLINK, "AF_NETLINK"},
                                  Named{AF_PACKET, "AF_PACKET"}};
constexpr std::array kSocketTypes = {Named{SOCK_STREAM, "SOCK_STREAM"}, Named{SOCK_DGRAM, "SOCK_DGRAM"},
                                     Named{SOCK_RAW, "SOCK_RAW"}, Named{SOCK_SEQPACKET, "SOCK_SEQPACKET"}};
constexpr std::array kOpenFlags = {Named{O_CREAT, "O_CREAT"}, Named{O_TRUNC, "O_TRUNC"},
                                   Named{O_APPEND, "O_APPEND"}};
constexpr std::array kProtection = {Named{PROT_READ, "PROT_READ"}, Named{PROT_WRITE, "PROT_WRITE"},
                                    Named{PROT_EXEC, "PROT_EXEC"}};

std::string number(std::uint64_t value) {
  std::ostringstream text;
  if (value < 4096 || value > ~std::uint64_t{4096})
    text << static_cast<std::int64_t>(value);
  else
    text << "0x" << std::hex << value;
  return text.str();
}

template <std::size_t Size> std::string nameOf(std::array<Named, Size> const& names, std::uint64_t value) {
  auto const found = std::ranges::find(names, value, &Named::first);
  return found == names.end() ? number(value) : std::string(found->second);
}

template <std::size_t Size>
std::string flagsOf(std::array<Named, Size> const& names, std::uint64_t value, std::string out) {
  for (auto const& [bit, name] : names)
    if ((value & bit) != 0) out += (out.empty() ? "" : "|") + std::string(name);
  return out.empty() ? "0" : out;
}

std::string openMode(std::uint64_t flags) {
  constexpr std::array kModes = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_RDWR"};
  return flagsOf(kOpenFlags, flags, kModes[flags & O_ACCMODE]);
}

std::string quoted(std::string const& path) { return "\"" + cleanText(path, 256) + "\""; }

// How many arguments tell something; a path is told besides.
std::size_t tellingArguments(std::string_view name) {
  if (name == "fork" || name == "vfork" || name == "getppid") return 0;
  if (name == "kill" || name == "ioctl" || name == "fcntl" || name == "rt_sigaction" || name == "prctl")
    return 2;
  return name == "execve" || name == "unlink" || name == "rmdir" || name == "readlink" ? 0 : 3;
}

bool isOutside(std::string const& path) { return ::access(path.c_str(), F_OK) == 0; }

// The line of the innermost frame that is the plugin's.
std::string_view culpritLine(std::string_view frames) {
  auto const at = frames.starts_with("plugin ") ? 0 : frames.find("\nplugin ");
  return at == std::string_view::npos ? frames : frames.substr(at, frames.find('\n', at + 1) - at);
}

std::string placeOf(std::string const& frames, std::string_view plugin, std::string const& plugin_path) {
  auto const stack = symbolise(frames, plugin);
  auto const* frame = culprit(stack);
  return frame == nullptr ? std::string() : describe({*frame}, plugin_path).front();
}

} // namespace

std::string describeCall(wire::Refused const& refused) {
  auto const name = sandbox::systemCallName(refused.number);
  auto const argument = [&](std::size_t i) {
    return i < refused.arguments.size() ? refused.arguments[i] : std::uint64_t{0};
  };
  std::string inside;
  if (name == "socket" || name == "socketpair")
    inside = nameOf(kFamilies, argument(0)) + ", " +
             nameOf(kSocketTypes, argument(1) & ~std::uint64_t{SOCK_CLOEXEC | SOCK_NONBLOCK}) + ", " +
             number(argument(2));
  else if (name == "openat")
    inside = quoted(refused.path) + ", " + openMode(argument(2));
  else if (name == "open")
    inside = quoted(refused.path) + ", " + openMode(argument(1));
  else if (name == "mmap" || name == "mprotect")
    inside = number(argument(1)) + " bytes, " + flagsOf(kProtection, argument(2), "");
  else {
    inside = refused.path.empty() ? "" : quoted(refused.path);
    for (std::size_t i = refused.path.empty() ? 0 : 3; i < tellingArguments(name); ++i)
      inside += (inside.empty() ? "" : ", ") + number(argument(i));
  }
  return name + "(" + inside + ")";
}

std::vector<Refusal> refusals(std::vector<wire::Refused> const& refused, std::string_view plugin,
                              std::string const& plugin_path) {
  struct Met {
    std::string call;
    std::string line;
    std::size_t at;
  };
  std::vector<Refusal> out;
  std::vector<Met> met; // symbolising is slow, and the same place comes back
  for (auto const& one : refused) {
    if (one.answer == ENOENT && !isOutside(one.path)) continue;
    auto call = describeCall(one);
    auto const same = std::ranges::find_if(
        met, [&](Met const& other) { return other.call == call && other.line == culpritLine(one.frames); });
    if (same != met.end()) {
      ++out[same->at].times;
      continue;
    }
    auto const* answer = ::strerrorname_np(one.answer);
    auto place = placeOf(one.frames, plugin, plugin_path);
    met.push_back({call, std::string(culpritLine(one.frames)), out.size()});
    out.push_back({std::move(call), answer == nullptr ? "" : answer, std::move(place), 1});
  }
  return out;
}

} // namespace garland::runtime::dev
