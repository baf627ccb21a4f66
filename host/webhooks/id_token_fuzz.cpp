// A token and a key set come from the provider, and the token through a browser: neither may end the process,
// and no token may be accepted by keys of which nobody has the other half. The input: a token and a key set,
// with a zero byte between.
#include "host/webhooks/testing/token_signer.h"
#include "host/webhooks/webhooks.h"

#include <cstdlib>

using namespace garland;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const all(reinterpret_cast<char const*>(data), size);
  auto const end = std::min(all.find('\0'), all.size());
  auto const token = all.substr(0, end);
  auto const rest = all.substr(std::min(end + 1, all.size()));
  static webhooks::testing::TokenSigner const signer(webhooks::testing::TokenSigner::Kind::p256, "k");
  static json::value const nobodys = webhooks::testing::keySetOf({signer.jwk()});
  webhooks::IdTokenRules rules;
  rules.issuer = "https://id.example.com";
  rules.client_id = "garland";
  rules.nonce = "n";
  TimePoint const now(std::chrono::seconds(1'790'000'000));
  if (webhooks::checkIdToken(token, nobodys, rules, now).accepted()) std::abort();
  auto const set = parseJson(rest, JsonLimits{1U << 16U, 16});
  if (set) static_cast<void>(webhooks::checkIdToken(token, *set, rules, now));
  // Claims of any shape under a signature that holds.
  auto const claims = parseJson(rest, JsonLimits{1U << 14U, 16});
  if (!claims || !claims->is_object()) return 0;
  auto const genuine = webhooks::checkIdToken(signer.token(claims->get_object()), nobodys, rules, now);
  if (genuine.accepted() && textOr(json::value(genuine.claims), "/nonce", "") != "n") std::abort();
  return 0;
}
