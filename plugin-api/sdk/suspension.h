// Puts the thread's exception state aside while the host has the thread. Private to the SDK.
//
// The C++ runtime keeps a stack of caught exceptions per thread, not per fiber: a fiber that is parked
// inside a catch handler would leave its exception to the next one. So every suspending call of the
// host is made with that state empty, and gets it back afterwards.
#pragma once

#include <cxxabi.h>

#include <cstring>

namespace garland::sdk {

class Suspension {
public:
  Suspension() noexcept {
    std::memcpy(&saved_, __cxxabiv1::__cxa_get_globals(), sizeof saved_);
    State const none{};
    std::memcpy(__cxxabiv1::__cxa_get_globals(), &none, sizeof none);
  }
  ~Suspension() { std::memcpy(__cxxabiv1::__cxa_get_globals(), &saved_, sizeof saved_); }
  Suspension(Suspension const&) = delete;
  Suspension& operator=(Suspension const&) = delete;

private:
  struct State { // the Itanium C++ ABI, 2.2.2
    void* caught;
    unsigned int uncaught;
  };
  State saved_;
};

} // namespace garland::sdk
