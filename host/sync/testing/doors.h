// What a Context is made of, where a test has a House and wants one part of its engine alone.
#pragma once

#include "host/sync/context.h"
#include "host/sync/testing/house.h"

namespace garland::sync::testing {

inline Dependencies doorsOf(House& house) {
  return Dependencies{house.loop.get_executor(),
                      house.clock,
                      house.random,
                      house.log,
                      house.redactor,
                      *house.cut,
                      *house.vault,
                      *house.book,
                      house.egress,
                      house.supervisor,
                      house.catalogue,
                      sharingKinds(),
                      ""};
}

} // namespace garland::sync::testing
