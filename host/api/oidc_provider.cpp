#include "host/api/oidc_provider.h"

#include "host/api/provider_fetch.h"
#include "host/vault/vault.h"
#include "host/webhooks/webhooks.h"

#include <algorithm>

namespace garland::api {
namespace {

constexpr Milliseconds kPatience{10'000};
constexpr std::chrono::hours kKept{1};
// Who shows tokens with keys that nobody knows does not make us fetch more often.
constexpr std::chrono::minutes kKeysAnew{1};
constexpr std::size_t kMostDocument = 64U << 10U;
constexpr std::size_t kMostKeys = 256U << 10U;
constexpr std::size_t kLongestSecret = 4096;
constexpr JsonLimits kLimits{256U << 10U, 16};

constexpr egress::Advice kAdvice{
    "set [oidc] private_network = true if the provider is in your own network",
    "use https (or, for a provider on this machine, set [oidc] private_network = true)",
    "check [oidc] issuer, or if the provider has an authority of its own name its CA file in [egress] "
    "extra_ca_file"};

Error coded(std::string code, Error error) {
  error.provider_code = std::move(code);
  return error;
}

Error providerBug(std::string message) {
  return coded("wrong_provider", Error(ErrorKind::providerBug, "the OpenID provider " + std::move(message)));
}

// By TLS; or, where the issuer itself is asked in the clear (on this machine only), at the same place.
bool isSafe(std::string const& url, std::string const& issuer) {
  if (url.starts_with("https://")) return !hostOf(url).empty();
  return url.starts_with("http://") && issuer.starts_with("http://") && !hostOf(url).empty() &&
         hostOf(url) == hostOf(issuer);
}

bool lists(json::value const& document, std::string_view pointer, std::string_view word) {
  auto const* list = find(document, pointer);
  return list != nullptr && list->is_array() &&
         std::ranges::any_of(list->get_array(), [&](json::value const& one) {
           return one.is_string() && std::string_view(one.get_string()) == word;
         });
}

// "invalid_grant"; what is no such word is not repeated.
std::string errorWord(json::value const& answer) {
  auto word = textOr(answer, "/error", "");
  bool const plain = word.size() <= 40 &&
                     std::ranges::all_of(word, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  return plain ? word : "";
}

// RFC 6749, section 5.2: whether the client is refused, or only what it showed.
Error refusedBy(int status, json::value const& answer) {
  auto const word = errorWord(answer);
  bool const client = word == "invalid_client" || word == "unauthorized_client" ||
                      (word.empty() && (status == 401 || status == 403));
  auto const said = word.empty() ? "" : " (" + word + ")";
  if (client)
    return coded("client_refused",
                 Error(ErrorKind::forbidden, "the OpenID provider refused this host as its client" + said +
                                                 ": [oidc] client_id and client_secret_file must be what is "
                                                 "registered there"));
  return coded("code_refused", Error(ErrorKind::forbidden, "the OpenID provider refused the sign-in" + said));
}

std::string form(std::vector<std::pair<std::string, std::string>> const& members) {
  std::string out;
  for (auto const& [name, value] : members)
    out += (out.empty() ? "" : "&") + name + "=" + percentEncode(value);
  return out;
}

Error noSecret(std::string const& why) {
  return coded("client_secret", Error(ErrorKind::transient, "[oidc] client_secret_file: " + why));
}

Result<Secret> readSecret(std::string const& file) {
  auto const content = vault::readKeyFile(file, kLongestSecret);
  if (!content) return noSecret(content.error().message);
  auto text = content->reveal();
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) return noSecret(file + " is empty");
  return Secret(std::string(text));
}

} // namespace

Result<ProviderFacts> readProvider(std::string_view text, std::string const& issuer) {
  auto const document = parseJson(text, kLimits);
  if (!document || !document->is_object())
    return providerBug("publishes something that is no JSON about itself");
  if (textOr(*document, "/issuer", "") != issuer)
    return providerBug("says that it is another than [oidc] issuer: compare the two letter by letter");
  ProviderFacts facts;
  facts.authorization_endpoint = textOr(*document, "/authorization_endpoint", "");
  facts.token_endpoint = textOr(*document, "/token_endpoint", "");
  facts.jwks_uri = textOr(*document, "/jwks_uri", "");
  for (auto const* url : {&facts.authorization_endpoint, &facts.token_endpoint, &facts.jwks_uri})
    if (!isSafe(*url, issuer)) return providerBug("names an address that is missing, or not https");
  constexpr auto methods = "/token_endpoint_auth_methods_supported";
  facts.takes_basic = find(*document, methods) == nullptr || lists(*document, methods, "client_secret_basic");
  facts.names_issuer = boolOr(*document, "/authorization_response_iss_parameter_supported", false);
  return facts;
}

Result<std::string> readIdToken(int status, std::string_view text) {
  auto const answer = parseJson(text, kLimits);
  auto const said = answer ? *answer : json::value();
  if (status >= 400 && status < 500) return refusedBy(status, said);
  if (status != 200) return providerBug("answered " + std::to_string(status) + " instead of a token");
  auto token = textOr(said, "/id_token", "");
  if (token.empty()) return providerBug("gave no ID token");
  return token;
}

Task<egress::Response> OidcProvider::ask(egress::Request request, egress::Credential credential) {
  if (egress_ == nullptr)
    co_return coded("unreachable", Error(ErrorKind::transient, "this daemon fetches nothing"));
  egress::Policy policy;
  policy.allowed_hosts.push_back(hostOf(request.url));
  policy.allow_private_network = settings_.private_network;
  policy.max_redirects = 0;
  policy.extra_ca_file = extra_ca_file_;
  policy.advice = kAdvice;
  request.timeout = kPatience;
  request.audit_subject = "oidc";
  auto asking = egress_->fetch(std::move(request), std::move(policy), std::move(credential));
  auto answer = co_await std::move(asking);
  if (!answer)
    co_return coded("unreachable", std::move(answer).error().within("the OpenID provider cannot be asked"));
  co_return std::move(*answer);
}

Task<std::string> OidcProvider::get(std::string url, std::size_t most) {
  egress::Request request;
  request.url = std::move(url);
  request.max_body = most;
  request.headers.push_back(egress::Header{"Accept", "application/json"});
  CO_TRY(answer, co_await ask(std::move(request), egress::Credential()));
  if (answer.status != 200)
    co_return providerBug("answered " + std::to_string(answer.status) + " where it should tell of itself");
  co_return std::move(answer.body);
}

Task<ProviderFacts> OidcProvider::facts() {
  if (facts_ && clock_.monotonic() < facts_until_) co_return *facts_;
  auto url = settings_.issuer;
  if (url.ends_with('/')) url.pop_back();
  CO_TRY(document, co_await get(url + "/.well-known/openid-configuration", kMostDocument));
  CO_TRY(facts, readProvider(document, settings_.issuer));
  facts_ = facts;
  facts_until_ = clock_.monotonic() + kKept;
  co_return facts;
}

Task<void> OidcProvider::learnKeys(bool anew) {
  auto const now = clock_.monotonic();
  bool const enough = anew ? now < keys_anew_ : now < keys_until_;
  if (keys_ && enough) co_return Result<void>();
  CO_TRY(facts, co_await this->facts());
  CO_TRY(text, co_await get(facts.jwks_uri, kMostKeys));
  auto keys = parseJson(text, kLimits);
  if (!keys) co_return providerBug("publishes keys that are no JSON");
  keys_ = std::move(*keys);
  keys_until_ = now + kKept;
  keys_anew_ = now + kKeysAnew;
  co_return Result<void>();
}

Task<std::string> OidcProvider::exchange(ProviderFacts facts, std::string code, std::string verifier) {
  egress::Credential credential;
  std::vector<std::pair<std::string, std::string>> members{{"grant_type", "authorization_code"},
                                                           {"code", std::move(code)},
                                                           {"redirect_uri", settings_.callback()},
                                                           {"code_verifier", std::move(verifier)}};
  Secret secret;
  if (!settings_.client_secret_file.empty()) {
    CO_TRY(read, readSecret(settings_.client_secret_file));
    secret = std::move(read);
  }
  if (!secret.empty() && facts.takes_basic) {
    // RFC 6749, section 2.3.1: both are encoded as in a form.
    credential.scheme = egress::Credential::Scheme::basic;
    credential.username = percentEncode(settings_.client_id);
    credential.secret = Secret(percentEncode(secret.reveal()));
  } else {
    members.emplace_back("client_id", settings_.client_id);
    if (!secret.empty()) members.emplace_back("client_secret", std::string(secret.reveal()));
  }
  egress::Request request;
  request.method = "POST";
  request.url = facts.token_endpoint;
  request.max_body = kMostDocument;
  request.headers.push_back(egress::Header{"Content-Type", "application/x-www-form-urlencoded"});
  request.headers.push_back(egress::Header{"Accept", "application/json"});
  request.body = form(members);
  CO_TRY(answer, co_await ask(std::move(request), std::move(credential)));
  co_return readIdToken(answer.status, answer.body);
}

Task<json::object> OidcProvider::redeem(std::string code, std::string verifier, std::string nonce) {
  CO_TRY(facts, co_await this->facts());
  CO_TRY(token, co_await exchange(std::move(facts), std::move(code), std::move(verifier)));
  CO_TRY_VOID(co_await learnKeys(false));
  webhooks::IdTokenRules rules;
  rules.issuer = settings_.issuer;
  rules.client_id = settings_.client_id;
  rules.audiences = settings_.audiences;
  rules.nonce = std::move(nonce);
  auto checked = webhooks::checkIdToken(token, *keys_, rules, clock_.now());
  if (checked.reason == webhooks::Reason::noSecret) {
    CO_TRY_VOID(co_await learnKeys(true));
    checked = webhooks::checkIdToken(token, *keys_, rules, clock_.now());
  }
  if (!checked.accepted())
    co_return coded("token", Error(ErrorKind::forbidden, "the sign-in does not count: " + checked.sentence));
  co_return std::move(checked.claims);
}

} // namespace garland::api
