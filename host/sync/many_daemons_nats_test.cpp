// Two daemons on one PostgreSQL database that tell each other over a real nats-server.
#include "host/nats/nats.h"
#include "host/nats/nats_fixture.h"
#include "host/sync/testing/fake_notices.h"
#include "host/sync/testing/neighbour.h"

#include <gmock/gmock.h>

#include <chrono>

namespace garland::sync::testing {
namespace {

using ::testing::Contains;

class OverNats : public ::testing::Test {
protected:
  std::shared_ptr<Carrier> carrier() {
    nats::Options options;
    options.servers = server.url();
    return nats::connect(house.loop.get_executor(), quiet, std::move(options));
  }
  void until(std::function<bool()> done) {
    auto const give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      house.run(nothing()).value();
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "it does not come to that";
    }
  }
  void untilConnected(Neighbour const& a, Neighbour const& b) {
    until([&] { return a.carrier->connected() && b.carrier->connected(); });
  }
  std::int64_t projects() {
    return house.rows("SELECT COUNT(*) FROM records WHERE kind='crm.project'")[0].integer(0);
  }

  House house;
  Log quiet{house.clock, house.redactor, LogLevel::error, [](std::string_view) {}};
  nats::NatsFixture server;
};

TEST_F(OverNats, AChangeCommittedElsewhereIsToldHere) {
  server.start();
  auto const vendor = house.vendor();
  Neighbour a(house, "a", 1, carrier());
  Neighbour b(house, "b", 2, carrier());
  untilConnected(a, b);
  std::vector<std::string> grown;
  b.engine->onChange(this, [&grown](std::string const& id) { grown.push_back(id); });
  auto const before = house.clock.now();
  house.run(a.engine->addRecord(vendor, "calendar.event", event("e1", "Tasting"), "")).value();
  until([&] { return !grown.empty(); });
  EXPECT_THAT(grown, Contains(vendor));
  EXPECT_EQ(house.clock.now(), before) << "it was told; nobody looked by the clock";
  b.engine->onChange(this, nullptr);
}

TEST_F(OverNats, WhoIsAskedToStopHandsOverAtOnce) {
  server.start();
  auto const vendor = house.vendor();
  for (int i = 0; i < 4; ++i) house.connect(vendor, "p" + std::to_string(i));
  Neighbour a(house, "a", 1, carrier());
  Neighbour b(house, "b", 2, carrier());
  untilConnected(a, b);
  auto const before = house.clock.now();
  a.stop();
  until([&] { return b.connections() == 4; });
  EXPECT_EQ(house.clock.now(), before);
}

TEST_F(OverNats, WithoutItNothingIsLostAndItIsUsedAsSoonAsItIsThere) {
  FakeNotices notices(house);
  for (auto const* const id : {"p1", "p2", "p3"})
    notices.projects.put(id, json::object{{"name", id}, {"stage", "lead"}});
  Neighbour a(house, "a", 1, carrier());
  Neighbour b(house, "b", 2, carrier());
  until([&] { return a.has(notices.connection); });
  auto const accept = [&](std::string const& id) {
    auto delivery = notices.delivery(id, FakeNotices::about({id}));
    EXPECT_FALSE(house.run(b.engine->webhooks().accept(std::move(delivery))).value());
  };
  accept("p1"); // NATS was never there
  until([&] {
    house.clock.advance(Milliseconds(100));
    return projects() == 1;
  });
  server.start();
  untilConnected(a, b);
  accept("p2");
  until([&] { return projects() == 2; });
  server.kill();
  until([&] { return !a.carrier->connected() && !b.carrier->connected(); });
  accept("p3");
  until([&] {
    house.clock.advance(Milliseconds(100));
    return projects() == 3;
  });
  EXPECT_THAT(a.workers.operations, Contains("webhooks.parse/1"));
}

} // namespace
} // namespace garland::sync::testing
