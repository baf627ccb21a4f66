#include "host/api/sign_in_failure.h"

#include "host/base/utf8.h"

#include <algorithm>
#include <array>

namespace garland::api {
namespace {

constexpr std::size_t kMostValues = 10;
constexpr std::size_t kLongestValue = 60;

// [oidc] roles_claim may name one of these, and then each value is somebody.
bool isOfAPerson(std::string_view claim) {
  constexpr std::array<std::string_view, 16> kPersons{"sub",      "email",        "preferred_username",
                                                      "name",     "given_name",   "family_name",
                                                      "nickname", "middle_name",  "unique_name",
                                                      "upn",      "phone_number", "login",
                                                      "username", "uid",          "oid",
                                                      "cn"};
  auto const slash = claim.rfind('/');
  return std::ranges::find(kPersons, slash == std::string_view::npos ? claim : claim.substr(slash + 1)) !=
         kPersons.end();
}

void say(json::value const& value, json::array& said) {
  if (!value.is_string() || said.size() == kMostValues) return;
  std::string_view const text = value.get_string();
  if (text.find('@') != std::string_view::npos) return; // groups of one, named by an address
  said.emplace_back(printable(asUtf8(text.substr(0, kLongestValue))));
}

} // namespace

json::value const* roleClaim(json::object const& claims, std::string const& name) {
  if (!name.starts_with('/')) return claims.if_contains(name);
  json::value const* at = nullptr;
  json::object const* object = &claims;
  for (std::size_t begin = 1; begin <= name.size() && object != nullptr;) {
    auto const end = std::min(name.find('/', begin), name.size());
    at = object->if_contains(std::string_view(name).substr(begin, end - begin));
    object = at == nullptr ? nullptr : at->if_object();
    begin = end + 1;
  }
  return at;
}

json::object rolesSaid(json::object const& claims, OidcSettings const& settings) {
  auto const* claim = roleClaim(claims, settings.roles_claim);
  json::object out{{"claim", settings.roles_claim}, {"in_the_token", claim != nullptr}};
  if (claim == nullptr) return out;
  auto const* list = claim->if_array();
  out["values"] = list == nullptr ? 1 : list->size();
  if (isOfAPerson(settings.roles_claim)) return out;
  json::array said;
  if (list == nullptr) say(*claim, said);
  if (list != nullptr)
    for (auto const& value : *list) say(value, said);
  out["said"] = std::move(said);
  return out;
}

Error forBrowsers(Error const& error) {
  Error out(error.kind, error.message);
  out.effect = error.effect;
  out.retry_after = error.retry_after;
  // A provider that may not be asked is "forbidden" too, with the address that it leads to.
  auto const& code = error.provider_code;
  bool const ours = error.kind != ErrorKind::forbidden || code == "client_refused" || code == "unreachable";
  if (ours) out.message = "nobody can sign in here now: the daemon's log says why, under this request_id";
  return out;
}

std::string signInWord(Error const& error) {
  return error.provider_code.empty() ? "not_opened" : error.provider_code;
}

} // namespace garland::api
