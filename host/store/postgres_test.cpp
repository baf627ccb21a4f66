// What only PostgreSQL has: daemons that start together, and a server that goes away in mid-flight.
#include "host/store/store_testing.h"

#include <gmock/gmock.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <random>
#include <set>

#include <libpq-fe.h>

namespace garland::store {
namespace {

using asio::ip::tcp;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

// Between the store and the server; cuts the line when a word is sent for the first time.
class Proxy {
public:
  enum class Cut { before, after }; // before the server has the word, or after it has answered it

  Proxy(Loop& loop, unsigned short server_port)
      : acceptor_(loop.context(), tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        server_port_(server_port) {
    asio::co_spawn(loop.context(), acceptLoop(this), asio::detached);
  }
  unsigned short port() const { return acceptor_.local_endpoint().port(); }
  void cutOnce(std::string word, Cut when) {
    word_ = std::move(word);
    when_ = when;
  }
  bool hasCut() const { return cuts_ > 0; }
  void stop() { acceptor_.close(); }

private:
  struct Link {
    explicit Link(asio::any_io_executor executor) : client(executor), server(executor) {}
    tcp::socket client;
    tcp::socket server;
    bool mute = false; // the next answer is swallowed and the line cut
  };
  using LinkPointer = std::shared_ptr<Link>;

  static asio::awaitable<void> acceptLoop(Proxy* self) {
    auto const executor = self->acceptor_.get_executor();
    while (true) {
      auto link = std::make_shared<Link>(executor);
      auto const [refused] = co_await self->acceptor_.async_accept(link->client, kToken);
      if (refused) co_return;
      tcp::endpoint const server(asio::ip::address_v4::loopback(), self->server_port_);
      auto const [failed] = co_await link->server.async_connect(server, kToken);
      if (failed) continue;
      asio::co_spawn(executor, toServer(self, link), asio::detached);
      asio::co_spawn(executor, toClient(link), asio::detached);
    }
  }

  static asio::awaitable<void> toServer(Proxy* self, LinkPointer link) {
    std::array<char, 65536> chunk{};
    while (true) {
      auto const [ended, length] = co_await link->client.async_read_some(asio::buffer(chunk), kToken);
      if (ended) break;
      std::string_view const text(chunk.data(), length);
      bool const found = !self->word_.empty() && text.find(self->word_) != std::string_view::npos;
      if (found) {
        self->word_.clear();
        ++self->cuts_;
        if (self->when_ == Cut::before) break;
        link->mute = true;
      }
      auto const [failed, written] = co_await asio::async_write(link->server, asio::buffer(text), kToken);
      if (failed) break;
    }
    close(link);
  }

  static asio::awaitable<void> toClient(LinkPointer link) {
    std::array<char, 65536> chunk{};
    while (true) {
      auto const [ended, length] = co_await link->server.async_read_some(asio::buffer(chunk), kToken);
      if (ended || link->mute) break;
      auto const [failed, written] =
          co_await asio::async_write(link->client, asio::buffer(chunk.data(), length), kToken);
      if (failed) break;
    }
    close(link);
  }

  static void close(LinkPointer const& link) {
    boost::system::error_code ignored;
    link->client.close(ignored);
    link->server.close(ignored);
  }

  tcp::acceptor acceptor_;
  unsigned short server_port_;
  std::string word_;
  Cut when_ = Cut::before;
  int cuts_ = 0;
};

// What an administrator does, on a connection of its own.
class Administrator {
public:
  explicit Administrator(std::string const& url) : connection_(PQconnectdb(url.c_str()), &PQfinish) {}
  void execute(std::string const& sql) {
    std::unique_ptr<PGresult, decltype(&PQclear)> const result(PQexec(connection_.get(), sql.c_str()),
                                                               &PQclear);
    auto const status = PQresultStatus(result.get());
    ASSERT_TRUE(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) << PQerrorMessage(connection_.get());
  }

private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

void administer(std::string const& url, std::string const& sql) { Administrator(url).execute(sql); }

constexpr auto kTerminateOthers =
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = "
    "current_database() AND pid <> pg_backend_pid()";

class PostgresTest : public testing::Test {
protected:
  void SetUp() override {
    auto fresh = postgresServer().freshDatabase();
    ASSERT_TRUE(fresh) << fresh.error().message;
    url_ = *fresh;
  }
  Result<std::unique_ptr<Store>> openAlone(std::string const& url) {
    Options options;
    options.url = url;
    options.single_daemon = true;
    return loop_.run(Store::open(loop_.executor(), options, itemTable()));
  }
  std::unique_ptr<Store> open(std::string const& url, std::vector<Migration> migrations = itemTable()) {
    auto opened = tryOpen(url, std::move(migrations));
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  Result<std::unique_ptr<Store>> tryOpen(std::string const& url, std::vector<Migration> migrations) {
    Options options;
    options.url = url;
    return loop_.run(Store::open(loop_.executor(), options, std::move(migrations)));
  }
  Result<std::vector<Rows>> insert(Store& store, std::int64_t id) {
    return loop_.run(store.commit(unitOf(insertItem(id, "item " + std::to_string(id)))));
  }
  // The same database by TCP, through the proxy if one is given.
  std::string tcpUrl(Proxy const* proxy = nullptr) const {
    auto const name = url_.substr(url_.find("@/") + 2, url_.find('?') - url_.find("@/") - 2);
    if (proxy == nullptr) return postgresServer().tcpUrl(name);
    return "postgresql://postgres@127.0.0.1:" + std::to_string(proxy->port()) + "/" + name;
  }
  static unsigned short serverPort() {
    auto const url = postgresServer().url();
    return static_cast<unsigned short>(std::stoi(url.substr(url.rfind('=') + 1)));
  }
  std::set<std::int64_t> present(Store& store) {
    std::set<std::int64_t> ids;
    auto const rows = loop_.run(store.read(Statement("SELECT id FROM items")));
    EXPECT_TRUE(rows) << rows.error().message;
    if (rows)
      for (auto const& row : rows->rows) ids.insert(row.integer(0));
    return ids;
  }

  Loop loop_;
  std::string url_;
};

TEST_F(PostgresTest, DaemonsThatStartTogetherMigrateOnce) {
  std::vector<Migration> migrations = itemTable();
  for (std::int64_t version = 2; version < 12; ++version)
    migrations.push_back(
        Migration{version, "step", "INSERT INTO items (id) VALUES (" + std::to_string(version) + ")"});
  std::vector<std::unique_ptr<Store>> stores;
  for (int i = 0; i < 4; ++i) {
    Options options;
    options.url = url_;
    loop_.spawn(Store::open(loop_.executor(), options, migrations), [&stores](auto opened) {
      ASSERT_TRUE(opened) << opened.error().message;
      stores.push_back(std::move(*opened));
    });
  }
  loop_.runAll();
  ASSERT_EQ(stores.size(), 4U);
  EXPECT_EQ(present(*stores[3]).size(), 10U);
}

// Daemons older than this could not go on: what they write is not there any more.
std::vector<Migration> itemTableWithoutNames() {
  auto all = itemTableWithColour();
  all.push_back(Migration{3, "no names", "ALTER TABLE items DROP COLUMN name"});
  return all;
}

TEST_F(PostgresTest, DaemonsOfTwoVersionsWorkOnOneDatabase) {
  auto const old = open(url_);
  ASSERT_TRUE(insert(*old, 1)) << "its statements are prepared before the other one comes";
  EXPECT_EQ(present(*old).size(), 1U);
  auto const next = open(url_, itemTableWithColour());
  EXPECT_TRUE(insert(*old, 2));
  EXPECT_TRUE(insert(*next, 3));
  EXPECT_EQ(present(*old), (std::set<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(present(*next), (std::set<std::int64_t>{1, 2, 3}));
  auto const later = open(url_);
  EXPECT_TRUE(insert(*later, 4)) << "one of the old version may also come later, or come back";
  administer(url_, kTerminateOthers);
  EXPECT_TRUE(insert(*old, 5)) << "or lose its session";
}

TEST_F(PostgresTest, AMigrationThatOlderDaemonsCannotBearIsRefusedWhileTheyLive) {
  auto old = open(url_);
  auto const refused = tryOpen(url_, itemTableWithoutNames());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("migration 3 (no names): daemons of an older version"),
                                             HasSubstr("at work on this database (sessions ")));
  EXPECT_TRUE(insert(*old, 1)) << "the migration before that one is applied, which it can bear";
  ASSERT_TRUE(loop_.run(old->close()));
  old.reset();
  auto const next = open(url_, itemTableWithoutNames());
  EXPECT_EQ(present(*next).size(), 1U);
  auto const late = tryOpen(url_, itemTable());
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error().message, HasSubstr("written by a newer Garland (migration 3)"));
}

TEST_F(PostgresTest, ADaemonWhoseDatabaseHasBecomeTooNewWhileItWasAwayWritesNothing) {
  auto const old = open(url_);
  administer(url_, kTerminateOthers);
  auto const next = open(url_, itemTableWithoutNames());
  auto const refused = insert(*old, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("written by a newer Garland (migration 3)"));
  EXPECT_TRUE(present(*next).empty());
}

TEST_F(PostgresTest, AMigrationThatWaitsForATableLetsOthersWriteToItMeanwhile) {
  auto const old = open(url_);
  Administrator backup(url_);
  backup.execute("BEGIN; SELECT count(*) FROM items");
  Result<std::unique_ptr<Store>> next = Error(ErrorKind::cancelled, "it is not open yet");
  Options options;
  options.url = url_;
  loop_.spawn(Store::open(loop_.executor(), options, itemTableWithColour()),
              [&next](auto opened) { next = std::move(opened); });
  Statement const waiting("SELECT 1 FROM pg_locks WHERE relation='items'::regclass AND NOT granted");
  while (loop_.run(old->read(waiting)).value().rows.empty()) {
  }
  auto const written = insert(*old, 1);
  EXPECT_TRUE(written) << written.error().message;
  EXPECT_FALSE(next) << "the backup goes on";
  backup.execute("ROLLBACK");
  while (!next && next.error().kind == ErrorKind::cancelled) loop_.runOne();
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(present(**next).size(), 1U);
}

TEST_F(PostgresTest, ADaemonThatWantsTheDatabaseForItselfIsRefusedWhileAnotherHasIt) {
  auto first = openAlone(url_).value();
  auto const refused = openAlone(url_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("is in use by another daemon (its session is "));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("session is -1")));
  EXPECT_TRUE(loop_.run(first->close()));
  first.reset();
  EXPECT_TRUE(openAlone(url_)) << "the lock goes with the daemon";
}

TEST_F(PostgresTest, DaemonsThatShareADatabaseKeepOutWhoWantsItForItself) {
  auto const openAmongOthers = [&] {
    Options options;
    options.url = url_;
    options.other_daemons = true;
    return loop_.run(Store::open(loop_.executor(), options, itemTable()));
  };
  {
    auto const one = openAmongOthers();
    auto const two = openAmongOthers();
    ASSERT_TRUE(one && two);
    auto const refused = openAlone(url_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    EXPECT_TRUE(loop_.run((*one)->close()));
    EXPECT_TRUE(loop_.run((*two)->close()));
  }
  auto const alone = openAlone(url_);
  ASSERT_TRUE(alone);
  EXPECT_FALSE(openAmongOthers()) << "it may be of a version that knows of no others";
}

TEST_F(PostgresTest, ADatabaseThatAnotherDaemonTookMeanwhileIsWrittenByThatOneOnly) {
  auto const first = openAlone(url_).value();
  administer(url_, kTerminateOthers);
  auto second = openAlone(url_).value();
  auto const refused = insert(*first, 1);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("in use by another daemon"));
  EXPECT_TRUE(insert(*second, 2));
  EXPECT_TRUE(loop_.run(second->close()));
  second.reset();
  EXPECT_TRUE(insert(*first, 3)) << "it takes the lock again when it can";
  EXPECT_EQ(present(*first), (std::set<std::int64_t>{2, 3}));
}

TEST_F(PostgresTest, WhatAUnitTellsIsHeardByOtherDaemonsOnceItIsKept) {
  auto const one = open(url_);
  auto const two = open(url_);
  std::vector<std::string> heard;
  two->listen([&heard](std::string const& text) { heard.push_back(text); });
  while (heard.empty()) loop_.runOne();
  EXPECT_EQ(heard, std::vector<std::string>{""}) << "it listens from now on";
  ASSERT_TRUE(loop_.run(one->commit(unitOf(insertItem(1, "a"), notice("first")))));
  ASSERT_FALSE(loop_.run(one->commit(unitOf(notice("of a unit that was not kept"), insertItem(1, "again")))));
  ASSERT_TRUE(loop_.run(one->commit(unitOf(notice("second")))));
  while (heard.size() < 3) loop_.runOne();
  EXPECT_EQ(heard, (std::vector<std::string>{"", "first", "second"}));
  two->listen(nullptr);
  loop_.runAll();
}

TEST_F(PostgresTest, AListenerThatWasCutOffListensAgainAndSaysSo) {
  auto const one = open(url_);
  auto const two = open(url_);
  std::vector<std::string> heard;
  two->listen([&heard](std::string const& text) { heard.push_back(text); });
  while (heard.empty()) loop_.runOne();
  administer(url_, kTerminateOthers);
  while (heard.size() < 2) loop_.runOne();
  EXPECT_EQ(heard.back(), "") << "something may have been missed";
  ASSERT_TRUE(loop_.run(one->commit(unitOf(notice("news")))));
  while (heard.size() < 3) loop_.runOne();
  EXPECT_EQ(heard.back(), "news");
  EXPECT_TRUE(loop_.run(two->close())) << "which ends it, too";
  loop_.runAll();
}

TEST_F(PostgresTest, TwoDaemonsWriteSideBySide) {
  auto const one = open(url_);
  auto const two = open(tcpUrl());
  int good = 0;
  int conflicts = 0;
  for (int id = 0; id < 200; ++id)
    for (auto* store : {one.get(), two.get()})
      loop_.spawn(store->commit(unitOf(insertItem(id, std::to_string(id)))), [&](auto result) {
        if (result)
          ++good;
        else if (result.error().kind == ErrorKind::conflict)
          ++conflicts;
      });
  loop_.runAll();
  EXPECT_EQ(good, 200);
  EXPECT_EQ(conflicts, 200);
  EXPECT_EQ(present(*one).size(), 200U);
}

TEST_F(PostgresTest, AConnectionLostBeforeCommitIsReplacedAndTheUnitDoneOnce) {
  Proxy proxy(loop_, serverPort());
  auto const store = open(tcpUrl(&proxy));
  proxy.cutOnce("INSERT INTO items", Proxy::Cut::after);
  auto const done = loop_.run(store->commit(unitOf(insertItem(1, "a").expecting(1))));
  EXPECT_TRUE(done) << done.error().message;
  EXPECT_TRUE(proxy.hasCut());
  EXPECT_EQ(present(*store), std::set<std::int64_t>{1});
  proxy.stop();
}

TEST_F(PostgresTest, ACommitThatWasNotAnsweredIsUnknownWhicheverWayItWent) {
  for (auto const when : {Proxy::Cut::before, Proxy::Cut::after}) {
    for (bool const expecting : {false, true}) {
      SetUp();
      Proxy proxy(loop_, serverPort());
      auto const store = open(tcpUrl(&proxy));
      proxy.cutOnce(std::string("COMMIT\0", 7), when); // READ COMMITTED goes before it
      auto row = insertItem(1, "a");
      if (expecting) row.expected_rows = 1;
      auto const done = loop_.run(store->commit(unitOf(std::move(row))));
      ASSERT_TRUE(proxy.hasCut());
      ASSERT_FALSE(done) << (when == Proxy::Cut::before ? "before" : "after") << expecting;
      EXPECT_EQ(done.error().kind, ErrorKind::transient);
      EXPECT_EQ(done.error().effect, Effect::unknown);
      EXPECT_EQ(present(*store).contains(1), when == Proxy::Cut::after) << "both ways are possible";
      EXPECT_TRUE(loop_.run(store->commit(unitOf(insertItem(2, "b"))))) << "the store recovers by itself";
      proxy.stop();
    }
  }
}

TEST_F(PostgresTest, WhenBackendsAreTerminatedEveryAnswerIsTrue) {
  std::mt19937_64 random(11);
  auto const store = open(url_);
  std::int64_t next = 0;
  int failures = 0;
  for (int round = 0; round < 12; ++round) {
    std::vector<std::pair<std::int64_t, Result<std::vector<Rows>>>> answers;
    int const units = 100;
    for (int i = 0; i < units; ++i) {
      auto const id = next++;
      auto row = insertItem(id, std::to_string(id));
      if (random() % 2 == 0) row.expected_rows = 1;
      loop_.spawn(store->commit(unitOf(std::move(row))),
                  [&answers, id](auto result) { answers.emplace_back(id, std::move(result)); });
    }
    auto const steps = 101 + random() % 40; // after the units were handed over
    for (std::uint64_t i = 0; i < steps && answers.empty(); ++i) loop_.runOne();
    administer(url_, kTerminateOthers);
    while (answers.size() < static_cast<std::size_t>(units)) loop_.runOne();
    auto const there = present(*store);
    for (auto const& [id, result] : answers) {
      if (result) {
        EXPECT_TRUE(there.contains(id)) << "acknowledged and lost: " << id;
        continue;
      }
      ++failures;
      EXPECT_EQ(result.error().kind, ErrorKind::transient) << result.error().message;
      if (result.error().effect == Effect::notApplied) {
        EXPECT_FALSE(there.contains(id)) << "there in spite of not_applied: " << id;
      }
    }
  }
  RecordProperty("failures", failures);
  EXPECT_TRUE(loop_.run(store->commit(unitOf(insertItem(next, "last")))));
}

TEST_F(PostgresTest, AServerThatWasRestartedIsFoundAgain) {
  PostgresFixture& server = postgresServer();
  auto const store = open(url_);
  ASSERT_TRUE(loop_.run(store->commit(unitOf(insertItem(1, "a")))));
  ASSERT_TRUE(loop_.run(store->read(Statement("SELECT 1"))));
  server.kill();
  auto const away = loop_.run(store->commit(unitOf(insertItem(2, "b"))));
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().kind, ErrorKind::transient);
  EXPECT_EQ(away.error().effect, Effect::notApplied);
  EXPECT_THAT(away.error().message, HasSubstr("check that it runs"));
  EXPECT_EQ(loop_.run(store->read(Statement("SELECT 1"))).error().kind, ErrorKind::transient);
  auto const back = server.restart();
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(present(*store), std::set<std::int64_t>{1}) << "what was acknowledged survived the crash";
  EXPECT_TRUE(loop_.run(store->commit(unitOf(insertItem(3, "c")))));
}

TEST_F(PostgresTest, AChangedTableDoesNotBreakPreparedStatements) {
  auto const store = open(url_);
  Statement const look("SELECT * FROM items");
  ASSERT_TRUE(loop_.run(store->read(look)));
  ASSERT_TRUE(loop_.run(store->commit(unitOf(Statement("DELETE FROM items RETURNING *")))));
  administer(url_, "ALTER TABLE items ADD COLUMN colour TEXT");
  EXPECT_TRUE(loop_.run(store->read(look)));
  EXPECT_TRUE(loop_.run(store->commit(unitOf(Statement("DELETE FROM items RETURNING *")))));
}

TEST_F(PostgresTest, LargeAnswersAndLargeUnitsDoNotBlockEachOther) {
  auto const store = open(url_);
  Unit unit;
  std::string const text(2000, 'y');
  for (std::int64_t id = 0; id < 3000; ++id)
    unit.push_back(Statement("INSERT INTO items (id, name) VALUES ($1, $2) RETURNING name, id",
                             std::vector<Value>{id, std::to_string(id) + text})
                       .expecting(1));
  auto const done = loop_.run(store->commit(std::move(unit)));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->size(), 3000U);
  auto const rows = loop_.run(store->read(Statement("SELECT name FROM items")));
  EXPECT_EQ(rows->rows.size(), 3000U);
}

TEST_F(PostgresTest, AFullServerDiskIsAHostLimit) {
  auto const store = open(url_);
  // PostgreSQL's own way to raise the error that a full disk gives.
  auto const raised = loop_.run(store->commit(unitOf(Statement(
      "DO $body$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $body$"))));
  ASSERT_FALSE(raised);
  EXPECT_EQ(raised.error().kind, ErrorKind::hostLimit);
  EXPECT_EQ(raised.error().provider_code, "53100");
  EXPECT_THAT(raised.error().message, HasSubstr("free space"));
}

TEST_F(PostgresTest, AnUnreachableServerIsNamedWithoutThePassword) {
  Options options;
  options.url = "postgresql://garland:hunter2-secret@127.0.0.1:1/wedding";
  auto const refused = loop_.run(Store::open(loop_.executor(), options, {}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::transient);
  EXPECT_THAT(refused.error().message, HasSubstr("127.0.0.1:1/wedding"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("hunter2")));
  options.url = "postgresql://garland:hunter2-%zz@127.0.0.1:1/wedding";
  auto const invalid = loop_.run(Store::open(loop_.executor(), options, {}));
  ASSERT_FALSE(invalid);
  EXPECT_EQ(invalid.error().kind, ErrorKind::invalidInput);
  EXPECT_THAT(invalid.error().message, Not(HasSubstr("hunter2")));
}

TEST_F(PostgresTest, AHostNameIsResolved) {
  auto url = tcpUrl();
  url.replace(url.find("127.0.0.1"), 9, "localhost");
  auto const store = open(url);
  ASSERT_TRUE(store);
  EXPECT_TRUE(loop_.run(store->read(Statement("SELECT 1"))));
}

TEST_F(PostgresTest, ADatabaseThatDoesNotKeepUtf8IsRefused) {
  administer(postgresServer().url(),
             "CREATE DATABASE old_text TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
  Options options;
  options.url = postgresServer().url("old_text");
  auto const refused = loop_.run(Store::open(loop_.executor(), options, {}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
}

} // namespace
} // namespace garland::store
