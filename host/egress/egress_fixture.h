// What the tests with real sockets share: a loop, a client, and everything it said on the way.
#pragma once

#include "host/egress/client.h"
#include "host/egress/test_server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <optional>

namespace garland::egress::testing {

using namespace std::chrono_literals;

// 127.0.0.1 plays the public internet; every other address is what it is.
inline AddressKind loopbackIsOutside(sockaddr const& address) {
  return textOf(address) == "127.0.0.1" ? AddressKind::outside : kindOf(address);
}

class EgressFixture : public ::testing::Test {
protected:
  EgressFixture() { useClient(&kindOf); }

  void useClient(AddressCheck kind_of) {
    client_ = createClient(loop_.get_executor(), clock_, random_, log_, kind_of);
    client_->onAudit([this](AuditEntry const& entry) { audits_.push_back(entry); });
  }

  // Runs the loop until the condition holds; a test that waits for ever fails instead.
  template <class Condition> bool runUntil(Condition const& holds) {
    auto const end = std::chrono::steady_clock::now() + 20s;
    loop_.restart();
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      loop_.run_one_for(1s);
      if (loop_.stopped()) loop_.restart();
    }
    return true;
  }

  Result<Response> fetch(Request request, Policy policy, Credential credential = {}) {
    std::optional<Result<Response>> result;
    asio::co_spawn(loop_, client_->fetch(std::move(request), std::move(policy), std::move(credential)),
                   [&](std::exception_ptr thrown, Result<Response> got) {
                     EXPECT_FALSE(thrown);
                     result = std::move(got);
                   });
    if (!runUntil([&] { return result.has_value(); })) {
      client_.reset(); // drops what would write to `result`
      loop_.restart();
      loop_.poll();
      return Error(ErrorKind::pluginBug, "the fetch did not end");
    }
    return *std::move(result);
  }

  static Request get(std::string url) { return make("GET", std::move(url)); }
  static Request make(std::string method, std::string url, std::string body = {}) {
    Request request;
    request.method = std::move(method);
    request.url = std::move(url);
    request.body = std::move(body);
    request.timeout = 10s;
    return request;
  }
  // Reaches the given hosts on the private network, where the test servers are.
  static Policy inside(std::vector<std::string> hosts) {
    Policy policy;
    policy.allowed_hosts = std::move(hosts);
    policy.allow_private_network = true;
    return policy;
  }
  static Credential basic(std::string user, std::string password) {
    return Credential{Credential::Scheme::basic, {}, std::move(user), Secret(std::move(password))};
  }
  static Credential bearer(std::string token) {
    return Credential{Credential::Scheme::bearer, {}, {}, Secret(std::move(token))};
  }
  static Credential named(Credential::Scheme scheme, std::string name, std::string secret) {
    return Credential{scheme, std::move(name), {}, Secret(std::move(secret))};
  }

  asio::io_context loop_;
  SystemClock clock_;
  SystemRandom random_;
  Redactor redactor_;
  std::string logged_;
  Log log_{clock_, redactor_, LogLevel::debug, [this](std::string_view line) { logged_ += line; }};
  std::vector<AuditEntry> audits_;
  std::unique_ptr<Client> client_;
};

} // namespace garland::egress::testing
