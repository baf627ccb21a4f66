// What an OpenID provider publishes and answers, and the cookies of anybody. The input's first byte says
// which.
#include "host/api/cookies.h"
#include "host/api/oidc_provider.h"
#include "host/api/sign_in_door.h"

#include <cstdlib>

using namespace garland;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view const text(reinterpret_cast<char const*>(data) + 1, size - 1);
  if (data[0] % 3 == 0) {
    auto const facts = api::readProvider(text, "https://id.example.com");
    if (facts && !facts->token_endpoint.starts_with("https://")) std::abort();
  } else if (data[0] % 3 == 1) {
    auto const token = api::readIdToken(200, text);
    if (token && token->empty()) std::abort();
    auto const claims = parseJson(text, JsonLimits{1U << 16U, 16});
    api::OidcSettings settings;
    settings.roles_claim = "/a/b";
    if (claims && claims->is_object() && api::roleFrom(claims->get_object(), settings)) std::abort();
  } else {
    api::Request request;
    request.headers.emplace_back("cookie", std::string(text));
    auto const value = api::cookieNamed(request, "c");
    if (value.find(';') != std::string::npos) std::abort();
  }
  return 0;
}
