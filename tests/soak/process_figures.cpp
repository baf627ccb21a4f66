#include "tests/soak/process_figures.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <malloc.h>
#include <unistd.h>

namespace garland::soak {
namespace {

std::size_t entriesOf(char const* folder) {
  std::filesystem::directory_iterator const all(folder);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

} // namespace

ProcessFigures measureSelf() {
  ::malloc_trim(0);
  ProcessFigures out;
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages; // the second is what is resident
  out.resident = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  auto const heap = ::mallinfo2();
  out.heap = heap.uordblks + heap.hblkhd;
  out.descriptors = entriesOf("/proc/self/fd") - 1; // without the one that reads the folder
  out.threads = entriesOf("/proc/self/task");
  return out;
}

} // namespace garland::soak
