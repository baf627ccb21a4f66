// `garland stream` beside a daemon that is killed and started again, and behind TLS.
#include "host/egress/test_certificate.h"
#include "host/egress/test_server.h"
#include "tests/end_to_end/studio_fixture.h"

#include <sstream>

namespace garland::testing {
namespace {

class Follow : public Studio {
protected:
  // The numbers that were printed so far.
  std::vector<std::int64_t> seen() const {
    std::vector<std::int64_t> out;
    std::istringstream lines(readFile(host_.folder() + "/follow.log"));
    for (std::string line; std::getline(lines, line);)
      if (auto const change = parseJson(line)) out.push_back(number(*change, "/sequence"));
    return out;
  }
  // The daemon gets the same port when it is started again.
  void keepPort() {
    auto text = readFile(host_.configFile());
    auto const port = host_.url().substr(host_.url().rfind(':') + 1);
    text.replace(text.find("port = 0"), 8, "port = " + port);
    writeFile(host_.configFile(), text);
  }
};

TEST_F(Follow, EveryChangeIsPrintedOnceThroughTheDeathOfTheDaemon) {
  addEvents(2);
  auto const connection = connectStudio();
  host_.ask({"sync", "run", connection});
  Child follower(
      {binFolder() + "/garland", "stream", "--vendor", vendor_, "--from", "0", "--count", "5", "--json"},
      {{"GARLAND_URL", host_.url()}, {"GARLAND_KEY_FILE", host_.dataFolder() + "/api.key"}},
      host_.folder() + "/follow.log");
  EXPECT_TRUE(eventually([&] { return seen().size() == 2; })) << readFile(host_.folder() + "/follow.log");
  keepPort();
  host_.kill9();
  host_.start();
  auto const record = textOr(host_.records(vendor_).at(0), "/id", "");
  for (auto const* title : {"Rehearsal", "Wedding", "Brunch"})
    host_.ask({"records", "edit", record, "--vendor", vendor_, "--set", std::string("/title=") + title});
  EXPECT_EQ(follower.wait(), 0) << readFile(host_.folder() + "/follow.log");
  EXPECT_EQ(seen(), (std::vector<std::int64_t>{1, 2, 3, 4, 5}));
}

TEST_F(Follow, ItsOlderNameIsTheSameCommand) {
  addEvents(1);
  host_.ask({"sync", "run", connectStudio()});
  auto const stream = host_.run({"stream", "--vendor", vendor_, "--from", "0", "--count", "1", "--json"});
  EXPECT_EQ(stream.exit_code, 0) << stream.err;
  EXPECT_NE(stream.out.find("\"sequence\":1"), std::string::npos) << stream.out;
  auto const follow =
      host_.run({"changes", "follow", "--vendor", vendor_, "--after", "0", "--count", "1", "--json"});
  EXPECT_EQ(follow.exit_code, 0) << follow.err;
  EXPECT_EQ(follow.out, stream.out);
}

// `garland stream` beside a server that this test plays.
class FollowElsewhere : public Follow {
protected:
  int follow(egress::testing::TestServer const& server, std::map<std::string, std::string> environment) {
    Child follower({binFolder() + "/garland", "stream", "--vendor", vendor_, "--from", "41", "--count", "1",
                    "--json", "--url", server.url("", "localhost"), "--key-file",
                    host_.dataFolder() + "/api.key"},
                   environment, host_.folder() + "/follow.log");
    auto const ended = [&] {
      loop_.poll();
      return !follower.running();
    };
    EXPECT_TRUE(eventually(ended, 60)) << readFile(host_.folder() + "/follow.log");
    return follower.wait();
  }
  bool said(std::string const& words) const {
    return readFile(host_.folder() + "/follow.log").find(words) != std::string::npos;
  }

  boost::asio::io_context loop_;
};

TEST_F(FollowElsewhere, AProxyWithTlsIsAsGoodAsTheDaemonIfItIsTrusted) {
  using namespace egress::testing;
  TestAuthority const authority;
  auto const events = [](Seen const&) {
    return Answer{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nid: 41\n\n"
                  "id: 42\nevent: change\ndata: {\"sequence\":42}\n\n",
                  Answer::End::hang};
  };
  TestServer const proxy(loop_, events, authority.serverContext("DNS:localhost"));
  EXPECT_EQ(follow(proxy, {{"SSL_CERT_FILE", authority.file()}}), 0);
  EXPECT_EQ(seen(), std::vector<std::int64_t>{42});
  ASSERT_EQ(proxy.seen().size(), 1U);
  auto const& asked = proxy.seen()[0];
  EXPECT_NE(asked.line().find("/api/integrations/stream?vendor_id=" + vendor_ + "&after=41"),
            std::string::npos)
      << asked.line();
  EXPECT_TRUE(asked.header("authorization").starts_with("Bearer gk_"));
  EXPECT_EQ(follow(proxy, {}), 3) << "nobody vouches for it";
  EXPECT_EQ(proxy.seen().size(), 1U);
  EXPECT_TRUE(said("is not trusted"));
}

TEST_F(FollowElsewhere, WhatIsNoDaemonIsToldAtOnce) {
  using namespace egress::testing;
  TestServer const stranger(loop_,
                            [](Seen const&) { return Answer{ok("hello", "Content-Type: text/html\r\n")}; });
  EXPECT_EQ(follow(stranger, {}), 3);
  EXPECT_TRUE(said("is not garlandd"));
}

TEST_F(Follow, WhatCannotBeFollowedIsToldAtOnce) {
  auto const gone = host_.run({"stream", "--vendor", vendor_, "--from", "7"});
  EXPECT_EQ(gone.exit_code, 2) << gone.err;
  EXPECT_NE(gone.err.find("list the records anew"), std::string::npos) << gone.err;
  EXPECT_EQ(host_.run({"stream", "--vendor", "ven_none"}).exit_code, 2);
  EXPECT_EQ(host_.run({"changes"}).exit_code, 2);
  host_.stop();
  EXPECT_EQ(host_.run({"stream", "--vendor", vendor_}).exit_code, 3);
}

} // namespace
} // namespace garland::testing
