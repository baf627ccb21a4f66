// A vendor with one connected calendar, that of the provider "p": what tests of a single connection begin
// with.
#pragma once

#include "host/sync/testing/house.h"

namespace garland::sync::testing {

class OneCalendar : public ::testing::Test {
protected:
  // "e1000", "e1001", ...: in the order of the numbers as texts, too.
  static std::string uid(int i) { return "e" + std::to_string(1000 + i); }
  // So many events, at the provider.
  void fill(int count) {
    for (int i = 0; i < count; ++i) remote.put("/cal/" + uid(i), event(uid(i), "Shoot " + uid(i)));
  }

  House house;
  std::string vendor = house.vendor();
  FakeProvider& remote = house.provider("p");
  std::string connection = house.connect(vendor, "p");
};

} // namespace garland::sync::testing
