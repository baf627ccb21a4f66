#include "host/oauth/device_answer.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

namespace garland::oauth {
namespace {

constexpr std::size_t kLongestUserCode = 64;
constexpr std::size_t kLongestAddress = 2'000;
// In seconds, the first as in RFC 8628, section 3.2.
constexpr std::int64_t kUsualPause = 5;
constexpr std::int64_t kMostPause = 60;
constexpr std::int64_t kUsualLife = 600;
constexpr std::int64_t kLeastLife = 30;
constexpr std::int64_t kMostLife = 3'600;

Result<json::value> documentOf(Reply const& reply) {
  return parseJson(reply.body, JsonLimits{std::size_t{256} << 10U, 16});
}

// People are shown it, on a terminal too.
bool isUserCode(std::string const& text) {
  return !text.empty() && text.size() <= kLongestUserCode &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

bool isPage(std::string const& text) {
  auto const url = boost::urls::parse_uri(text);
  bool const web = url && (url->scheme() == "https" || url->scheme() == "http");
  return web && text.size() <= kLongestAddress && !url->encoded_host().empty() && !url->has_userinfo();
}

std::string answered(Reply const& reply, std::vector<std::string> const& codes) {
  auto const word = codes.empty() ? std::string() : " " + codes.front();
  return "it answered " + std::to_string(reply.status) + word;
}

Error notBegun(Reply const& reply, std::vector<std::string> const& codes) {
  bool const passes = reply.status >= 500 || reply.status == 429;
  Error error(passes ? ErrorKind::transient : ErrorKind::forbidden,
              "the provider begins no sign-in on another device (" + answered(reply, codes) +
                  (passes ? "); try again later"
                          : "); check the client's id and secret, and that it may do that there"));
  if (passes) error.retry_after = reply.retry_after;
  return error;
}

// Some say "verification_url".
std::string pageOf(json::value const& document, std::string const& suffix) {
  return textOr(document, "/verification_uri" + suffix, textOr(document, "/verification_url" + suffix, ""));
}

Milliseconds secondsAt(json::value const& document, std::string_view place, std::int64_t usual,
                       std::int64_t least, std::int64_t most) {
  auto const said = numberAt(document, place);
  return std::chrono::seconds(std::clamp(said > 0 ? said : usual, least, most));
}

bool holds(std::vector<std::string> const& codes, std::string_view code) {
  return std::ranges::find(codes, code) != codes.end();
}

DeviceWord over(std::string why) {
  DeviceWord word;
  word.says = DeviceWord::Says::over;
  word.why = std::move(why) + "; begin the sign-in again";
  return word;
}

} // namespace

Result<DeviceStart> readDeviceStart(Reply const& reply) {
  auto const document = documentOf(reply);
  auto const codes = document ? codesOf(*document) : std::vector<std::string>();
  if (reply.status < 200 || reply.status >= 300 || !codes.empty()) return notBegun(reply, codes);
  auto code = document ? textOr(*document, "/device_code", "") : std::string();
  DeviceStart start;
  if (document) {
    start.user_code = textOr(*document, "/user_code", "");
    start.verification_uri = pageOf(*document, "");
    start.verification_uri_complete = pageOf(*document, "_complete");
  }
  if (!isToken(code) || !isUserCode(start.user_code) || !isPage(start.verification_uri))
    return Error(ErrorKind::providerBug, "what the provider answered begins no sign-in on another device: no "
                                         "codes, or no address to type one at");
  if (!isPage(start.verification_uri_complete)) start.verification_uri_complete.clear();
  start.code = Secret(std::move(code));
  start.life = secondsAt(*document, "/expires_in", kUsualLife, kLeastLife, kMostLife);
  start.pause = secondsAt(*document, "/interval", kUsualPause, 1, kMostPause);
  return start;
}

DeviceWord readDeviceWord(Provider const& provider, Reply const& reply) {
  DeviceWord word;
  auto answer = readAnswer(provider, reply);
  if (answer.verdict == Verdict::given) {
    word.says = DeviceWord::Says::given;
    word.answer = std::move(answer);
    return word;
  }
  auto const document = documentOf(reply);
  auto const codes = document ? codesOf(*document) : std::vector<std::string>();
  // A server's own trouble says nothing, whatever words come with it.
  bool const trouble = reply.status >= 500;
  if (!trouble && holds(codes, "slow_down")) {
    word.says = DeviceWord::Says::slower;
  } else if (!trouble && holds(codes, "authorization_pending")) {
    word.says = DeviceWord::Says::pending;
  } else if (!trouble && holds(codes, "access_denied")) {
    return over("it was not let in at the provider");
  } else if (!trouble && holds(codes, "expired_token")) {
    return over("the code ran out before anybody let it in");
  } else if (trouble || reply.status == 429) {
    word.in_doubt = answer.in_doubt;
    word.answer.retry_after = answer.retry_after;
  } else {
    auto ended = over("the provider does not go on with it (" + answer.why + ")");
    ended.in_doubt = answer.in_doubt;
    return ended;
  }
  return word;
}

DeviceWord noDeviceWord(Error const& error) {
  DeviceWord word;
  auto const none = noAnswer(error);
  word.in_doubt = none.in_doubt;
  word.answer.retry_after = none.retry_after;
  return word;
}

} // namespace garland::oauth
