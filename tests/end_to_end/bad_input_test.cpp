// What goes wrong outside, told in one clear sentence, with nothing lost and the rest going on.
#include "tests/end_to_end/studio_fixture.h"

namespace garland::testing {
namespace {

using BadInput = Studio;

constexpr char const* kServerError =
    "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

// `garland connections connect` with these, expected to fail; what it said.
std::string refusedConnect(Host& host, std::string const& vendor, std::string const& url,
                           std::string const& password, bool private_network = true) {
  std::vector<std::string> words = {"connections", "connect",    "caldav", "--vendor",        vendor, "--set",
                                    "url=" + url,  "--username", "studio", "--password-stdin"};
  if (private_network) words.emplace_back("--allow-private-network");
  auto const done = host.run(words, password + "\n");
  EXPECT_NE(done.exit_code, 0) << done.out;
  EXPECT_EQ((done.out + done.err).find(password), std::string::npos) << "the password is shown";
  auto const kept = host.ask({"connections", "ls"});
  auto const* list = kept.if_array() != nullptr ? kept.if_array() : find(kept, "/items")->if_array();
  EXPECT_TRUE(list->empty()) << "a refused connection was kept";
  return done.out + done.err;
}

TEST_F(BadInput, AWrongPasswordIsToldAndNothingIsKept) {
  auto const said = refusedConnect(host_, vendor_, server_->url(), "wrong-password");
  EXPECT_NE(said.find("password"), std::string::npos) << said;
}

TEST_F(BadInput, APasswordInsideTheAddressIsRefusedAndNotRepeated) {
  auto url = server_->url();
  url.insert(url.find("://") + 3, "rosa:open-sesame@");
  EXPECT_EQ(refusedConnect(host_, vendor_, url, "some-password").find("open-sesame"), std::string::npos);
  EXPECT_EQ(host_.log().find("open-sesame"), std::string::npos);
}

TEST_F(BadInput, AnUnknownHostIsToldByItsName) {
  auto const said = refusedConnect(host_, vendor_, "https://no-such-host.invalid/", "some-password");
  EXPECT_NE(said.find("no-such-host.invalid"), std::string::npos) << said;
}

TEST_F(BadInput, ACertificateThatNobodyTrustsIsRefused) {
  TestFolder const folder;
  auto const made =
      runProgram({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                  "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                  "-keyout", folder / "key.pem", "-out", folder / "cert.pem"},
                 {}, "");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  Child other({"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", folder / "cert.pem", "-key",
               folder / "key.pem", "-www"},
              {}, folder / "log");
  // It prints "ACCEPT 127.0.0.1:PORT" when it listens.
  ASSERT_TRUE(
      eventually([&] { return readFile(folder / "log").find("ACCEPT 127.0.0.1:") != std::string::npos; }));
  auto const log = readFile(folder / "log");
  auto const port = std::stoi(log.substr(log.find("ACCEPT 127.0.0.1:") + 17));
  auto const said =
      refusedConnect(host_, vendor_, "https://127.0.0.1:" + std::to_string(port) + "/", "some-password");
  EXPECT_NE(said.find("certificate"), std::string::npos) << said;
}

TEST_F(BadInput, APrivateAddressNeedsTheOperatorsWord) {
  auto const said = refusedConnect(host_, vendor_, server_->url(), server_->password(), false);
  EXPECT_NE(said.find("private networks"), std::string::npos) << said;
}

TEST_F(BadInput, TheSameAccountConnectedAgainStaysOneConnection) {
  auto const first = connectStudio();
  auto const again =
      host_.run({"connections", "connect", "caldav", "--vendor", vendor_, "--set", "url=" + viaProxy(),
                 "--username", server_->username(), "--password-stdin", "--allow-private-network"},
                server_->password() + "\n");
  EXPECT_EQ(again.exit_code, 0) << again.out << again.err;
  EXPECT_NE((again.out + again.err).find(first), std::string::npos) << again.out << again.err;
  auto const list = host_.ask({"connections", "ls"});
  EXPECT_EQ(list.at("items").as_array().size(), 1U) << json::serialize(list);
}

TEST_F(BadInput, AServerThatGoesDownInMidSyncCostsNothing) {
  addArchive(600);
  auto const connection = connectStudio();
  int bodies = 0;
  proxy_->setRule([&bodies](SeenRequest const& request) {
    bool const multiget = request.body.find("calendar-multiget") != std::string::npos;
    return std::string(multiget && ++bodies > 2 ? FaultProxy::kCut : FaultProxy::kPass);
  });
  auto const cut = host_.run({"sync", "run", connection});
  EXPECT_EQ(cut.exit_code, 1) << cut.out << cut.err;
  EXPECT_LT(uids().size(), 600U);
  proxy_->setRule(nullptr);
  auto const whole = host_.ask({"sync", "run", connection});
  EXPECT_EQ(textOr(whole, "/state", ""), "done");
  EXPECT_EQ(uids().size(), 600U);
}

TEST_F(BadInput, OneEventThatAnswers500IsToldByItsUrlAndTheOthersComeIn) {
  addEvents(20);
  auto const connection = connectStudio();
  proxy_->setRule([](SeenRequest const& request) {
    bool const victim = request.path.find("event-7.ics") != std::string::npos ||
                        (request.body.find("calendar-multiget") != std::string::npos &&
                         request.body.find("event-7.ics") != std::string::npos);
    return std::string(victim ? kServerError : FaultProxy::kPass);
  });
  auto const run = host_.ask({"sync", "run", connection}, 1);
  EXPECT_EQ(number(run, "/pulled/created"), 19);
  EXPECT_EQ(number(run, "/pulled/failed"), 1);
  EXPECT_NE(textOr(run, "/problems/0/place", "").find("event-7.ics"), std::string::npos)
      << canonicalJson(run);
  proxy_->setRule(nullptr);
  putEvent("event-7", "Mended");
  EXPECT_EQ(number(host_.ask({"sync", "run", connection}), "/pulled/created"), 1);
  EXPECT_EQ(uids().size(), 20U);
}

TEST_F(BadInput, AnIcsThatDoesNotParseIsToldByItsUrlAndTheOthersComeIn) {
  addEvents(10);
  auto const connection = connectStudio();
  proxy_->setRule([](SeenRequest const& request) -> std::string {
    if (request.body.find("calendar-multiget") != std::string::npos)
      return kServerError; // so that each is fetched
    if (request.path.find("event-3.ics") == std::string::npos) return FaultProxy::kPass;
    std::string const body = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART:yesterday\r\n";
    return "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Type: text/calendar\r\nConnection: "
           "close\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  });
  auto const run = host_.ask({"sync", "run", connection}, 1);
  EXPECT_EQ(number(run, "/pulled/created"), 9);
  EXPECT_NE(textOr(run, "/problems/0/place", "").find("event-3.ics"), std::string::npos)
      << canonicalJson(run);
  EXPECT_FALSE(textOr(run, "/problems/0/message", "").empty());
}

// Whole HTTP answers that are not what a calendar server should say.
std::map<std::string, std::string> rubbish() {
  auto const answer = [](std::string const& body, std::string const& type = "application/xml; charset=utf-8",
                         std::string const& more = "") {
    return "HTTP/1.1 207 Multi-Status\r\nContent-Type: " + type + "\r\n" + more +
           "Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  auto const times = [](int count, std::string const& text) {
    std::string out;
    for (int i = 0; i < count; ++i) out += text;
    return out;
  };
  std::string const head = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";
  std::string laughs = head + "<!DOCTYPE m [<!ENTITY l0 \"ha\">";
  for (int i = 1; i < 12; ++i)
    laughs +=
        "<!ENTITY l" + std::to_string(i) + " \"" + times(10, "&l" + std::to_string(i - 1) + ";") + "\">";
  laughs += "]><multistatus xmlns=\"DAV:\"><sync-token>&l11;</sync-token></multistatus>";
  auto const bomb = runProgram({"bash", "-c", "head -c 300000000 /dev/zero | gzip"}, {}, "");
  EXPECT_EQ(bomb.exit_code, 0) << bomb.err;
  return {
      {"HTML", answer("<!DOCTYPE html><html><body><h1>Bad gateway</h1></body></html>", "text/html")},
      {"XML that breaks off", answer(head + "<multistatus xmlns=\"DAV:\"><response><href>/a")},
      {"nothing", answer("")},
      {"JSON", answer("{\"data\":[]}", "application/json")},
      {"10,000-deep nesting", answer(head + times(10'000, "<a>") + times(10'000, "</a>"))},
      {"another charset",
       answer(head + "<multistatus xmlns=\"DAV:\"><sync-token>Caf\xe9 \xff\xfe</sync-token>"
                     "</multistatus>")},
      {"an entity that grows", answer(laughs)},
      {"a gzip bomb", answer(bomb.out, "application/xml", "Content-Encoding: gzip\r\n")},
  };
}

TEST_F(BadInput, WhateverACalendarServerAnswersIsToldAndMadeUpForLater) {
  addEvents(3);
  auto const connection = connectStudio();
  ASSERT_EQ(textOr(host_.ask({"sync", "run", connection}), "/state", ""), "done");
  std::size_t here = 3;
  for (auto const& [name, answer] : rubbish()) {
    SCOPED_TRACE(name);
    putEvent("late-" + std::to_string(here), "Late");
    // To every request: what a REPORT does not tell is otherwise looked for by other ways.
    proxy_->setRule([&spoilt = answer](SeenRequest const&) { return spoilt; });
    auto const run = host_.ask({"sync", "run", connection}, 1);
    EXPECT_EQ(textOr(run, "/state", ""), "failed") << canonicalJson(run);
    EXPECT_EQ(number(run, "/worker_restarts"), 0);
    auto const said = host_.run({"sync", "status", connection}).out;
    EXPECT_NE(said.find("the sync failed: "), std::string::npos) << said;
    EXPECT_NE(said.find("PROPFIND http://127.0.0.1"), std::string::npos) << "where? " << said;
    EXPECT_EQ(uids().size(), here) << "something was lost";
    proxy_->setRule(nullptr);
    EXPECT_EQ(textOr(host_.ask({"sync", "run", connection}), "/state", ""), "done");
    EXPECT_EQ(uids().size(), ++here) << "it was not caught up";
  }
}

TEST_F(BadInput, TwoDaemonsOnOneFileAreOneTooMany) {
  auto const config = host_.folder() + "/second.toml";
  writeFile(config, readFile(host_.configFile()));
  auto const second = runProgram({binFolder() + "/garlandd", "--config", config}, {}, "");
  EXPECT_EQ(second.exit_code, 3) << second.err;
  EXPECT_NE((second.out + second.err).find("another garlandd"), std::string::npos) << second.err;
  EXPECT_EQ(host_.run({"vendors", "ls"}).exit_code, 0) << "the first daemon went on";
}

TEST_F(BadInput, ASettingThatDoesNotExistIsToldWithItsPlace) {
  auto const config = host_.folder() + "/bad.toml";
  writeFile(config, "[daemon]\nprot = 80\n");
  auto const checked = runProgram({binFolder() + "/garlandd", "--config", config, "--check"}, {}, "");
  EXPECT_NE(checked.exit_code, 0);
  EXPECT_NE((checked.out + checked.err).find("bad.toml:2"), std::string::npos) << checked.out << checked.err;
}

} // namespace
} // namespace garland::testing
