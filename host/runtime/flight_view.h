// The host's read-only view of a worker's flight page: which call held the processor. A hint only,
// because plugin code could write there.
#pragma once

#include "host/runtime/wire.h"

#include <sys/mman.h>

namespace garland::runtime {

class FlightView {
public:
  explicit FlightView(int fd) : at_(::mmap(nullptr, wire::kFlightPageBytes, PROT_READ, MAP_SHARED, fd, 0)) {}
  FlightView(FlightView const&) = delete;
  FlightView& operator=(FlightView const&) = delete;
  ~FlightView() {
    if (at_ != MAP_FAILED) ::munmap(at_, wire::kFlightPageBytes);
  }

  std::uint64_t slices() const { return page() ? page()->slices.load(std::memory_order_relaxed) : 0; }
  std::uint64_t callId() const { return page() ? page()->call_id.load(std::memory_order_relaxed) : 0; }

private:
  wire::FlightPage const* page() const {
    return at_ == MAP_FAILED ? nullptr : static_cast<wire::FlightPage const*>(at_);
  }
  void* at_;
};

} // namespace garland::runtime
