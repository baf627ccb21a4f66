#include "host/api/sign_in_door.h"

#include "host/api/cookies.h"
#include "host/api/sign_in.h"
#include "host/api/sign_in_failure.h"
#include "host/base/utf8.h"
#include "host/vault/vault.h"

#include <algorithm>

namespace garland::api {
namespace {

constexpr std::size_t kLongestName = 200;
constexpr std::string_view kPath = "SameSite=Lax; Path=/sign-in";
constexpr std::string_view kSessionPath = "SameSite=Strict; Path=/";

// 256 bits that only the holder of the cookie can tell.
std::string derived(std::string_view cookie, std::string_view purpose) {
  return hex(vault::hmacSha256(cookie, purpose));
}

// S256 of RFC 7636.
std::string challengeOf(std::string_view verifier) { return base64Url(vault::sha256(verifier)); }

// "" if it is not there, or twice.
std::string onlyOne(Request const& request, std::string_view name) {
  std::string found;
  int times = 0;
  for (auto const& [member, value] : request.query)
    if (member == name && ++times == 1) found = value;
  return times == 1 ? found : std::string();
}

Error tooMany(Milliseconds wait) {
  Error error(ErrorKind::rateLimited, "too many sign-ins came from there: try again in a while");
  error.retry_after = wait;
  return error;
}

Error notUnderWay() {
  return Error(ErrorKind::forbidden,
               "this sign-in is over, was used, or began in another browser: begin again at /sign-in");
}

std::string nameOf(json::object const& claims) {
  for (auto const* member : {"email", "preferred_username", "name", "sub"}) {
    auto const* value = claims.if_contains(member);
    if (value == nullptr || !value->is_string() || value->get_string().empty()) continue;
    return printable(asUtf8(std::string_view(value->get_string()).substr(0, kLongestName)));
  }
  return {};
}

Error coded(std::string_view code, std::string message) {
  Error error(ErrorKind::forbidden, std::move(message));
  error.provider_code = code;
  return error;
}

} // namespace

json::object shapeOf(access::Session const& session) {
  json::object out{{"id", session.id}, {"name", session.name}, {"role", access::name(session.role)}};
  out["vendor_id"] = session.vendor_id.empty() ? json::value() : json::value(session.vendor_id);
  out["created"] = rfc3339(session.created);
  out["expires"] = rfc3339(session.expires);
  out["last_used"] = rfc3339(session.last_used);
  return out;
}

Result<OidcRole> roleFrom(json::object const& claims, OidcSettings const& settings) {
  std::vector<OidcRole> roles;
  auto const take = [&](json::value const& value) {
    if (!value.is_string()) return;
    auto const found = settings.roles.find(std::string(value.get_string()));
    if (found != settings.roles.end() && std::ranges::find(roles, found->second) == roles.end())
      roles.push_back(found->second);
  };
  if (auto const* said = roleClaim(claims, settings.roles_claim); said != nullptr) {
    if (said->is_array()) std::ranges::for_each(said->get_array(), take);
    take(*said);
  }
  if (roles.empty())
    return coded("no_role", "you are known, but have no role here: an operator gives one by [oidc] roles");
  OidcRole all{access::Role::operator_, ""};
  if (std::ranges::find(roles, all) != roles.end()) return all;
  if (roles.size() > 1)
    return coded("several_roles", "you have several roles by [oidc] roles, and a session has one");
  return roles.front();
}

access::Attempts::Limits SignInDoor::beginnings() {
  access::Attempts::Limits limits;
  limits.burst = 30;
  limits.each = Milliseconds(2'000);
  return limits;
}

Result<void> SignInDoor::ready() const {
  if (with_.sessions != nullptr && !with_.oidc.issuer.empty()) return {};
  return Error(ErrorKind::unsupported, "nobody signs in here: [oidc] is not configured");
}

Error SignInDoor::refused(Request const& request, std::string_view why, Error error) {
  if (with_.audit != nullptr) {
    audit::Event event;
    event.kind = audit::Kind::refusal;
    event.act = request.segments.size() > 1 ? "finishSignIn" : "signIn";
    event.person = placeOf(request.peer);
    event.facts["why"] = why;
    with_.audit->note(std::move(event));
  }
  return error;
}

// One line and one row for whatever went wrong after the browser could be believed.
Error SignInDoor::failed(Request const& request, Error const& error, json::object facts) {
  auto const word = signInWord(error);
  facts["why"] = word;
  facts["problem"] = error.message;
  facts["request_id"] = request.id;
  with_.log.warn("a sign-in failed", std::move(facts));
  return refused(request, word, forBrowsers(error));
}

json::object SignInDoor::about(json::object const& claims) const {
  auto facts = rolesSaid(claims, with_.oidc);
  if (with_.audit != nullptr) facts["person"] = with_.audit->pseudonym(textOr(claims, "/sub", ""));
  return facts;
}

Task<Response> SignInDoor::begin(Request request) {
  CO_TRY_VOID(ready());
  auto const place = placeOf(request.peer);
  if (auto const wait = begun_.wait(place); wait > Milliseconds(0)) co_return tooMany(wait);
  begun_.failed(place);
  auto facts = co_await provider_.facts();
  if (!facts) co_return failed(request, facts.error());
  auto const cookie = access::newSessionKey(with_.random);
  CO_TRY_VOID(co_await with_.sessions->begin(access::hashOf(cookie.reveal())));
  auto const& settings = with_.oidc;
  auto url = facts->authorization_endpoint;
  url += url.find('?') == std::string::npos ? '?' : '&';
  url += "response_type=code&client_id=" + percentEncode(settings.client_id);
  url += "&redirect_uri=" + percentEncode(settings.callback());
  url += "&scope=" + percentEncode(settings.scopes);
  url += "&state=" + derived(cookie.reveal(), "state") + "&nonce=" + derived(cookie.reveal(), "nonce");
  url += "&code_challenge_method=S256&code_challenge=";
  url += challengeOf(derived(cookie.reveal(), "verifier"));
  Response response(303);
  response.headers.emplace_back("location", std::move(url));
  response.headers.push_back(
      setCookie(kSignInCookie, cookie.reveal(), with_.sessions->times().sign_in, kPath));
  co_return response;
}

Result<std::string> SignInDoor::codeIn(Request const& request, ProviderFacts const& facts) const {
  auto const issuer = onlyOne(request, "iss");
  if ((facts.names_issuer || !issuer.empty()) && issuer != with_.oidc.issuer)
    return coded("other_provider", "the answer came from another provider than [oidc] issuer");
  if (!onlyOne(request, "error").empty())
    return coded("provider", "the OpenID provider did not sign you in: begin again at /sign-in");
  auto code = onlyOne(request, "code");
  if (code.empty()) return coded("provider", "the OpenID provider sent no code");
  return code;
}

Task<access::OpenedSession> SignInDoor::openFor(json::object claims) {
  CO_TRY(role, roleFrom(claims, with_.oidc));
  if (!role.vendor_id.empty()) {
    std::vector<std::string> asked(1, role.vendor_id);
    CO_TRY(spans, co_await with_.engine.feedSpans(std::move(asked)));
    if (spans.empty())
      co_return coded("vendor_gone", "the vendor that [oidc] roles names for you is not here");
  }
  access::NewSession wish;
  wish.subject = std::string(claims.at("sub").as_string());
  wish.name = nameOf(claims);
  wish.role = role.role;
  wish.vendor_id = role.vendor_id;
  co_return co_await with_.sessions->open(std::move(wish));
}

Task<Response> SignInDoor::finish(Request request) {
  CO_TRY_VOID(ready());
  auto const place = placeOf(request.peer);
  if (auto const wait = wrong_.wait(place); wait > Milliseconds(0)) co_return tooMany(wait);
  auto const cookie = cookieNamed(request, kSignInCookie);
  bool const fits = access::isSessionKey(cookie) &&
                    vault::equalInConstantTime(derived(cookie, "state"), onlyOne(request, "state"));
  if (!fits) {
    wrong_.failed(place);
    co_return refused(request, "state", notUnderWay());
  }
  CO_TRY(taken, co_await with_.sessions->take(access::hashOf(cookie)));
  if (!taken) {
    wrong_.failed(place);
    co_return refused(request, "sign_in_over", notUnderWay());
  }
  auto facts = co_await provider_.facts();
  if (!facts) co_return failed(request, facts.error());
  auto code = codeIn(request, *facts);
  if (!code) co_return failed(request, code.error());
  auto redeeming = provider_.redeem(std::move(*code), derived(cookie, "verifier"), derived(cookie, "nonce"));
  auto claims = co_await std::move(redeeming);
  if (!claims) co_return failed(request, claims.error());
  auto opening = openFor(*claims);
  auto opened = co_await std::move(opening);
  if (!opened) co_return failed(request, opened.error(), about(*claims));
  Response response(200, shapeOf(opened->session));
  response.headers.push_back(setCookie(kSignInCookie, "", Milliseconds(0), kPath));
  response.headers.push_back(
      setCookie(kSessionCookie, opened->text.reveal(), with_.sessions->times().life, kSessionPath));
  co_return response;
}

} // namespace garland::api
