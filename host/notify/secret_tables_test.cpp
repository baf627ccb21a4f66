// The secrets of endpoints go to another master key, and to another host.
#include "host/custody/mover.h"
#include "host/custody/travel.h"
#include "host/notify/testing/studio.h"

namespace garland::notify {
namespace {

using testing::Studio;

struct SecretsOfEndpoints : ::testing::Test, Studio {
  SecretsOfEndpoints() {
    for (auto const& migration : custody::migrations()) house.write(migration.sql);
  }
  std::unique_ptr<vault::Vault> vaultOf(std::vector<std::string> const& names) {
    std::vector<vault::KeySource> sources;
    for (auto const& name : names) sources.push_back(vault::keySourceNamed(keys / name).value());
    return vault::Vault::open(sources, true, source).value();
  }
  custody::Dependencies with(vault::Vault& vault) {
    auto const executor = house.loop.get_executor();
    return custody::Dependencies{executor,     executor, house.clock,    house.random, house.log,
                                 *house.store, vault,    secretTables(), keys.path()};
  }
  std::string sealedNow() { return house.rows("SELECT sealed FROM notify_endpoints")[0].text(0); }

  TestFolder keys;
  SystemRandom source;
};

TEST_F(SecretsOfEndpoints, GetANewRevisionWithAnotherKeySoThatNoChangeWritesTheOldTextBack) {
  auto const made = addEndpoint();
  auto const before = endpoint(made.endpoint.id).revision;
  house.write("UPDATE notify_endpoints SET sealed='" +
              vaultOf({"old.key"})->seal(Secret("x"), "place").value() + "'");
  auto const both = vaultOf({"new.key", "old.key"});
  auto const dependencies = with(*both);
  house.run(custody::Moves(dependencies).begin(both->keyId())).value();
  custody::Mover mover(dependencies);
  while (house.run(mover.step()).value() != custody::Step::ended) {
  }
  EXPECT_EQ(vaultOf({"new.key"})->open(sealedNow(), "place").value().reveal(), "x");
  EXPECT_EQ(endpoint(made.endpoint.id).revision, before + 1);
}

TEST_F(SecretsOfEndpoints, AreTheSameOnAnotherHost) {
  auto const made = addEndpoint();
  addEvent("a");
  auto const here = with(*house.vault);
  auto const next = vaultOf({"new.key"}); // of the journey
  auto content = house.run(custody::readAll(&here, next.get())).value();
  ASSERT_EQ(content.size(), 1U);
  house.write("DELETE FROM notify_endpoints");
  auto const told = house.run(custody::writeAll(&here, std::move(content), next.get())).value();
  EXPECT_EQ(told.at(0).added, 1);
  auto const place = made.endpoint.vendor_id + "/" + made.endpoint.id + "/notify";
  EXPECT_EQ(house.vault->open(sealedNow(), place).value().reveal(), made.secret.reveal());
  EXPECT_EQ(endpoint(made.endpoint.id).place, 1) << "it is told what comes from now on";
}

} // namespace
} // namespace garland::notify
