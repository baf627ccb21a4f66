// A provider as strict as there are: a refresh token is good for one use, and one that is used twice ends all
// that came of the same sign-in. And the line that one daemon has to it, which can be cut.
#pragma once

#include "host/base/clock.h"
#include "host/base/random.h"
#include "host/egress/egress.h"

#include <functional>
#include <map>
#include <set>
#include <string>

namespace garland::oauth::testing {

class StrictProvider {
public:
  explicit StrictProvider(Clock const& clock) : clock_(clock) {}

  // Somebody signs in: the first refresh token.
  std::string signIn() { return newToken(++families_); }

  egress::Response answer(egress::Request const& request, egress::Credential const& credential) {
    ++asked;
    if (credential.username != "client" || credential.secret.reveal() != "its%20secret")
      return refuse(401, "invalid_client");
    auto const found = tokens_.find(member(request.body, "refresh_token"));
    if (member(request.body, "grant_type") != "refresh_token") return refuse(400, "unsupported_grant_type");
    if (found == tokens_.end() || revoked_.contains(found->second.family))
      return refuse(400, "invalid_grant");
    if (found->second.used) {
      revoked_.insert(found->second.family);
      ++reuses;
      return refuse(400, "invalid_grant");
    }
    found->second.used = true;
    ++renewals;
    return give(found->second.family);
  }

  // Whether requests with it are let in.
  bool lets(std::string const& access) const {
    auto const found = access_.find(access);
    return found != access_.end() && clock_.now() < found->second.until &&
           !revoked_.contains(found->second.family);
  }

  Milliseconds life{300'000};
  int asked = 0;
  int renewals = 0; // a token was used, and another given
  int reuses = 0;   // a sign-in came to its end by that

private:
  struct Token {
    int family = 0;
    bool used = false;
  };
  struct Access {
    int family = 0;
    TimePoint until;
  };

  static std::string member(std::string const& form, std::string const& name) {
    auto const at = ("&" + form).find("&" + name + "=");
    if (at == std::string::npos) return {};
    auto const begin = at + name.size() + 1;
    return form.substr(begin, form.find('&', begin) - begin);
  }
  static egress::Response refuse(int status, std::string const& code) {
    egress::Response response;
    response.status = status;
    response.body = R"({"error":")" + code + R"("})";
    return response;
  }
  std::string newToken(int family) {
    auto token = "refresh-" + std::to_string(++made_);
    tokens_[token].family = family;
    return token;
  }
  egress::Response give(int family) {
    auto const access = "access-" + std::to_string(++made_);
    access_[access] = Access{family, clock_.now() + life};
    egress::Response response;
    response.status = 200;
    response.body = R"({"access_token":")" + access + R"(","token_type":"Bearer","refresh_token":")" +
                    newToken(family) + R"(","expires_in":)" + std::to_string(life.count() / 1000) + "}";
    return response;
  }

  Clock const& clock_;
  std::map<std::string, Token> tokens_;
  std::map<std::string, Access> access_;
  std::set<int> revoked_; // families
  int families_ = 0;
  int made_ = 0;
};

// What a daemon has to reach the provider by. A request takes its time there and back.
class Line final : public egress::Client {
public:
  // Where it is cut: before the provider is asked, after that and before a byte of its answer has come,
  // or within the answer.
  enum class Cut { none, before, after, within };
  // Where the tokens are that the provider gave when it was asked last.
  enum class Tokens { none, onTheirWay, here };

  Line(StrictProvider& provider, Clock& clock, Random& random)
      : provider_(provider), clock_(clock), random_(random) {}

  Task<egress::Response> fetch(egress::Request request, egress::Policy,
                               egress::Credential credential) override {
    CO_TRY_VOID(co_await clock_.sleepFor(some(longest)));
    if (dead()) co_return gone();
    tokens = Tokens::none;
    if (cut == Cut::before) co_return die();
    if (random_.next() % 8 == 0) co_return trouble();
    auto response = provider_.answer(request, credential);
    if (response.status == 200) tokens = Tokens::onTheirWay;
    if (tokens != Tokens::none && given) given();
    if (cut == Cut::after) co_return die();
    CO_TRY_VOID(co_await clock_.sleepFor(some(longest)));
    if (dead()) co_return gone();
    if (tokens != Tokens::none) tokens = Tokens::here;
    if (cut == Cut::within) co_return die();
    co_return response;
  }
  void onAudit(std::function<void(egress::AuditEntry const&)>) override {}
  void shutdown() override {}

  Milliseconds longest{9'000};
  Cut cut = Cut::none;
  std::function<bool()> dead;
  std::function<void()> kill;  // the daemon
  std::function<void()> given; // tokens, by the provider
  Tokens tokens = Tokens::none;

private:
  static Error gone() {
    return Error(ErrorKind::cancelled, "the daemon is gone").withEffect(Effect::unknown);
  }
  Error die() {
    kill();
    return gone();
  }
  // Nothing was done: not even there, or not even begun.
  Result<egress::Response> trouble() {
    if (random_.next() % 2 == 0) return Error(ErrorKind::transient, "the connection was refused");
    egress::Response response;
    response.status = 429;
    return response;
  }
  Milliseconds some(Milliseconds most) {
    return Milliseconds(static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(most.count())));
  }

  StrictProvider& provider_;
  Clock& clock_;
  Random& random_;
};

} // namespace garland::oauth::testing
