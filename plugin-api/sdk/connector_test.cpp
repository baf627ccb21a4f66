// The edge of a connector: what its exceptions become, what its writes are told to have done.
#define GARLAND_CONNECTOR_ID "test.edge"
#define GARLAND_CONNECTOR_VERSION "1.2.3"

#include <garland/sdk/connector.hpp>
#include <garland/testing/fake_host.hpp>

#include <gmock/gmock.h>

#include <new>
#include <stdexcept>

namespace garland::sdk {
namespace {

using ::testing::HasSubstr;
namespace fake = garland::testing;

constexpr auto manifest = R"({
  "manifest": 1, "id": "test.edge", "name": "Edge", "version": "1.2.3", "category": "calendar", "summary": "A test.",
  "operations": ["test.throw/1", "test.write/1", "test.handler/1", "test.state/1", "test.output/1", "test.report/1",
                 "health.check/1"],
  "auth": [{"slot": "login", "scheme": "basic", "fields": ["username", "password"]}],
  "hosts": ["api.example.com"]
})";

struct What {
  std::string what;
};
GARLAND_RECORD(What, what)

struct Writes {
  std::vector<std::string> methods;
  std::optional<std::string> then;
  std::optional<std::string> refused;
};
GARLAND_RECORD(Writes, methods, then, refused)

struct Setting {
  std::string url;
};
GARLAND_RECORD(Setting, url)

class Edge final : public Connector {
public:
  void throwIt(Account&, What const& input) {
    if (input.what == "failure")
      throw Failure(Kind::conflict, "changed meanwhile")
          .withDetail("current", "v2")
          .withProviderCode("E7")
          .withUserMessage("Somebody was faster.")
          .withHttpStatus(412)
          .withRetryAfter(Milliseconds(1500))
          .withField("/version");
    if (input.what == "rate") throw Failure(Kind::rateLimited, "slow down");
    if (input.what == "memory") throw std::bad_alloc();
    if (input.what == "standard") throw std::out_of_range("no such row");
    if (input.what == "other") throw 7;
  }

  void write(Account& account, Writes const& input, Call& call) {
    for (auto const& method : input.methods) {
      Request request;
      request.method = method;
      request.url = "https://api.example.com/x";
      if (method == "POST?") {
        request.method = "POST";
        request.writes = false;
      }
      if (method != "PUT!") {
        account.fetch(std::move(request));
        continue;
      }
      request.method = "PUT";
      try {
        account.fetch(std::move(request));
      } catch (Failure const&) { // goes on, whatever came of it
      }
    }
    if (input.then) throw Failure(Kind::providerBug, *input.then);
    if (input.refused) throw Failure(Kind::forbidden, *input.refused).withEffect(Effect::notApplied);
    call.stopIfCancelled();
  }

  // A suspending call inside a handler, and the exception still there afterwards.
  What handler(Account& account, Call& call) {
    try {
      throw Failure(Kind::notFound, "first");
    } catch (Failure const& failure) {
      call.problem("https://api.example.com/1", failure);
      call.sleep(Milliseconds(250));
      account.send({.url = "https://api.example.com/x"});
      try {
        throw;
      } catch (Failure const& again) {
        return {again.message};
      }
    }
  }

  json::value state(Account& account, json::value const& input, Call& call) {
    auto const before = call.load("seen");
    call.store("seen", json::serialize(input), before ? before->version : 0);
    return {{"before", before ? json::value(before->value) : json::value()},
            {"id", account.id()},
            {"setting", account.settingsAs<Setting>().url},
            {"now", rfc3339(call.now())},
            {"remaining_s", std::chrono::floor<std::chrono::seconds>(call.remaining()).count()}};
  }

  void output(Account&, Call& call) {
    call.log(LogLevel::warn, "one is odd", {{"id", 1}});
    for (int i = 0; i < 3; ++i) call.problem("item", Failure(Kind::providerBug, "odd"));
    call.progress(3, 3, "events");
    call.checkpoint({{"at", 3}});
  }

  void report(Account&, What const& input, Call& call) {
    call.problem("item", Failure(Kind::providerBug, input.what));
  }

  HealthReport check(Account&) { return {"anna"}; }

  static std::span<OperationEntry const> operations() {
    static constexpr OperationEntry table[] = {
        operation<&Edge::throwIt>("test.throw/1"),   operation<&Edge::write>("test.write/1"),
        operation<&Edge::handler>("test.handler/1"), operation<&Edge::state>("test.state/1"),
        operation<&Edge::output>("test.output/1"),   operation<&Edge::report>("test.report/1"),
        operation<&Edge::check>("health.check/1")};
    return table;
  }
};

} // namespace
} // namespace garland::sdk

namespace garland::sdk {
namespace {
using EdgeConnector = Edge;
} // namespace
} // namespace garland::sdk
GARLAND_CONNECTOR(garland::sdk::EdgeConnector)

namespace garland::sdk {
namespace {

class ConnectorEdge : public ::testing::Test {
protected:
  fake::Outcome thrown(char const* what) { return host.run("test.throw/1", {{"what", what}}); }

  // Runs the methods against a provider that answers the last of them with `status`.
  fake::Outcome written(json::array methods, int status, json::value then = nullptr) {
    auto left = methods.size();
    host.serve([&left, status](fake::HttpRequest const&) -> fake::HttpReply {
      return fake::HttpResponse{.status = --left == 0 ? status : 200};
    });
    return host.run("test.write/1", {{"methods", std::move(methods)}, {"then", std::move(then)}});
  }

  fake::FakeHost host{&garland_entry_v1, manifest};
};

TEST_F(ConnectorEdge, AFailureIsToldWithAllItKnows) {
  auto const outcome = thrown("failure");
  EXPECT_EQ(outcome.status, GARLAND_E_CONFLICT);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
  EXPECT_EQ(outcome.http_status, 412);
  EXPECT_EQ(outcome.retry_after, Milliseconds(1500));
  EXPECT_EQ(outcome.provider_code, "E7");
  EXPECT_EQ(outcome.message, "changed meanwhile");
  EXPECT_EQ(outcome.user_message, "Somebody was faster.");
  EXPECT_EQ(outcome.detail, json::value({{"current", "v2"}, {"field", "/version"}}));
}

TEST_F(ConnectorEdge, ARateLimitAlwaysCarriesADelay) {
  EXPECT_EQ(thrown("rate").retry_after, Milliseconds(0));
}

TEST_F(ConnectorEdge, EveryExceptionBecomesAStatus) {
  EXPECT_EQ(thrown("memory").status, GARLAND_E_HOST_LIMIT);
  auto const standard = thrown("standard");
  EXPECT_EQ(standard.status, GARLAND_E_PLUGIN_BUG);
  EXPECT_EQ(standard.message, "no such row");
  EXPECT_EQ(thrown("other").status, GARLAND_E_PLUGIN_BUG);
  EXPECT_TRUE(thrown("nothing").ok());
}

TEST_F(ConnectorEdge, InputThatDoesNotFitIsRefusedWithItsField) {
  auto const outcome = host.run("test.throw/1", {{"what", 7}});
  EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT);
  EXPECT_EQ(outcome.message, "/what: must be a string");
  EXPECT_EQ(outcome.detail, json::value({{"field", "/what"}}));
}

TEST_F(ConnectorEdge, TheEffectOfAFailureFollowsFromTheWritesBeforeIt) {
  EXPECT_EQ(written({"GET", "PROPFIND"}, 500).effect, GARLAND_EFFECT_NOT_APPLIED);
  EXPECT_EQ(written({"PUT"}, 412).effect, GARLAND_EFFECT_NOT_APPLIED);
  EXPECT_EQ(written({"PUT"}, 500).effect, GARLAND_EFFECT_UNKNOWN);
  EXPECT_EQ(written({"PUT", "GET"}, 404).effect, GARLAND_EFFECT_UNKNOWN);
  EXPECT_EQ(written({"PUT", "PUT"}, 503).effect, GARLAND_EFFECT_UNKNOWN);
  EXPECT_EQ(written({"POST?"}, 500).effect, GARLAND_EFFECT_NOT_APPLIED);
  EXPECT_EQ(written({"PUT"}, 200, "no ETag came").effect, GARLAND_EFFECT_UNKNOWN)
      << "200 alone proves nothing";
}

TEST_F(ConnectorEdge, ARefusalAfterAWriteThatWasAppliedDoesNotTellOfNothing) {
  host.serve([](fake::HttpRequest const&) -> fake::HttpReply { return fake::HttpResponse{}; });
  auto const reading = host.run("test.write/1", {{"methods", {"GET"}}, {"refused", "may not"}});
  EXPECT_EQ(reading.effect, GARLAND_EFFECT_NOT_APPLIED);
  auto const writing = host.run("test.write/1", {{"methods", {"PUT", "GET"}}, {"refused", "may not"}});
  EXPECT_EQ(writing.status, GARLAND_E_FORBIDDEN);
  EXPECT_EQ(writing.effect, GARLAND_EFFECT_UNKNOWN);
}

TEST_F(ConnectorEdge, ARefusalAfterAWriteThatPerhapsWasAppliedDoesNotTellOfNothing) {
  int asked = 0;
  host.serve([&asked](fake::HttpRequest const&) -> fake::HttpReply {
    if (++asked > 1) return fake::HttpResponse{.status = 412};
    return fake::HttpFailure{GARLAND_E_TRANSIENT, GARLAND_EFFECT_UNKNOWN, "no answer came in time"};
  });
  json::object const input{{"methods", {"PUT!", "PUT!"}}, {"refused", "changed meanwhile"}};
  EXPECT_EQ(host.run("test.write/1", input).effect, GARLAND_EFFECT_UNKNOWN);
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(host.run("test.write/1", input).effect, GARLAND_EFFECT_NOT_APPLIED) << "both were refused";
}

TEST_F(ConnectorEdge, ARequestThatGotNoAnswerTellsWhy) {
  host.serve([](fake::HttpRequest const&) -> fake::HttpReply {
    return fake::HttpFailure{GARLAND_E_TRANSIENT, GARLAND_EFFECT_UNKNOWN, "the certificate is not trusted"};
  });
  auto const outcome = host.run("test.write/1", {{"methods", {"PUT"}}});
  EXPECT_EQ(outcome.status, GARLAND_E_TRANSIENT);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_UNKNOWN);
  EXPECT_EQ(outcome.message, "PUT https://api.example.com/x: the certificate is not trusted");
}

TEST_F(ConnectorEdge, RequestsGoOutUnderTheFirstSlot) {
  written({"GET"}, 200);
  ASSERT_EQ(host.requests().size(), 1U);
  EXPECT_EQ(host.requests()[0].credential_slot, "login");
}

TEST_F(ConnectorEdge, SuspendingInsideACatchHandlerIsHarmless) {
  host.serve([](fake::HttpRequest const&) -> fake::HttpReply { return fake::HttpResponse{}; });
  auto const outcome = host.run("test.handler/1");
  EXPECT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.result, json::value({{"what", "first"}}));
  EXPECT_EQ(host.slept(), Milliseconds(250));
  EXPECT_TRUE(host.misuse().empty());
}

TEST_F(ConnectorEdge, StateSettingsAndClocksComeFromTheHost) {
  host.open({{"url", "https://api.example.com"}});
  host.run("test.state/1", 1);
  host.advance(Milliseconds(61'000));
  EXPECT_EQ(host.run("test.state/1", 2).result, json::value({{"before", "1"},
                                                             {"id", "con_fake"},
                                                             {"setting", "https://api.example.com"},
                                                             {"now", "2026-01-01T00:01:01Z"},
                                                             {"remaining_s", 300}}));
  EXPECT_EQ(host.stored().at("seen"), "2");
}

TEST_F(ConnectorEdge, OutputReachesTheHost) {
  EXPECT_TRUE(host.run("test.output/1").ok());
  EXPECT_EQ(host.emitted("garland.problem").size(), 3U);
  EXPECT_EQ(host.durable(), 3U);
  EXPECT_EQ(host.checkpoints().back(), json::value({{"at", 3}}));
  EXPECT_EQ(host.progress().first, 3U);
  ASSERT_EQ(host.logs().size(), 1U);
  EXPECT_EQ(host.logs()[0].fields, json::value({{"id", 1}}));
}

TEST_F(ConnectorEdge, ALongMessageIsNotCutInsideOfACharacter) {
  std::string const fits = std::string(1998, 'a') + "\xC3\xA9";
  std::string const too_long = std::string(1999, 'a') + "\xC3\xA9";
  EXPECT_TRUE(host.run("test.report/1", {{"what", fits + "b"}}).ok());
  EXPECT_TRUE(host.run("test.report/1", {{"what", too_long}}).ok());
  auto const problems = host.emitted("garland.problem");
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].at("message").as_string(), fits);
  EXPECT_EQ(problems[1].at("message").as_string(), std::string(1999, 'a'));
}

TEST_F(ConnectorEdge, ARefusedRecordEndsTheOperationWithTheHostsStatus) {
  host.refuseOutputAfter(2, GARLAND_E_HOST_LIMIT);
  EXPECT_EQ(host.run("test.output/1").status, GARLAND_E_HOST_LIMIT);
  EXPECT_EQ(host.emitted().size(), 2U);
}

TEST_F(ConnectorEdge, ACancelledOperationSaysSo) {
  host.cancelAfter(2);
  EXPECT_EQ(host.run("test.output/1").status, GARLAND_E_CANCELLED);
}

TEST_F(ConnectorEdge, AHostWithoutTheNeededFunctionsIsRefused) {
  garland_host small{};
  small.size = offsetof(garland_host, alloc);
  small.abi_major = GARLAND_ABI_MAJOR;
  garland_plugin plugin{};
  plugin.size = sizeof plugin;
  EXPECT_EQ(garland_entry_v1(&small, &plugin), GARLAND_E_UNSUPPORTED);
}

} // namespace
} // namespace garland::sdk
