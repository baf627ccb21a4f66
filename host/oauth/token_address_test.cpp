// Where settings may have tokens asked for: a token URL that means this machine or its network, however it is
// written, gets no request and no secret, unless the operator allows the private network.
#include "host/oauth/request.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace garland::oauth {
namespace {

class TokenAddress : public ::testing::Test {
protected:
  // What a request for tokens comes to whose address is this setting.
  Result<egress::Response> ask(std::string const& url) {
    auto const described = json::object{{"token_url", "setting:/url"}};
    Use use;
    use.provider = readProvider(described, json::object{{"url", url}}).value();
    use.client_id = "an-id";
    use.client_secret = Secret("its-secret");
    auto made = requestFor(use, Secret("r-first"), std::chrono::seconds(5));
    Result<egress::Response> out = Error(ErrorKind::pluginBug, "the fetch did not end");
    asio::co_spawn(loop,
                   client->fetch(std::move(made.request), std::move(made.policy), std::move(made.credential)),
                   [&](std::exception_ptr thrown, Result<egress::Response> got) {
                     EXPECT_FALSE(thrown);
                     out = std::move(got);
                   });
    loop.restart();
    loop.run_for(std::chrono::seconds(20));
    return out;
  }

  asio::io_context loop;
  SystemClock clock;
  SystemRandom random;
  Redactor redactor;
  Log log{clock, redactor, LogLevel::error, [](std::string_view) {}};
  std::vector<egress::AuditEntry> entries;
  std::unique_ptr<egress::Client> client = [this] {
    auto made = egress::Client::create(loop.get_executor(), clock, random, log);
    made->onAudit([this](egress::AuditEntry const& entry) { entries.push_back(entry); });
    return made;
  }();
};

TEST_F(TokenAddress, OfThisMachineIsRefusedInEveryFormAndSeesNoSecret) {
  for (auto const* host : {"127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]",
                           "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost",
                           "169.254.169.254", "2852039166", "[::ffff:a9fe:a9fe]", "[fd00:ec2::254]"})
    for (auto const* scheme : {"http://", "https://"}) {
      auto const url = std::string(scheme) + host + "/";
      entries.clear();
      auto const got = ask(url);
      ASSERT_TRUE(got.has_error()) << url;
      EXPECT_EQ(got.error().kind, ErrorKind::forbidden) << url << ": " << got.error().message;
      EXPECT_EQ(got.error().effect, Effect::notApplied) << url;
      ASSERT_EQ(entries.size(), 1U) << url;
      EXPECT_FALSE(entries[0].credential_used) << url;
    }
}

} // namespace
} // namespace garland::oauth
