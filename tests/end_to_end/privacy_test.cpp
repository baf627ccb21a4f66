// One person in whatever a host has a place for, with the installed programs and on both databases: erased,
// and then looked for in every byte that is left.
#include "host/store/postgres_fixture.h"
#include "plugins/calendar/caldav/testing/caldav_servers.h"
#include "tests/end_to_end/fault_proxy.h"
#include "tests/end_to_end/haystack.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>

#include <filesystem>

namespace garland::testing {
namespace {

namespace fs = std::filesystem;
using caldav::testing::CaldavServer;
using caldav::testing::ServerKind;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char const* kMail = "rosa@canary.example";
constexpr char const* kName = "Rosa Canaria";
constexpr char const* kOther = "tom@finch.example"; // who stays
constexpr char const* kCanaries[] = {"canary.example", "Canaria", "canaria", "600123456", "600 123 456"};

store::PostgresFixture& postgres() {
  static auto started = store::PostgresFixture::start();
  if (!started) throw std::runtime_error(started.error().message);
  return **started;
}

std::string answer(int status, std::string const& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

std::string at(FaultProxy const& server) { return "http://127.0.0.1:" + std::to_string(server.port()); }

class PrivacyEndToEnd : public ::testing::TestWithParam<bool> {
protected:
  static std::string database() { return GetParam() ? postgres().freshDatabase().value() : std::string(); }

  void SetUp() override {
    host_.start();
    vendor_ = host_.addVendor("Studio Finch");
    for (auto const* plugin : {"dubsado", "till"})
      ASSERT_EQ(host_.run({"plugins", "enable", plugin, "--vendor", vendor_}).exit_code, 0);
    book_ = idOf({"connections", "connect", "dubsado", "--vendor", vendor_});
  }
  std::string idOf(std::vector<std::string> words) { return textOr(host_.ask(std::move(words)), "/id", ""); }
  json::value post(std::string const& url, std::string const& body) {
    auto const key = readFile(host_.dataFolder() + "/api.key");
    auto const done =
        runProgram({"curl", "-sS", "-m", "60", "--fail-with-body", "-H", "Content-Type: application/json",
                    "-H", "Authorization: Bearer " + key.substr(0, key.find('\n')), "-d", body, url},
                   {}, "");
    EXPECT_EQ(done.exit_code, 0) << url << " " << done.out << done.err;
    auto value = parseJson(done.out);
    return value ? std::move(*value) : json::value();
  }

  // An endpoint that says whom it was told of, and then takes it.
  void comesBackFromAnEndpoint() {
    auto const told_of = std::string(kMail) + " is not known here";
    subscriber_.setRule([told_of](SeenRequest const&) { return answer(500, told_of); });
    auto const endpoint = idOf({"endpoints", "add", at(subscriber_), "--vendor", vendor_, "--event",
                                "crm.lead", "--allow-private-network"});
    comesByAHook();
    auto const deliveries = [&](std::string const& state) {
      return host_.run({"endpoints", "deliveries", endpoint, "--state", state, "--json"}).out;
    };
    EXPECT_TRUE(eventually([&] { return deliveries("waiting").find(told_of) != std::string::npos; }));
    subscriber_.setRule([](SeenRequest const&) { return answer(200, "{}"); });
    EXPECT_TRUE(eventually([&] { return deliveries("delivered").find("msg_") != std::string::npos; }, 60));
  }
  void comesByAHook() {
    auto const hook = textOr(host_.ask({"connections", "hook", book_}), "/url", "");
    json::object lead{{"event", "new lead"},
                      {"lead_id", "L1"},
                      {"client_name", kName},
                      {"client_email", kMail},
                      {"client_phone", "+34 600 123 456"},
                      {"message", "call Rosa Canaria"}};
    EXPECT_EQ(textOr(post(hook, json::serialize(lead)), "/status", ""), "received");
    EXPECT_TRUE(eventually([&] { return host_.records(vendor_, "crm.lead").size() == 1; }));
  }
  void comesInAFile() {
    auto const file = files_ / "clients.csv";
    writeFile(file, std::string("Full Name,Email,Phone Number\n") + kName + "," + kMail +
                        ",+34 600 123 456\nTom Finch," + kOther + ",\n");
    host_.ask({"import", "csv", book_, file});
    EXPECT_THAT(host_.records(vendor_, "crm.client"), SizeIs(2));
  }
  void comesWithACalendar() {
    auto const ics =
        std::string("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//garland//tests//EN\r\nBEGIN:VEVENT"
                    "\r\nUID:event-1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260613T120000Z\r\n"
                    "DTEND:20260613T200000Z\r\nSUMMARY:Wedding of Rosa Canaria\r\nDESCRIPTION:") +
        kMail + " or 600 123 456\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    event_ = server_->put(server_->makeCalendar("weddings"), "event-1.ics", ics);
    calendar_ = host_.connect(vendor_, server_->url(), server_->username(), server_->password());
    sync();
    EXPECT_THAT(host_.records(vendor_, "calendar.event"), SizeIs(1));
  }
  void sync() { EXPECT_EQ(textOr(host_.ask({"sync", "run", calendar_}), "/state", ""), "done"); }
  void isActedFor() {
    provider_.setRule([](SeenRequest const&) { return answer(200, R"({"id":"1"})"); });
    auto const till = idOf({"connections", "connect", "till", "--vendor", vendor_, "--set",
                            "url=" + at(provider_), "--allow-private-network"});
    auto const done = host_.ask({"actions", "run", till, "till.charge/1", "--key",
                                 std::string("wedding/") + kMail, "--input", "-", "--wait"},
                                0, R"({"amount":1200})");
    EXPECT_EQ(textOr(done, "/state", ""), "done") << canonicalJson(done);
  }
  // What the daemon wrote and nobody fetched.
  void isLeftInExports() {
    auto const api = host_.url() + "/api/integrations/";
    post(api + "privacy/export", json::serialize(json::object{{"person", json::array{kMail}}}));
    post(api + "backup", R"({"passphrase":"correct horse battery staple"})");
  }
  void arrives() {
    comesBackFromAnEndpoint();
    comesInAFile();
    comesWithACalendar();
    isActedFor();
    idOf({"keys", "add", kName, "--role", "auditor"});
    isLeftInExports();
  }

  std::string inDatabase(std::string const& sql) {
    auto const done = runProgram({"psql", "-qAt", "-c", sql, host_.database()}, {}, "");
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return done.out.substr(0, done.out.find('\n'));
  }
  // The server's own files of this database.
  void addRelations(Haystack& all) {
    inDatabase("CHECKPOINT");
    all.addFolder("relations",
                  inDatabase("SHOW data_directory") + "/base/" +
                      inDatabase("SELECT oid FROM pg_database WHERE datname=current_database()"));
  }
  // "removed", "rewritten": how often in this place.
  std::int64_t count(json::value const& receipt, std::string_view place, std::string const& what) {
    for (auto const& one : receipt.at("receipt").at("places").as_array())
      if (textOr(one, "/place", "") == place) return integerOr(one, "/" + what, 0);
    return 0;
  }

  TestFolder files_;
  std::unique_ptr<CaldavServer> server_ = CaldavServer::start(ServerKind::radicale);
  FaultProxy subscriber_{1};
  FaultProxy provider_{1};
  Host host_{database(), std::string("[plugins]\ndirs = [\"") + inBuild("/plugins") + "\", \"" +
                             inBuild("/tests/plugins") + "\"]\n"};
  std::string vendor_, book_, calendar_, event_;
};

TEST_P(PrivacyEndToEnd, WhoIsErasedIsInNoByteThatIsLeft) {
  arrives();
  Haystack before;
  before.addFolder("folder", host_.folder());
  if (GetParam()) {
    inDatabase("ANALYZE"); // what is frequent in a column stands in its statistics, too
    addRelations(before);
  }
  for (auto const* canary : kCanaries)
    EXPECT_THAT(before.placesOf(canary),
                Contains(HasSubstr(GetParam() ? "relations/" : "folder/data/garland.db")))
        << canary;

  auto const file = host_.folder() + "/receipt.json";
  auto const erased =
      host_.run({"privacy", "erase", "--person", kMail, "--person", kName, "--receipt", file, "--yes"});
  EXPECT_EQ(erased.exit_code, GetParam() ? 1 : 0) << erased.out << erased.err;
  if (GetParam()) EXPECT_THAT(erased.out, HasSubstr("DELETE FROM pg_statistic"));
  auto const receipt = parseJson(readFile(file)).value();
  EXPECT_EQ(count(receipt, "records", "removed"), 2) << canonicalJson(receipt);
  EXPECT_EQ(count(receipt, "records", "rewritten"), 1) << canonicalJson(receipt);
  EXPECT_EQ(count(receipt, "inbox", "removed"), 2) << canonicalJson(receipt);
  EXPECT_EQ(count(receipt, "exports", "removed"), 2) << "what was written out for her, and the backup";
  for (auto const* place : {"actions", "api_keys", "notify_attempts"})
    EXPECT_GE(count(receipt, place, "rewritten"), 1) << place << " " << canonicalJson(receipt);
  for (auto const& place : receipt.at("receipt").at("places").as_array())
    EXPECT_EQ(integerOr(place, "/busy", 0) + integerOr(place, "/kept", 0), 0) << canonicalJson(place);
  auto const key = host_.run({"audit", "key"}).out;
  EXPECT_EQ(host_.run({"privacy", "verify", file, "--key", key.substr(0, key.find('\n'))}).exit_code, 0);

  sync();
  EXPECT_THAT(server_->get(event_), HasSubstr(kName)) << "no provider is asked, and none is overwritten";
  Haystack after;
  after.addAllOf(host_, "Studio Finch");
  EXPECT_EQ(host_.stop(), 0);
  if (GetParam()) {
    for (auto const* sql : {"DELETE FROM pg_statistic", "VACUUM FULL", "ANALYZE"}) inDatabase(sql);
    addRelations(after);
    EXPECT_THAT(after.placesOf(kOther), Contains(HasSubstr("relations/")));
  }
  EXPECT_THAT(after.placesOf(kOther), Contains(HasSubstr("backup/database")));
  for (auto const* canary : kCanaries) EXPECT_THAT(after.placesOf(canary), IsEmpty()) << canary;
}

INSTANTIATE_TEST_SUITE_P(Sqlite, PrivacyEndToEnd, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Postgresql, PrivacyEndToEnd, ::testing::Values(true));

} // namespace
} // namespace garland::testing
