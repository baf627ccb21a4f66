#include "host/runtime/child_state.h"

#include "host/runtime/owned_fd.h"

#include <array>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace garland::runtime {

bool sleepsIn(std::string_view stat) {
  auto const name_ends = stat.rfind(')'); // the name may have one of its own
  if (name_ends == std::string_view::npos) return false;
  auto const state = stat.substr(name_ends);
  return state.starts_with(") S ") || state.starts_with(") T ") || state.starts_with(") t ");
}

bool sleeps(pid_t child) {
  auto const path = "/proc/" + std::to_string(child) + "/stat";
  OwnedFd const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> text{};
  auto const size = file ? ::read(file.get(), text.data(), text.size()) : -1;
  return size > 0 && sleepsIn({text.data(), static_cast<std::size_t>(size)});
}

} // namespace garland::runtime
