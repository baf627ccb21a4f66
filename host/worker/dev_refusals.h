// What an audit found, told as a list: each refused system call once, with its arguments in words, where the
// plugin made it and how often.
#pragma once

#include "host/runtime/wire.h"

#include <string>
#include <string_view>
#include <vector>

namespace garland::runtime::dev {

struct Refusal {
  std::string call;   // "socket(AF_INET, SOCK_STREAM, 0)"
  std::string answer; // "EPERM"
  std::string place;  // "connect_home (helper.c:12, plugin+0x1234)"; "" if no plugin code was on the stack
  std::size_t times = 0;
};

// In the order in which they were met first. Looking for files that are not there outside either is left out.
std::vector<Refusal> refusals(std::vector<wire::Refused> const& refused, std::string_view plugin,
                              std::string const& plugin_path);

// "socket(AF_INET, SOCK_STREAM, 0)"
std::string describeCall(wire::Refused const& refused);

} // namespace garland::runtime::dev
