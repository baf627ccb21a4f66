#include "host/runtime/memory_use.h"

#include "host/runtime/owned_fd.h"

#include <array>
#include <charconv>
#include <limits>

#include <fcntl.h>
#include <unistd.h>

namespace garland::runtime {

std::string MemoryUse::describe() const {
  return "had used " + std::to_string(used >> 20U) + " of its " + std::to_string(limit >> 20U) +
         " MiB of memory";
}

std::size_t addressSpaceIn(std::string_view statm, std::size_t page) {
  std::size_t pages = 0;
  auto const read = std::from_chars(statm.data(), statm.data() + statm.size(), pages);
  bool const usable = read.ec == std::errc() && pages <= std::numeric_limits<std::size_t>::max() / page;
  return usable ? pages * page : 0;
}

std::size_t addressSpaceOf(pid_t child) {
  auto const path = "/proc/" + std::to_string(child) + "/statm";
  OwnedFd const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 64> text{};
  auto const size = file ? ::read(file.get(), text.data(), text.size()) : -1;
  if (size <= 0) return 0;
  return addressSpaceIn({text.data(), static_cast<std::size_t>(size)},
                        static_cast<std::size_t>(::getpagesize()));
}

} // namespace garland::runtime
