// Requests come from anybody and schemes from connectors: none may end the process, and none may be accepted
// without the secret. The input: name or text of a scheme, headers, URL and body, each ended by a zero byte
// but the last.
#include "host/webhooks/webhooks.h"

#include <cstdlib>

using namespace garland;

namespace {

std::string_view next(std::string_view& rest) {
  auto const part = rest.substr(0, rest.find('\0'));
  rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  return part;
}

std::vector<std::pair<std::string, std::string>> headersIn(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> headers;
  while (!text.empty()) {
    auto const line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    auto const colon = std::min(line.find(':'), line.size());
    headers.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())));
  }
  return headers;
}

Result<webhooks::Scheme> schemeIn(std::string_view text) {
  if (!text.starts_with('{')) return webhooks::Scheme::named(text);
  TRY(document, parseJson(text, JsonLimits{1U << 16U, 32}));
  return webhooks::Scheme::read(document);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<char const*>(data), size);
  auto const scheme = schemeIn(next(rest));
  if (!scheme) return 0;
  webhooks::Request request;
  request.headers = headersIn(next(rest));
  request.url = next(rest);
  request.body = rest;
  VirtualClock const clock(TimePoint(std::chrono::seconds(1'790'000'000)));
  webhooks::Keys keys;
  keys.parameters["webhook_id"] = "w";
  static_cast<void>(webhooks::answerHandshake(*scheme, request, keys, clock));
  if (webhooks::verify(*scheme, request, keys, clock).accepted()) std::abort();
  // Nobody has this secret, and it changes with every run.
  static std::string const secret = std::to_string(reinterpret_cast<std::uintptr_t>(&data)) + "/secret";
  keys.secrets.emplace_back(secret);
  keys.certificate = "-----BEGIN PUBLIC KEY-----\n" + request.body;
  static_cast<void>(webhooks::answerHandshake(*scheme, request, keys, clock));
  static_cast<void>(webhooks::certificateUrl(*scheme, request));
  static_cast<void>(webhooks::isCertificate(request.body));
  if (webhooks::verify(*scheme, request, keys, clock).accepted()) std::abort();
  return 0;
}
