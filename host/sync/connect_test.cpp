#include "host/sync/connections.h"
#include "host/sync/session.h"
#include "host/sync/testing/house.h"
#include "host/sync/waiting.h"

namespace garland::sync {
namespace {

using testing::House;

using Fields = std::vector<std::pair<std::string, std::string>>;

class Connect : public ::testing::Test {
protected:
  House house;
  std::string vendor = house.vendor();
  bool again = false; // what the last connect() said

  Result<Connection> connect(json::value settings, std::string slot, Fields fields) {
    ConnectRequest request;
    request.vendor_id = vendor;
    request.plugin_id = "fake";
    request.settings = std::move(settings);
    std::vector<std::pair<std::string, Secret>> secrets;
    for (auto& [name, text] : fields) secrets.emplace_back(name, Secret(text));
    request.credentials.emplace_back(std::move(slot), std::move(secrets));
    auto connected = house.run(house.engine->connect(std::move(request)));
    if (!connected) return connected.error();
    again = connected->again;
    return connected->connection;
  }
  Fields good() { return {{"username", "ada"}, {"password", "correct horse battery"}}; }
  json::value settings() { return json::object{{"provider", "p"}}; }
  void edit(std::string const& uid, std::string const& title) {
    house.run(testing::putMember(house.engine.get(), vendor, uid, "title", title)).value();
  }
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

TEST_F(Connect, APasswordInsideAnAddressIsRefusedAndNotRepeated) {
  auto const told = connect(json::object{{"provider", "http://rosa:open-sesame@host/"}}, "login", good());
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().kind, ErrorKind::invalidInput);
  EXPECT_EQ(told.error().field, "/settings/provider");
  EXPECT_EQ(told.error().message.find("open-sesame"), std::string::npos) << told.error().message;
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

TEST_F(Connect, AnotherAccountIsAnotherConnection) {
  auto const first = connect(settings(), "login", good()).value();
  EXPECT_FALSE(again);
  auto const other = connect(json::object{{"provider", "q"}}, "login", good()).value();
  EXPECT_FALSE(again);
  EXPECT_NE(other.id, first.id);
}

TEST_F(Connect, AccountsOfOneNameAreToldApartByTheProvidersId) {
  for (auto const* name : {"p", "q"}) {
    house.provider(name).account = "studio@example.com";
    house.provider(name).account_id = "acct_" + std::string(name);
  }
  auto const first = connect(settings(), "login", good()).value();
  auto const other = connect(json::object{{"provider", "q"}}, "login", good());
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_NE(other->id, first.id);
  // The same one is known by its id when it has another name.
  house.provider("p").account = "Studio Lindenau";
  auto const renamed = connect(settings(), "login", good()).value();
  EXPECT_TRUE(again);
  EXPECT_EQ(renamed.id, first.id);
  EXPECT_EQ(house.run(house.engine->connection(first.id)).value().account_name, "Studio Lindenau");
}

TEST_F(Connect, AnAccountThatWasKeptByItsNameIsFoundAgainWhenItsConnectorTellsAnId) {
  auto const first = connect(settings(), "login", good()).value();
  house.provider("p").account_id = "acct_p";
  EXPECT_EQ(connect(settings(), "login", good()).value().id, first.id);
  house.provider("p").account = "another name";
  EXPECT_EQ(connect(settings(), "login", good()).value().id, first.id);
}

TEST_F(Connect, OtherSettingsOfAnAccountAreJudgedByItsId) {
  house.provider("p").account_id = house.provider("q").account_id = "acct_1";
  auto const first = connect(settings(), "login", good()).value();
  EXPECT_TRUE(house.run(house.engine->changeSettings(first.id, {{"provider", "q"}})));
  house.provider("r").account = house.provider("q").account;
  house.provider("r").account_id = "acct_2";
  auto const moved = house.run(house.engine->changeSettings(first.id, {{"provider", "r"}}));
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().kind, ErrorKind::conflict);
}

TEST(ConnectRequests, TheSessionTokenOfAKeyMayBeLeftOutNothingElse) {
  auto const manifest = runtime::parseManifest(R"({"id":"a.b","version":"1","auth":[{"slot":"key",
    "scheme":"sigv4","region":"a","service":"b","fields":["id","key","session"]}]})");
  ASSERT_TRUE(manifest) << manifest.error().message;
  auto const said = [&](std::vector<std::string> const& given) {
    ConnectRequest request;
    std::vector<std::pair<std::string, Secret>> fields;
    for (auto const& name : given) fields.emplace_back(name, Secret("x"));
    request.credentials.emplace_back("key", std::move(fields));
    auto const checked = checkConnectRequest(*manifest, request);
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(said({"id", "key", "session"}), "");
  EXPECT_EQ(said({"id", "key"}), "");
  EXPECT_EQ(said({"id", "session"}), "the field \"key\" is missing");
}

TEST_F(Connect, TheSameAccountAgainGetsANewCredentialAndKeepsWhatWaits) {
  auto& remote = house.provider("p");
  remote.put("/cal/a", testing::event("a", "A"));
  auto const first = connect(settings(), "login", good()).value();
  house.sync(first.id);
  edit("a", "Mine");
  house.run(house.engine->addRecord(vendor, "calendar.event", testing::event("n", "N"), first.id)).value();
  remote.refuse_writes = remote.refuse_pulls = Error(ErrorKind::authExpired, "the password was changed");
  house.sync(first.id);
  EXPECT_EQ(house.run(house.engine->connection(first.id)).value().state, "reconnect needed");

  remote.refuse_account = Error(ErrorKind::authExpired, "the password was not accepted");
  auto const before = house.rows("SELECT sealed FROM credentials")[0].text(0);
  EXPECT_FALSE(connect(settings(), "login", {{"username", "ada"}, {"password", "a wrong guess"}}));
  EXPECT_EQ(house.rows("SELECT sealed FROM credentials")[0].text(0), before);
  EXPECT_EQ(house.run(house.engine->connection(first.id)).value().state, "reconnect needed");

  remote.refuse_account.reset();
  auto const links = house.rows("SELECT 1 FROM links").size();
  auto const back = connect(settings(), "login", {{"username", "ada"}, {"password", "new horse"}});
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(again);
  EXPECT_EQ(back->id, first.id);
  EXPECT_EQ(back->state, "connected");
  EXPECT_EQ(house.run(house.engine->connection(first.id)).value().state, "connected");
  EXPECT_EQ(house.rows("SELECT 1 FROM links").size(), links);
  auto const sealed = house.rows("SELECT sealed FROM credentials");
  ASSERT_EQ(sealed.size(), 1U);
  auto const opened = house.vault->open(sealed[0].text(0), credentialContext(*back, "login"));
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_NE(opened->reveal().find("new horse"), std::string_view::npos);

  remote.refuse_writes.reset();
  remote.refuse_pulls.reset();
  auto const run = house.sync(first.id);
  EXPECT_EQ(run.pushed.updated, 1);
  EXPECT_EQ(run.pushed.created, 1);
  EXPECT_EQ(textOr(remote.events().at("/cal/a").data, "/title", ""), "Mine");
}

TEST_F(Connect, AHealthyAccountConnectedAgainIsTheSameConnectionToo) {
  auto const first = connect(settings(), "login", good()).value();
  auto const second = connect(settings(), "login", good()).value();
  EXPECT_TRUE(again);
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(house.run(house.engine->connections(vendor)).value().size(), 1U);
}

TEST_F(Connect, TheSameAccountWithOtherSettingsIsAConflictThatNamesTheFirst) {
  auto const first = connect(settings(), "login", good()).value();
  auto const other =
      connect(json::object{{"provider", "p"}, {"calendars", json::array{"home"}}}, "login", good());
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::conflict);
  EXPECT_NE(other.error().message.find("garland connections set " + first.id), std::string::npos);
  EXPECT_EQ(other.error().field, "/settings");
}

TEST_F(Connect, OtherSettingsKeepTheConnectionAndBringEverythingInAnewIntoTheSameRecords) {
  auto& remote = house.provider("p");
  remote.put("/cal/a", testing::event("a", "A"));
  remote.put("/cal/b", testing::event("b", "B"));
  auto const first = connect(settings(), "login", good()).value();
  house.sync(first.id);
  edit("b", "Mine");
  auto const before = house.recordOf(vendor, "a");
  remote.mend("/cal/a", testing::event("a", "As it is read now"));

  auto const changed =
      house.run(house.engine->changeSettings(first.id, json::object{{"calendars", json::array{"home"}}}));
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_EQ(changed->id, first.id);
  EXPECT_EQ(json::serialize(changed->settings), R"({"provider":"p","calendars":["home"]})");
  auto const run = house.sync(first.id);
  EXPECT_EQ(run.pushed.updated, 1);
  EXPECT_EQ(run.pulled.created, 0);
  EXPECT_EQ(house.records(vendor).size(), 2U);
  EXPECT_EQ(house.recordOf(vendor, "a").id, before.id);
  EXPECT_EQ(house.recordOf(vendor, "a").data.at("title"), "As it is read now");
  EXPECT_EQ(remote.events().at("/cal/b").data.at("title"), "Mine");

  auto const without =
      house.run(house.engine->changeSettings(first.id, json::object{{"calendars", nullptr}}));
  ASSERT_TRUE(without) << without.error().message;
  EXPECT_EQ(json::serialize(without->settings), R"({"provider":"p"})");
}

TEST_F(Connect, SettingsThatDoNotFitOrAreRefusedOrMeanAnotherAccountChangeNothing) {
  auto const first = connect(settings(), "login", good()).value();
  auto const change = [&](json::object changes) {
    auto const done = house.run(house.engine->changeSettings(first.id, std::move(changes)));
    return done ? Error(ErrorKind::pluginBug, "it was changed") : done.error();
  };
  EXPECT_EQ(change({{"colour", "red"}}).kind, ErrorKind::invalidInput);
  EXPECT_EQ(change({{"provider", nullptr}}).kind, ErrorKind::invalidInput);
  house.provider("p").refuse_account = Error(ErrorKind::authExpired, "no");
  EXPECT_EQ(change({{"calendars", json::array{"home"}}}).kind, ErrorKind::authExpired);
  auto const other = change({{"provider", "q"}});
  EXPECT_EQ(other.kind, ErrorKind::conflict);
  EXPECT_EQ(other.message,
            "with these settings the account is ada of q and no longer ada of p; connect that one "
            "as an account of its own");
  EXPECT_EQ(json::serialize(house.run(house.engine->connection(first.id)).value().settings),
            R"({"provider":"p"})");
  EXPECT_EQ(house.run(house.engine->changeSettings("con_none", {})).error().kind, ErrorKind::notFound);
}

// A twin that was started anew listens at another port.
class Moving : public Connect {
protected:
  std::string const old_url = "http://127.0.0.1:4242/v1";
  std::string const new_url = "http://127.0.0.1:5151/v1";
  Connection first;

  void SetUp() override {
    auto plugins = house.catalogue.plugins();
    for (auto& plugin : plugins)
      if (plugin.manifest.id == "test.calendar.fake") plugin.manifest.hosts.emplace_back("setting:/provider");
    house.catalogue.renew(runtime::Catalogue(std::move(plugins)));
    for (auto const& url : {old_url, new_url}) {
      house.provider(url).account = "Twin Studio";
      house.provider(url).account_id = "acct_1";
    }
    first = connect(json::object{{"provider", old_url}}, "login", good()).value();
  }
  Result<Connection> move(Fields fields, std::string const& slot = "login") {
    Credentials credentials;
    std::vector<std::pair<std::string, Secret>> secrets;
    for (auto& [name, text] : fields) secrets.emplace_back(name, Secret(text));
    if (!fields.empty()) credentials.emplace_back(slot, std::move(secrets));
    return house.run(
        house.engine->changeSettings(first.id, json::object{{"provider", new_url}}, std::move(credentials)));
  }
  std::vector<json::value> moves() {
    auto changes = house.told("change");
    std::erase_if(changes,
                  [](json::value const& change) { return textOr(change, "/act", "") != "connection.move"; });
    return changes;
  }
  std::string address() {
    auto const now = house.run(house.engine->connection(first.id)).value();
    return textOr(now.settings, "/provider", "");
  }
  std::string sealed() { return house.rows("SELECT sealed FROM credentials").at(0).text(0); }
};

TEST_F(Moving, IsRefusedWithoutTheCredentialAndTheRefusalSaysWhatToType) {
  auto const refused = move({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalidInput);
  EXPECT_NE(refused.error().message.find("garland connections set " + first.id), std::string::npos)
      << refused.error().message;
  EXPECT_NE(refused.error().message.find("--credential"), std::string::npos);
  EXPECT_EQ(address(), old_url);
}

TEST_F(Moving, WithTheCredentialGivenAgainKeepsTheConnectionAndIsAudited) {
  house.provider(old_url).put("/cal/a", testing::event("a", "A"));
  house.provider(new_url).put("/cal/a", testing::event("a", "A"));
  house.sync(first.id);
  auto const record = house.recordOf(vendor, "a").id;
  auto const before = sealed();
  auto const moved = move(good());
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(moved->id, first.id);
  EXPECT_EQ(address(), new_url);
  EXPECT_NE(sealed(), before) << "what was typed replaces what there was";
  auto const told = moves();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(textOr(told[0], "/subject", ""), first.id);
  auto const detail = textOr(told[0], "/facts/detail", "");
  EXPECT_NE(detail.find("127.0.0.1:5151"), std::string::npos) << detail;
  EXPECT_NE(detail.find("127.0.0.1:4242"), std::string::npos) << detail;
  EXPECT_EQ(house.sync(first.id).state, "done");
  EXPECT_EQ(house.recordOf(vendor, "a").id, record);
}

TEST_F(Moving, ToWhatRefusesTheCredentialOrIsAnotherAccountOrIsNotWellTypedChangesNothing) {
  auto const before = sealed();
  EXPECT_FALSE(move({{"username", "ada"}}));
  EXPECT_FALSE(move(good(), "token"));
  house.provider(new_url).refuse_account = Error(ErrorKind::authExpired, "no");
  EXPECT_FALSE(move(good()));
  house.provider(new_url).refuse_account.reset();
  house.provider(new_url).account_id = "acct_2";
  auto const other = move(good());
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::conflict);
  EXPECT_EQ(address(), old_url);
  EXPECT_EQ(sealed(), before);
  EXPECT_TRUE(moves().empty());
}

TEST_F(Moving, IsNoMatterOfAnotherSetting) {
  auto const changed =
      house.run(house.engine->changeSettings(first.id, json::object{{"calendars", json::array{"home"}}}));
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_TRUE(moves().empty());
}

Task<void> refusedAfter(Event* here, Event* go) {
  here->set();
  CO_TRY_VOID(co_await go->wait());
  co_return Error(ErrorKind::authExpired, "the password was changed");
}

TEST_F(Connect, ARunThatBeganWithTheOldCredentialSaysNothingAboutTheNewOne) {
  auto const first = connect(settings(), "login", good()).value();
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  house.provider("p").during_pull = [&](runtime::CallHost*) { return refusedAfter(&here, &go); };
  auto const started = house.run(house.engine->startSync(first.id)).value();
  house.run(here.wait()).value();
  ASSERT_TRUE(connect(settings(), "login", good()));
  go.set();
  EXPECT_EQ(house.run(house.engine->waitForRun(started.id)).value().error->kind, ErrorKind::authExpired);
  EXPECT_EQ(house.run(house.engine->connection(first.id)).value().state, "connected");
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
  house.run(house.engine->disconnect(connection.id, false)).value();
  nothingIsKept();
  for (auto const* table : {"links", "cursors", "pushes", "runs"})
    EXPECT_TRUE(house.rows("SELECT 1 FROM " + std::string(table)).empty()) << table;
  EXPECT_EQ(house.records(vendor).size(), 1U);
}

TEST_F(Connect, DisconnectingIsRefusedWhileEditsWaitUnlessTheyAreDiscarded) {
  house.provider("p").put("/cal/a", testing::event("a", "A"));
  house.provider("p").put("/cal/b", testing::event("b", "B"));
  auto const connection = connect(settings(), "login", good()).value();
  house.sync(connection.id);
  edit("a", "Mine");
  house.run(house.engine->deleteRecord(vendor, house.recordOf(vendor, "b").id, 0)).value();
  auto const add = [&](std::string const& uid) {
    return house
        .run(house.engine->addRecord(vendor, "calendar.event", testing::event(uid, "N"), connection.id))
        .value();
  };
  add("n");
  house.run(house.engine->deleteRecord(vendor, add("never written").id, 0)).value();

  auto const refused = house.run(house.engine->disconnect(connection.id, false));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_NE(refused.error().message.find("3 unsent changes"), std::string::npos) << refused.error().message;
  EXPECT_EQ(house.rows("SELECT 1 FROM pushes").size(), 4U);
  EXPECT_EQ(house.recordOf(vendor, "a").waiting.size(), 1U);

  house.run(house.engine->disconnect(connection.id, true)).value();
  nothingIsKept();
  EXPECT_TRUE(house.rows("SELECT 1 FROM pushes").empty());
  EXPECT_TRUE(house.recordOf(vendor, "a").waiting.empty()) << "nobody will write it";
}

TEST_F(Connect, AnEditThatComesInWhileTheAccountIsDisconnectedIsNotLost) {
  house.provider("p").put("/cal/a", testing::event("a", "A"));
  auto const connection = connect(settings(), "login", good()).value();
  house.sync(connection.id);
  house.cut->before_commit = [&] {
    return testing::putMember(house.engine.get(), vendor, "a", "title", "Mine");
  };
  auto const refused = house.run(house.engine->disconnect(connection.id, false));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("1 unsent change "), std::string::npos) << refused.error().message;
  EXPECT_EQ(house.rows("SELECT 1 FROM pushes").size(), 1U);
}

TEST_F(Connect, WhetherAMasterKeyIsNeededIsKnown) {
  EXPECT_FALSE(house.run(holdsCredentials(*house.store)).value());
  ASSERT_TRUE(connect(settings(), "login", good()));
  EXPECT_TRUE(house.run(holdsCredentials(*house.store)).value());
}

class AnyMailbox final : public egress::Mailbox {
public:
  std::uint32_t validity() const override { return 7; }
  std::uint32_t next() const override { return 1; }
  Task<std::vector<std::uint32_t>> list(std::uint32_t, std::uint32_t, std::optional<TimePoint>) override {
    co_return std::vector<std::uint32_t>();
  }
  Task<std::string> message(std::uint32_t, std::size_t) override { co_return std::string(); }
};

class MailEgress final : public egress::Client {
public:
  Task<egress::Response> fetch(egress::Request, egress::Policy, egress::Credential) override {
    co_return Error(ErrorKind::unsupported, "not in this test");
  }
  Task<std::unique_ptr<egress::Mailbox>> visit(egress::MailboxPlace, egress::Policy) override {
    co_return std::unique_ptr<egress::Mailbox>(std::make_unique<AnyMailbox>());
  }
  void onAudit(std::function<void(egress::AuditEntry const&)>) override {}
  void shutdown() override {}
};

TEST(MailboxAccountsTest, AVisitOfAMailboxThatWasRemovedSavesNothingIntoTheOneThatIsNamedNext) {
  testing::House house;
  auto plugins = house.catalogue.plugins();
  for (auto& plugin : plugins)
    if (auto* document = plugin.manifest.document.if_object();
        document && plugin.manifest.id == "test.crm.form")
      (*document)["intake"] = json::object{{"mail", json::object()}};
  house.catalogue.renew(runtime::Catalogue(std::move(plugins)));
  auto const vendor = house.vendor();
  MailEgress egress;
  Dependencies with{house.loop.get_executor(),
                    house.clock,
                    house.random,
                    house.log,
                    house.redactor,
                    *house.cut,
                    *house.vault,
                    *house.book,
                    egress,
                    house.supervisor,
                    house.catalogue,
                    testing::sharingKinds(),
                    ""};
  auto engine = house.run(Engine::create(std::move(with))).value();
  auto& mailboxes = engine->mailboxes();
  MailboxAccount account;
  account.connection_id = house.connect(vendor, "form", "test.crm.form");
  account.url = "imaps://old.example.com";
  account.username = "rosa";
  auto under_way = house.run(mailboxes.watch(account, Secret("words"))).value();
  under_way.taken_to = 500;
  under_way.stuck_at = 501;
  under_way.attempts = 2;
  ASSERT_TRUE(house.run(mailboxes.save(under_way)));
  auto const saved = house.run(mailboxes.of(account.connection_id)).value();
  EXPECT_EQ(saved.taken_to, 500U);
  EXPECT_EQ(saved.stuck_at, 501U);
  EXPECT_EQ(saved.attempts, 2);
  house.run(mailboxes.unwatch(account.connection_id)).value();
  house.clock.advance(Milliseconds(1));
  account.url = "imaps://new.example.com";
  house.run(mailboxes.watch(account, Secret("words"))).value();
  EXPECT_FALSE(house.run(mailboxes.save(under_way)));
  EXPECT_EQ(house.run(mailboxes.of(account.connection_id)).value().taken_to, 0U);
  house.run(engine->stop()).value();
}

} // namespace
} // namespace garland::sync
