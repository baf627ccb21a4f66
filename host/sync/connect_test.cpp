#include "host/sync/testing/house.h"

namespace garland::sync {
namespace {

using testing::House;

using Fields = std::vector<std::pair<std::string, std::string>>;

class Connect : public ::testing::Test {
protected:
  House house;
  std::string vendor = house.vendor();

  Result<Connection> connect(json::value settings, std::string slot, Fields fields) {
    ConnectRequest request;
    request.vendor_id = vendor;
    request.plugin_id = "fake";
    request.settings = std::move(settings);
    std::vector<std::pair<std::string, Secret>> secrets;
    for (auto& [name, text] : fields) secrets.emplace_back(name, Secret(text));
    request.credentials.emplace_back(std::move(slot), std::move(secrets));
    return house.run(house.engine->connect(std::move(request)));
  }
  Fields good() { return {{"username", "ada"}, {"password", "correct horse battery"}}; }
  json::value settings() { return json::object{{"provider", "p"}}; }
  void nothingIsKept() {
    EXPECT_TRUE(house.run(house.engine->connections(vendor)).value().empty());
    EXPECT_TRUE(house.rows("SELECT 1 FROM credentials").empty());
    EXPECT_TRUE(house.rows("SELECT 1 FROM plugin_kv").empty());
  }
};

TEST_F(Connect, TheAccountIsCheckedNamedAndItsCredentialSealed) {
  auto const connection = connect(settings(), "login", good());
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ(connection->plugin_id, "test.calendar.fake");
  EXPECT_EQ(connection->account_name, "ada of p");
  EXPECT_EQ(connection->state, "connected");
  auto const sealed = house.rows("SELECT sealed FROM credentials");
  ASSERT_EQ(sealed.size(), 1U);
  EXPECT_EQ(sealed[0].text(0).find("correct horse"), std::string::npos);
  EXPECT_EQ(house.run(house.engine->connection(connection->id)).value().account_name, "ada of p");
}

TEST_F(Connect, AWrongSettingIsToldByItsPlace) {
  auto const unknown = connect(json::object{{"provider", "p"}, {"colour", "red"}}, "login", good());
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::invalidInput);
  auto const wrong = connect(json::object{{"provider", 1}}, "login", good());
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().field, "/settings/provider");
  nothingIsKept();
}

TEST_F(Connect, AnUnknownSlotOrFieldIsToldByItsPlaceAndAMissingOneToo) {
  auto const slot = connect(settings(), "token", good());
  ASSERT_FALSE(slot);
  EXPECT_EQ(slot.error().field, "/credentials/token");
  auto const field = connect(settings(), "login", {{"username", "a"}, {"password", "b"}, {"pin", "c"}});
  ASSERT_FALSE(field);
  EXPECT_EQ(field.error().field, "/credentials/login/pin");
  auto const missing = connect(settings(), "login", {{"username", "a"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().field, "/credentials/login/password");
  nothingIsKept();
}

TEST_F(Connect, WhatTheProviderSaysIsPassedOnAndNothingIsKept) {
  house.provider("p").refuse_account = Error(ErrorKind::authExpired, "the password was not accepted");
  auto const connection = connect(settings(), "login", good());
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().kind, ErrorKind::authExpired);
  EXPECT_EQ(connection.error().message, "the password was not accepted");
  nothingIsKept();
}

TEST_F(Connect, TheSameAccountTwiceIsAConflictThatNamesTheFirst) {
  auto const first = connect(settings(), "login", good());
  ASSERT_TRUE(first);
  auto const second = connect(settings(), "login", good());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::conflict);
  EXPECT_NE(second.error().message.find(first->id), std::string::npos);
  EXPECT_EQ(house.run(house.engine->connections(vendor)).value().size(), 1U);
  auto const other = connect(json::object{{"provider", "q"}}, "login", good());
  EXPECT_TRUE(other) << "another account is another connection";
}

TEST_F(Connect, APluginThatIsNotEnabledSaysWhatToType) {
  house.run(house.engine->disablePlugin(vendor, "fake")).value();
  auto const connection = connect(settings(), "login", good());
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().kind, ErrorKind::forbidden);
  EXPECT_NE(connection.error().message.find("garland plugins enable"), std::string::npos);
}

TEST_F(Connect, AnUnknownVendorOrPluginIsNotFound) {
  EXPECT_EQ(house.run(house.engine->enablePlugin(vendor, "nothing")).error().kind, ErrorKind::notFound);
  EXPECT_EQ(house.run(house.engine->enablePlugin("ven_x", "fake")).error().kind, ErrorKind::notFound);
  EXPECT_EQ(house.run(house.engine->connection("con_x")).error().kind, ErrorKind::notFound);
  EXPECT_EQ(house.run(house.engine->startSync("con_x")).error().kind, ErrorKind::notFound);
}

TEST_F(Connect, DisconnectingForgetsEverythingButTheRecords) {
  house.provider("p").put("/cal/a", testing::event("a", "A"));
  auto const connection = connect(settings(), "login", good()).value();
  house.sync(connection.id);
  house.run(house.engine->disconnect(connection.id)).value();
  nothingIsKept();
  for (auto const* table : {"links", "cursors", "pushes", "runs"})
    EXPECT_TRUE(house.rows("SELECT 1 FROM " + std::string(table)).empty()) << table;
  EXPECT_EQ(house.records(vendor).size(), 1U);
}

} // namespace
} // namespace garland::sync
