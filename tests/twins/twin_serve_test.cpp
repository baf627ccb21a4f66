// `garland twin serve` and `garland twin ledger` as a person uses them: real programs, real HTTP, curl.
#include "host/base/json.h"
#include "tests/end_to_end/host_test_kit.h"
#include "tests/end_to_end/one_request_server.h"
#include "tests/places/places.h"
#include "tests/twins/served_twin.h"

#include <gmock/gmock.h>

#include <csignal>

namespace garland::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string const dir = inBuild("/tests/twins");

// A twin of the to-do provider, and what a client says to it.
class Served : public ServedTwin {
public:
  explicit Served(std::vector<std::string> const& more = {}) : ServedTwin(with(more)) {}

  Finished curl(std::vector<std::string> words, std::string const& path, std::string const& input = "") {
    words.insert(words.begin(), {"curl", "-sS", "-m", "20", "-H", "authorization: Bearer todo-key"});
    words.push_back(url() + path);
    return runProgram(words, {}, input);
  }
  std::string get(std::string const& path) { return curl({}, path).out; }
  std::string post(std::string const& path, std::string const& body) { return curl({"-d", body}, path).out; }
  int status(std::vector<std::string> words, std::string const& path, std::string const& input = "") {
    words.insert(words.end(), {"-o", "/dev/null", "-w", "%{http_code}"});
    return std::atoi(curl(std::move(words), path, input).out.c_str());
  }
  Finished ledger(std::vector<std::string> words = {}) {
    words.insert(words.begin(), {binFolder() + "/garland", "twin", "ledger", url()});
    return runProgram(words, {}, "");
  }

private:
  static std::vector<std::string> with(std::vector<std::string> const& more) {
    std::vector<std::string> words{"todo", "--dir", dir};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

TEST(TwinServe, AnswersCurlUntilASignalComes) {
  Served twin({"--seed", "7", "--volume", "3"});
  auto const list = parseJson(twin.get("/tasks?limit=2"));
  ASSERT_TRUE(list);
  EXPECT_EQ(textOr(*list, "/tasks/0/id", ""), "task_lBWFEmSP");
  EXPECT_EQ(textOr(*list, "/next", ""),
            twin.url() + "/tasks?limit=2&after=" + textOr(*list, "/tasks/1/id", ""));
  auto const anonymous = runProgram({"curl", "-sS", twin.url() + "/tasks"}, {}, "");
  EXPECT_THAT(anonymous.out, HasSubstr("the key is missing or wrong"));
  EXPECT_THAT(twin.curl({"-I"}, "/tasks").out, AllOf(HasSubstr("HTTP/1.1 405"), Not(HasSubstr("garland"))));
  twin.program().signal(SIGTERM);
  EXPECT_EQ(twin.program().wait(), 0) << readFile(twin.log());
}

TEST(TwinServe, KeepsAConnectionAndTakesChunks) {
  Served twin;
  auto const chunked = twin.curl(
      {"-H", "transfer-encoding: chunked", "-d", R"({"title":"in chunks"})", "-w", "\n%{num_connects}\n"},
      "/tasks");
  EXPECT_THAT(chunked.out, HasSubstr("in chunks"));
  auto const twice = runProgram({"curl", "-sS", "-w", "%{num_connects} ", "-o", "/dev/null", "-o",
                                 "/dev/null", twin.url() + "/tasks", twin.url() + "/tasks"},
                                {}, "");
  EXPECT_EQ(twice.out, "1 0 ");
}

TEST(TwinServe, ARestartWithTheSameSeedAndClockGivesTheSameLedger) {
  auto const live = [] {
    Served twin({"--seed", "3", "--volume", "5", "--now", "2026-06-01T00:00:00Z"});
    for (int i = 0; i < 3; ++i) {
      twin.post("/tasks", R"({"title":"task )" + std::to_string(i) + "\"}");
      twin.post("/_twin/clock", R"({"advance_ms":1500})");
    }
    return twin.ledger({"--json"}).out;
  };
  auto const first = live();
  EXPECT_THAT(first, HasSubstr("2026-06-01T00:00:03Z"));
  EXPECT_EQ(live(), first);
}

TEST(TwinServe, TheLedgerIsPrintedAsATable) {
  Served twin;
  EXPECT_THAT(twin.ledger().out, HasSubstr("nothing has happened"));
  for (int i = 0; i < 3; ++i) twin.post("/tasks", R"({"title":"hello"})");
  EXPECT_THAT(twin.ledger().out, AllOf(HasSubstr("SEQ"), HasSubstr("task.created"), HasSubstr("hello")));
  EXPECT_THAT(twin.ledger({"--after", "2"}).out, AllOf(HasSubstr("\n3 "), Not(HasSubstr("\n2 "))));
  auto const nobody = runProgram({binFolder() + "/garland", "twin", "ledger", "127.0.0.1:1"}, {}, "");
  EXPECT_EQ(nobody.exit_code, 3);
  EXPECT_THAT(nobody.err, HasSubstr("no ledger at http://127.0.0.1:1"));
}

TEST(TwinServe, TheClockMovesOnlyForwardAndOnlyIfItIsVirtual) {
  Served real;
  EXPECT_EQ(real.status({"-d", R"({"advance_ms":1})"}, "/_twin/clock"), 409);
  Served twin({"--now", "2026-06-01T00:00:00Z"});
  EXPECT_EQ(twin.post("/_twin/clock", R"({"now":"2026-06-02T00:00:00Z"})"),
            R"({"now":"2026-06-02T00:00:00.000Z","virtual":true})");
  EXPECT_EQ(twin.status({"-d", R"({"now":"2026-06-01T00:00:00Z"})"}, "/_twin/clock"), 400);
  EXPECT_THAT(twin.get("/_twin/state"), HasSubstr("2026-06-02T00:00:00Z"));
}

TEST(TwinServe, AResetAfterTheEffectLosesTheAnswerAndNotTheTask) {
  Served twin;
  twin.post("/_twin/fault", R"({"fault":"reset","applied":true,"path":"/tasks"})");
  auto const lost = twin.curl({"-d", R"({"title":"applied"})"}, "/tasks");
  EXPECT_EQ(lost.exit_code, 56) << "curl: failure in receiving network data";
  EXPECT_EQ(lost.out, "");
  EXPECT_THAT(twin.ledger().out, HasSubstr("applied"));
}

TEST(TwinServe, TheConnectionIsSpoiltAsOrdered) {
  Served twin({"--volume", "3"});
  auto const spoilt = [&](std::string const& fault, std::vector<std::string> words = {}) {
    twin.post("/_twin/fault", fault);
    return twin.curl(std::move(words), "/tasks");
  };
  auto const whole = twin.get("/tasks");
  EXPECT_EQ(spoilt(R"({"fault":"reset_after_headers"})").exit_code, 56);
  auto const half = spoilt(R"({"fault":"reset_mid_body","bytes":20})");
  EXPECT_EQ(half.exit_code, 56);
  EXPECT_EQ(half.out, whole.substr(0, 20));
  EXPECT_EQ(spoilt(R"({"fault":"no_answer"})", {"-m", "0.3"}).exit_code, 28);
  EXPECT_EQ(spoilt(R"({"fault":"slow_body","bytes":100,"delay_ms":1})").out, whole);
  auto const packed = spoilt(R"({"fault":"zip_bomb","bytes":3000000})", {"--output", "-"});
  EXPECT_LT(packed.out.size(), 10'000U);
  auto const unpacked = spoilt(R"({"fault":"zip_bomb","bytes":3000000})", {"--compressed"});
  EXPECT_EQ(unpacked.out.size(), 3'000'000U);
  EXPECT_TRUE(parseJson(unpacked.out));
  EXPECT_EQ(twin.get("/tasks"), whole);
}

TEST(TwinServe, BadRequestsAreAnsweredAndNothingBreaks) {
  Served twin;
  std::string const huge(9U << 20U, 'x');
  EXPECT_EQ(twin.status({"--data-binary", "@-"}, "/tasks", huge), 413);
  EXPECT_EQ(twin.status({"-d", "{"}, "/tasks"), 400);
  EXPECT_EQ(twin.status({"--data-binary", "@-"}, "/tasks", "{\"title\":\"\xff\xfe\"}"), 400);
  EXPECT_EQ(twin.status({"-H", "x-name: caf\xe9"}, "/tasks"), 200);
  EXPECT_EQ(twin.status({"-H", "x-long: " + std::string(100'000, 'y')}, "/tasks"), 431);
  EXPECT_EQ(twin.status({"--request-target", "no-path"}, "/tasks"), 400);
  EXPECT_EQ(twin.status({"--request-target", "/tasks?caf\xc3\xa9"}, "/tasks"), 400);
  EXPECT_EQ(twin.status({"-g"}, "/tasks?list[]=a&list[]=b"), 200) << "clients send brackets as they are";
  EXPECT_EQ(twin.status({"-X", "BREW"}, "/tasks"), 405);
  EXPECT_EQ(twin.status({}, "/tasks"), 200);
}

// A connector has a fifth of a second.
TEST(TwinServe, ARequestMayHoldTheTwinForAsLongAsItsAuthorIsPromised) {
  Served twin;
  EXPECT_EQ(twin.post("/work", R"({"ms":1000})"), R"({"ms":1000})") << readFile(twin.log());
  EXPECT_EQ(twin.status({}, "/tasks"), 200);
}

TEST(TwinServe, ACrashIsToldAndNotHidden) {
  Served twin;
  auto const answer = twin.curl({"-d", "", "-w", "%{http_code}"}, "/crash");
  EXPECT_THAT(answer.out, AllOf(HasSubstr("SIGABRT"), HasSubstr("what it held is gone"), HasSubstr("502")));
  EXPECT_EQ(twin.program().wait(), 1);
  EXPECT_THAT(readFile(twin.log()), HasSubstr("garland: test.todo-twin was killed by SIGABRT"));
}

TEST(TwinServe, WrongWordsAreToldSo) {
  auto const said = [](std::vector<std::string> words, int expected) {
    words.insert(words.begin(), {binFolder() + "/garland", "twin", "serve"});
    auto const done = runProgram(words, {}, "");
    EXPECT_EQ(done.exit_code, expected) << done.err;
    return done.err;
  };
  EXPECT_THAT(said({"tofu", "--dir", dir}, 2),
              AllOf(HasSubstr("installed are: "), HasSubstr(" todo"), Not(HasSubstr("-twin"))));
  EXPECT_THAT(said({"todo", "--dir", dir, "--now", "soon"}, 2), HasSubstr("--now must be"));
  EXPECT_THAT(said({"todo", "--dir", dir, "--host", "0.0.0.0"}, 2), HasSubstr("loopback"));
  EXPECT_EQ(
      runProgram({binFolder() + "/garland", "twin", "serve", "todo", "--volume", "-1"}, {}, "").exit_code, 2);
  Served twin;
  EXPECT_THAT(said({"todo", "--dir", dir, "--port", twin.url().substr(twin.url().rfind(':') + 1)}, 3),
              HasSubstr("cannot listen"));
}

TEST(TwinServe, NoticesAreDelivered) {
  OneRequestServer receiver("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", "told");
  Served twin;
  twin.post("/hooks", R"({"url":")" + receiver.url() + R"(/in","secret":"whsec_c2VjcmV0"})");
  twin.post("/tasks", R"({"title":"told"})");
  EXPECT_THAT(receiver.got(), AllOf(HasSubstr("POST /in HTTP/1.1"), HasSubstr("task.created")));
}

} // namespace
} // namespace garland::testing
