#include "host/runtime/worker_time.h"

#include "host/runtime/wire.h"
#include "host/runtime/worker_channel.h"

#include <ctime>
#include <sys/mman.h>
#include <sys/stat.h>

namespace garland::runtime::worker {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000; // in nanoseconds

wire::ClockPage* page = nullptr; // set before plugin code exists

} // namespace

bool takeClockPage(int fd) {
  struct stat what{};
  if (::fstat(fd, &what) != 0 || !S_ISREG(what.st_mode)) return false;
  if (what.st_size < static_cast<off_t>(wire::kClockPageBytes)) return false;
  void* const at = ::mmap(nullptr, wire::kClockPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return false;
  page = static_cast<wire::ClockPage*>(at);
  return true;
}

std::int64_t pluginWallMs() {
  if (page != nullptr) return page->now_ms.load();
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000 + now.tv_nsec / kMillisecond;
}

std::int64_t pluginMonotonicNs() {
  return page != nullptr ? page->now_ms.load() * kMillisecond : monotonicNow();
}

std::int64_t pluginTimeOf(std::int64_t machine_ns) {
  return page != nullptr ? pluginMonotonicNs() : machine_ns;
}

bool passTime(std::int64_t until_ns) {
  if (page == nullptr) return false;
  auto const until = (until_ns + kMillisecond - 1) / kMillisecond;
  auto now = page->now_ms.load();
  while (now < until && !page->now_ms.compare_exchange_weak(now, until)) {
  }
  return true;
}

} // namespace garland::runtime::worker
