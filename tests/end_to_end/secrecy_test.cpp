// Secrets of several kinds, used by the installed programs on both databases, and where they are not: looked
// for in every spelling, and in what is packed when it is unpacked.
#include "host/base/bytes.h"
#include "host/store/postgres_fixture.h"
#include "plugins/calendar/caldav/testing/caldav_servers.h"
#include "tests/end_to_end/haystack.h"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include <map>

namespace garland::testing {
namespace {

using caldav::testing::CaldavServer;
using caldav::testing::ServerKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

store::PostgresFixture& postgres() {
  static auto started = store::PostgresFixture::start();
  if (!started) throw std::runtime_error(started.error().message);
  return **started;
}

std::string firstLineOf(std::string const& path) {
  auto const text = readFile(path);
  return text.substr(0, text.find('\n'));
}

class SecrecyEndToEnd : public ::testing::TestWithParam<bool> {
protected:
  void SetUp() override {
    host_.start();
    vendor_ = host_.addVendor("Studio Finch");
  }
  // Let in, and later refused: failing requests are where secrets slip into messages.
  std::string passwordThatWasUsed() {
    auto const server = CaldavServer::start(ServerKind::radicale);
    server->makeCalendar("weddings");
    auto const connection = host_.connect(vendor_, server->url(), server->username(), server->password());
    EXPECT_EQ(host_.run({"sync", "run", connection}).exit_code, 0);
    server->kill();
    EXPECT_NE(host_.run({"sync", "run", connection}).exit_code, 0);
    return server->password();
  }
  std::string hook() {
    EXPECT_EQ(host_.run({"plugins", "enable", "dubsado", "--vendor", vendor_}).exit_code, 0);
    auto const book =
        textOr(host_.ask({"connections", "connect", "dubsado", "--vendor", vendor_}), "/id", "");
    auto const url = textOr(host_.ask({"connections", "hook", book}), "/url", "");
    auto const called = runProgram({"curl", "-sS", "-m", "20", "-H", "Content-Type: application/json", "-d",
                                    R"({"event":"new lead","email":"ada@example.com"})", url},
                                   {}, "");
    EXPECT_EQ(called.exit_code, 0) << called.err;
    return url.substr(url.rfind('/') + 1);
  }
  std::string endpoint() {
    auto const made = host_.ask({"endpoints", "add", "https://studio.example/hook", "--vendor", vendor_});
    return textOr(made, "/secret", "").substr(std::string_view("whsec_").size());
  }
  std::string key() {
    auto const issued = textOr(host_.ask({"keys", "add", "a test", "--role", "operator"}), "/key", "");
    auto const file = files_ / "key";
    writeFile(file, issued + "\n");
    EXPECT_EQ(::chmod(file.c_str(), 0600), 0);
    EXPECT_EQ(host_.run({"vendors", "ls", "--key-file", file, "--url", host_.url()}).exit_code, 0);
    return issued.substr(6); // what stands before may be shown
  }

  TestFolder files_;
  Host host_{GetParam() ? postgres().freshDatabase().value() : std::string()};
  std::string vendor_;
};

TEST_P(SecrecyEndToEnd, NoSecretIsInAnythingThatAHostLeaves) {
  auto const signing = endpoint();
  std::map<std::string, std::string> const secrets = {{"password", passwordThatWasUsed()},
                                                      {"address of a hook", hook()},
                                                      {"API key", key()},
                                                      {"secret of an endpoint", signing},
                                                      {"its bytes", fromBase64(signing).value()}};
  Haystack all;
  all.addAllOf(host_, "Studio Finch");
  EXPECT_EQ(host_.stop(), 0);
  all.addFolder("folder", host_.folder());
  for (auto const& [kind, secret] : secrets) {
    EXPECT_GT(secret.size(), 7U) << kind;
    EXPECT_THAT(all.placesOf(secret), IsEmpty()) << kind;
  }
  // These have a file of their own, and are nowhere else: so the search would have found the others.
  EXPECT_THAT(all.placesOf(firstLineOf(host_.dataFolder() + "/api.key")),
              ElementsAre(StartsWith("folder/data/api.key: ")));
  EXPECT_THAT(all.placesOf(readFile(host_.dataFolder() + "/master.key")),
              ElementsAre(StartsWith("folder/data/master.key: ")));
}

INSTANTIATE_TEST_SUITE_P(Sqlite, SecrecyEndToEnd, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Postgresql, SecrecyEndToEnd, ::testing::Values(true));

} // namespace
} // namespace garland::testing
