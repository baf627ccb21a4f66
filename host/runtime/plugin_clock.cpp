// The page that a PluginClock shares with its workers.
#include "host/runtime/owned_fd.h"
#include "host/runtime/runtime.h"
#include "host/runtime/wire.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace garland::runtime {
namespace {

constexpr Milliseconds kCentury{100LL * 366 * 86'400'000};

class SharedClock final : public PluginClock {
public:
  SharedClock(OwnedFd fd, wire::ClockPage* page, TimePoint start)
      : fd_(std::move(fd)), page_(page), start_(start) {
    page_->now_ms.store(start.time_since_epoch().count());
  }
  ~SharedClock() override { ::munmap(page_, wire::kClockPageBytes); }

  TimePoint now() const override {
    return std::clamp(TimePoint(Milliseconds(page_->now_ms.load())), start_, start_ + kCentury);
  }
  void advance(Milliseconds span) override {
    page_->now_ms.store((now() + std::max(span, Milliseconds(0))).time_since_epoch().count());
  }
  int page() const override { return fd_.get(); }

private:
  OwnedFd fd_;
  wire::ClockPage* page_;
  TimePoint start_;
};

} // namespace

// Its size is sealed: a worker that shrank the page would kill the host with SIGBUS.
Result<std::shared_ptr<PluginClock>> PluginClock::create(TimePoint start) {
  constexpr int above_the_workers = 7; // dup2 onto the numbers of a worker must not overwrite it
  OwnedFd made(::memfd_create("garland-clock", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  OwnedFd fd(made ? ::fcntl(made.get(), F_DUPFD_CLOEXEC, above_the_workers) : -1);
  if (!fd || ::ftruncate(fd.get(), wire::kClockPageBytes) != 0 ||
      ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
    return Error(ErrorKind::transient, std::string("making a clock page failed: ") + std::strerror(errno));
  void* const at = ::mmap(nullptr, wire::kClockPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (at == MAP_FAILED)
    return Error(ErrorKind::transient, std::string("mapping a clock page failed: ") + std::strerror(errno));
  return std::make_shared<SharedClock>(std::move(fd), static_cast<wire::ClockPage*>(at), start);
}

} // namespace garland::runtime
