#include "host/sync/writes.h"

#include "host/sync/testing/house.h"

#include <optional>
#include <string>

namespace garland::sync {
namespace {

// Two daemons on one database, each with a store of its own.
class WritesOfTwo : public ::testing::Test {
protected:
  void SetUp() override {
    store::Options options;
    options.url = house.url;
    options.sha256 = vault::sha256;
    other =
        house.run(store::Store::open(house.loop.get_executor(), options, testing::allMigrations())).value();
    book = testing::openBook(house, *other);
    here = contextOn(*house.store, *house.book);
    there = contextOn(*other, *book);
  }
  void TearDown() override { house.run(other->close()).value(); }

  std::unique_ptr<Context> contextOn(store::Store& store, audit::Book& audit) {
    Dependencies doors{house.loop.get_executor(),
                       house.clock,
                       house.random,
                       house.log,
                       house.redactor,
                       store,
                       *house.vault,
                       audit,
                       house.egress,
                       house.supervisor,
                       house.catalogue,
                       testing::sharingKinds(),
                       ""};
    return Context::make(std::move(doors)).value();
  }
  // A record of that identity, if there is no other one.
  void bring(Context& context, std::string const& identity, std::optional<Result<void>>& kept) {
    Writes writes(context, vendor, "local");
    writes.insertRecord("crm.project", identity, json::object{{"name", identity}});
    writes.requireOnly("crm.project", identity);
    asio::co_spawn(house.loop, commitWrites(&context, std::move(writes)),
                   [&kept](std::exception_ptr, Result<void> result) { kept = std::move(result); });
  }

  testing::House house;
  std::string vendor = house.vendor();
  std::unique_ptr<store::Store> other;
  std::unique_ptr<audit::Book> book; // of the other one
  std::unique_ptr<Context> here, there;
};

TEST_F(WritesOfTwo, OneIdentityThatBothBringAtOnceIsOneRecord) {
  for (int i = 0; i < 40; ++i) {
    auto const identity = "wedding " + std::to_string(i);
    std::optional<Result<void>> one, two;
    bring(*here, identity, one);
    bring(*there, identity, two);
    house.drive([&] { return one && two; });
    EXPECT_NE(one->has_value(), two->has_value());
    for (auto const* each : {&*one, &*two})
      if (!*each) {
        EXPECT_EQ(each->error().kind, ErrorKind::conflict) << each->error().message;
      }
  }
  EXPECT_EQ(house.records(vendor).size(), 40U);
  EXPECT_EQ(house.rows("SELECT value FROM counters").at(0).integer(0), 40);
}

} // namespace
} // namespace garland::sync
