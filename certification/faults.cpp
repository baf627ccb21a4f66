#include "certification/faults.h"

#include <algorithm>
#include <array>

namespace garland::certification {
namespace {

using runtime::HttpAnswer;
using runtime::HttpAsk;
using Answer = Result<HttpAnswer>;

template <class... Kinds> constexpr std::uint32_t anyOf(Kinds... kinds) {
  return ((std::uint32_t{1} << static_cast<unsigned>(kinds)) | ...);
}

bool changesNothing(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PROPFIND" ||
         method == "REPORT";
}

// As host/egress tells what became of a request without an answer.
Error lost(HttpAsk const& ask, char const* code, char const* words, bool sent) {
  Error error(ErrorKind::transient, words);
  error.provider_code = code;
  bool const unknown = sent && !changesNothing(ask.method);
  return std::move(error).withEffect(unknown ? Effect::unknown : Effect::notApplied);
}

HttpAnswer status(int number, Effect effect, std::string body, char const* type = "application/json") {
  HttpAnswer out;
  out.status = number;
  out.headers = {{"content-type", type}};
  out.body = std::move(body);
  out.effect = effect;
  return out;
}

Answer refused(HttpAsk const& ask, HttpAnswer const*) {
  return lost(ask, "refused", "the connection was refused", false);
}
Answer unknownHost(HttpAsk const& ask, HttpAnswer const*) {
  return lost(ask, "unknown_host", "the provider's name cannot be resolved", false);
}
Answer tlsFailed(HttpAsk const&, HttpAnswer const*) {
  Error error(ErrorKind::providerBug, "the provider's certificate is not trusted");
  error.provider_code = "tls_untrusted";
  return error;
}
Answer timedOutBefore(HttpAsk const& ask, HttpAnswer const*) {
  return lost(ask, "timed_out", "connecting took too long", false);
}
Answer timedOutAfter(HttpAsk const& ask, HttpAnswer const*) {
  return lost(ask, "timed_out", "no answer came in time", true);
}
Answer reset(HttpAsk const& ask, HttpAnswer const*) {
  return lost(ask, "connection_lost", "the connection was lost before the answer", true);
}
Answer resetLater(HttpAsk const& ask, HttpAnswer const*) {
  return lost(ask, "connection_lost", "the connection was lost in the middle of the answer", true);
}
Answer slowly(HttpAsk const&, HttpAnswer const* real) { return *real; }

Answer plain(int number, Effect effect, char const* words) {
  return status(number, effect, json::serialize(json::object{{"error", words}}));
}
Answer status401(HttpAsk const&, HttpAnswer const*) {
  return plain(401, Effect::notApplied, "the credential is not valid");
}
Answer status403(HttpAsk const&, HttpAnswer const*) { return plain(403, Effect::notApplied, "not allowed"); }
Answer status409(HttpAsk const&, HttpAnswer const*) { return plain(409, Effect::notApplied, "a conflict"); }
Answer limited(std::optional<Milliseconds> after, char const* header, std::string value) {
  auto out = status(429, Effect::notApplied, R"({"error":"too many requests"})");
  if (header != nullptr) out.headers.emplace_back(header, std::move(value));
  out.retry_after = after;
  return out;
}
Answer status429Seconds(HttpAsk const&, HttpAnswer const*) {
  return limited(Milliseconds(7000), "retry-after", "7");
}
Answer status429Date(HttpAsk const&, HttpAnswer const*) {
  return limited(Milliseconds(7000), "retry-after", "Thu, 01 Jan 2026 00:00:07 GMT");
}
Answer status429(HttpAsk const&, HttpAnswer const*) { return limited(std::nullopt, nullptr, ""); }
Answer status500(HttpAsk const&, HttpAnswer const*) { return plain(500, Effect::unknown, "internal error"); }
Answer status502(HttpAsk const&, HttpAnswer const*) {
  return status(502, Effect::unknown, "<html><body>Bad Gateway</body></html>", "text/html");
}
Answer status503(HttpAsk const&, HttpAnswer const*) {
  return plain(503, Effect::unknown, "down for maintenance");
}
Answer truncated(HttpAsk const&, HttpAnswer const* real) {
  auto out = *real;
  out.body.resize(out.body.size() / 2);
  return out;
}
Answer wrongType(HttpAsk const&, HttpAnswer const*) {
  return status(200, Effect::unknown, "<!doctype html><title>Sign in</title>", "text/html");
}

// A member that nobody documented, in every object; nothing that was there is gone.
void drift(json::value& value) {
  if (auto* list = value.if_array())
    for (auto& item : *list) drift(item);
  if (auto* object = value.if_object()) {
    for (auto& member : *object) drift(member.value());
    (*object)["x_added_lately"] = "new";
  }
}
Answer drifted(HttpAsk const&, HttpAnswer const* real) {
  auto out = *real;
  if (auto document = parseJson(out.body)) {
    drift(*document);
    out.body = json::serialize(*document);
  }
  return out;
}
Answer cancelled(HttpAsk const&, HttpAnswer const*) {
  return Error(ErrorKind::cancelled, "the call was cancelled");
}

using K = ErrorKind;
constexpr std::uint32_t kTransient = anyOf(K::transient);
constexpr std::uint32_t kOutOfTime = anyOf(K::transient, K::cancelled); // all of the call's time is gone
constexpr std::uint32_t kServer = anyOf(K::transient, K::providerBug);
constexpr std::uint32_t kBroken = anyOf(K::transient, K::providerBug);
constexpr Milliseconds kWhole{86'400'000}; // as long as the request has

constexpr std::array<Fault, 24> kFaults{{
    {"refused", "the connection is refused", false, kTransient, refused},
    {"dns_failure", "the provider's name cannot be resolved", false, kTransient, unknownHost},
    {"tls_failure", "the provider's certificate is not trusted", false, kServer, tlsFailed},
    {"timeout_before_send", "connecting takes too long", false, kOutOfTime, timedOutBefore, kWhole},
    {"timeout_after_send", "the request arrives, its answer never does", true, kOutOfTime, timedOutAfter,
     kWhole},
    {"reset_before_headers", "the request arrives, the connection is reset", true, kTransient, reset},
    {"reset_after_headers", "the connection is reset after the headers", true, kTransient, resetLater},
    {"reset_mid_body", "the connection is reset in the middle of the body", true, kTransient, resetLater},
    {"slow_body", "the body takes 20 seconds", true, kTransient, slowly, Milliseconds(20'000)},
    {"status_401", "the provider answers 401", false, anyOf(K::authExpired, K::authRevoked), status401},
    {"status_403", "the provider answers 403", false, anyOf(K::forbidden, K::authRevoked), status403},
    {"status_409", "the provider answers 409", false,
     anyOf(K::conflict, K::transient, K::providerBug, K::invalidInput), status409},
    {"status_429_seconds", "the provider answers 429 with Retry-After in seconds", false,
     anyOf(K::rateLimited), status429Seconds},
    {"status_429_date", "the provider answers 429 with Retry-After as a date", false, anyOf(K::rateLimited),
     status429Date},
    {"status_429", "the provider answers 429 without a hint", false, anyOf(K::rateLimited), status429},
    {"status_500", "the provider answers 500", false, kServer, status500},
    {"status_502", "a gateway answers 502 with a page", false, kServer, status502},
    {"status_503", "the provider answers 503", false, kServer, status503},
    {"truncated_json", "half of the body comes, whole as HTTP", true, kBroken, truncated},
    {"wrong_content_type", "a page comes instead of JSON", false,
     anyOf(K::transient, K::providerBug, K::authRevoked), wrongType},
    {"schema_drift", "the answer has members that nobody documented", true, 0, drifted},
    {"duplicated_page", "a page comes a second time instead of the next", false, kBroken, nullptr,
     Milliseconds(0), false, Fault::Repeats::once},
    {"cursor_loop", "every page from here on is the one before", false, kBroken, nullptr, Milliseconds(0),
     false, Fault::Repeats::forEver},
    {"cancellation", "the host cancels the call", false, anyOf(K::cancelled), cancelled, Milliseconds(0),
     true},
}};

} // namespace

std::span<Fault const> faults() { return kFaults; }

Fault const* faultNamed(std::string_view name) {
  auto const found = std::ranges::find(kFaults, name, &Fault::name);
  return found == kFaults.end() ? nullptr : &*found;
}

std::string kindsOf(std::uint32_t right) {
  std::string out;
  for (int kind = 1; kind <= 14; ++kind)
    if ((right & (std::uint32_t{1} << static_cast<unsigned>(kind))) != 0)
      out += (out.empty() ? "" : " or ") + std::string(garland::name(static_cast<ErrorKind>(kind)));
  return out.empty() ? "success" : out;
}

} // namespace garland::certification
