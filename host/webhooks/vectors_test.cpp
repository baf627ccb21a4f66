// Every vector of signature-vectors.json gets its verdict from the preset of its name. One line per provider
// says what was checked, and what was skipped and why; tests/contracts/summary reads it.
#include "host/base/file_text.h"
#include "host/base/provider_specs.h"
#include "host/webhooks/scheme.h"

#include "host/base/bytes.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <set>

namespace garland::webhooks {
namespace {

std::string const kVectors = providerSpecs() + "/signature-vectors.json";

// What is in the file but is no inbound webhook. Requests that go out are for host/egress/contract.
std::set<std::string, std::less<>> const kGoingOut{"aws_sigv4_request", "oauth1_request", "web_push_vapid"};

// Whose messages Amazon's vectors are.
constexpr char const* kTopic = "arn:aws:sns:us-west-2:123456789012:ses";

// Vectors give the form's parameters, and not always the body that carries them.
std::string formOf(json::value const& parameters) {
  std::string body;
  auto const add = [&](std::string_view name, json::value const& value) {
    body += (body.empty() ? "" : "&") + percentEncode(name) + "=" +
            percentEncode(std::string_view(value.as_string()));
  };
  for (auto const& [name, value] : parameters.as_object())
    if (value.is_array())
      for (auto const& one : value.as_array()) add(name, one);
    else
      add(name, value);
  return body;
}

Request requestOf(json::value const& vector) {
  Request request;
  request.url = textOr(vector, "/url", "");
  request.body = textOr(vector, "/payload", "");
  auto const* parameters = find(vector, "/params");
  if (parameters != nullptr && find(vector, "/payload") == nullptr) request.body = formOf(*parameters);
  if (auto const* headers = find(vector, "/headers"))
    for (auto const& [name, value] : headers->as_object())
      request.headers.emplace_back(name, value.as_string());
  // A token is meant for the address that its own claims name in the vector that is right.
  if (request.url.empty()) request.url = textOr(vector, "/claims/aud", "");
  return request;
}

Keys keysOf(json::value const& vector) {
  Keys keys;
  for (auto const* member :
       {"/secret", "/public_key", "/public_key_b64", "/registered/token", "/registered_client_state"})
    if (auto secret = textOr(vector, member, ""); !secret.empty())
      keys.secrets.emplace_back(std::move(secret));
  keys.certificate = textOr(vector, "/public_key_pem", "");
  keys.parameters["webhook_id"] = textOr(vector, "/webhook_id", "");
  keys.parameters["channel_id"] = textOr(vector, "/registered/id", "");
  keys.parameters["topic"] = kTopic;
  if (textOr(vector, "/precondition", "") == "token seen before")
    keys.seen = [](std::string_view) { return true; };
  return keys;
}

// A rejection for one of these would mean that the test did not hand in what it should.
bool isOurOwnFault(Reason reason) {
  return reason == Reason::noSecret || reason == Reason::badKey || reason == Reason::certificateNeeded ||
         reason == Reason::untrustedHost;
}

struct Checked {
  int vectors = 0;
  int accepted = 0;
};

class Vectors : public testing::Test {
protected:
  void SetUp() override {
    auto const text = readFileText(kVectors);
    if (!text) {
      std::printf("contracts: webhooks: 0 signatures checked; skipped: there is no %s\n", kVectors.c_str());
      ASSERT_FALSE(contractsRequired());
      GTEST_SKIP();
    }
    document_ = parseJson(*text).value();
    clock_.emplace(TimePoint(std::chrono::seconds(integerAt(document_, "/now").value())));
  }

  Checked checkAll(std::string const& provider, json::value const& described) {
    Checked checked;
    auto const scheme = Scheme::named(provider);
    EXPECT_TRUE(scheme) << provider << ": " << scheme.error().message;
    if (!scheme) return checked;
    std::string url; // the provider's own address, where the vector is silent
    for (auto const& vector : described.at("cases").as_array()) {
      auto request = requestOf(vector);
      if (url.empty()) url = request.url;
      if (request.url.empty()) request.url = url;
      auto const verdict = verify(*scheme, request, keysOf(vector), *clock_);
      auto const wanted = textOr(vector, "/verdict", "");
      EXPECT_EQ(verdict.accepted() ? "accept" : "reject", wanted)
          << provider << ", " << textOr(vector, "/name", "") << ": " << verdict.sentence;
      EXPECT_FALSE(isOurOwnFault(verdict.reason)) << provider << ": " << verdict.sentence;
      ++checked.vectors;
      checked.accepted += verdict.accepted() ? 1 : 0;
    }
    return checked;
  }

  // By the preset without one member of its signature.
  Verdict verdictWithout(std::string_view member, std::string_view preset, std::string const& provider,
                         std::string_view name) {
    auto changed = *presetNamed(preset);
    EXPECT_EQ(changed.at("signature").as_object().erase(member), 1U);
    auto const& vectors = document_.at("schemes").at(provider).at("cases").as_array();
    for (auto const& vector : vectors)
      if (textOr(vector, "/name", "") == name)
        return verify(Scheme::read(changed).value(), requestOf(vector), keysOf(vector), *clock_);
    ADD_FAILURE() << provider << " has no vector " << name;
    return {};
  }

  json::value document_;
  std::optional<VirtualClock> clock_;
};

TEST_F(Vectors, EveryOneGetsItsVerdict) {
  int providers = 0;
  for (auto const& [name, described] : document_.at("schemes").as_object()) {
    std::string const provider(name);
    if (kGoingOut.contains(provider)) {
      if (described.at("cases").as_array().empty())
        std::printf("contracts: %s: 0 signatures checked; skipped: the file has no vector of it\n",
                    provider.c_str());
      continue;
    }
    ++providers;
    auto const checked = checkAll(provider, described);
    std::printf("contracts: %s: %d signatures checked; skipped: nothing\n", provider.c_str(),
                checked.vectors);
    EXPECT_GT(checked.accepted, provider == "twilio" ? 2 : 0)
        << provider << ": a scheme that rejects all proves nothing";
    EXPECT_LT(checked.accepted, checked.vectors) << provider;
  }
  EXPECT_GE(providers, 25);
}

// Amazon signs everybody's topics with one key.
TEST_F(Vectors, AMessageOfAnotherTopicIsRefusedThoughItsSignatureIsRight) {
  auto const scheme = Scheme::named("aws-sns").value();
  auto const& vector = document_.at("schemes").at("aws_sns_ses").at("cases").at(0);
  auto keys = keysOf(vector);
  EXPECT_TRUE(verify(scheme, requestOf(vector), keys, *clock_).accepted());
  keys.parameters["topic"] = "arn:aws:sns:us-west-2:123456789013:ses";
  EXPECT_EQ(verify(scheme, requestOf(vector), keys, *clock_).reason, Reason::wrongValue);
  keys.parameters.clear();
  EXPECT_EQ(verify(scheme, requestOf(vector), keys, *clock_).reason, Reason::noSecret);
}

// Two official libraries say more, or less, than the signature; the file has both verdicts.
TEST_F(Vectors, WhereALibraryAddsToTheSignatureTheSchemeSaysSo) {
  EXPECT_TRUE(verdictWithout("body", "svix", "svix_resend", "empty body").accepted());
  EXPECT_EQ(verdictWithout("future_seconds", "slack", "slack", "timestamp +301s").reason, Reason::tooNew);
}

} // namespace
} // namespace garland::webhooks
