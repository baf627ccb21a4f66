#include "host/oauth/answer.h"

#include <algorithm>
#include <charconv>

namespace garland::oauth {
namespace {

constexpr std::size_t kLongestToken = 16'384;
constexpr std::size_t kLongestCode = 64;
constexpr std::int64_t kLongestLife = 366LL * 86'400; // seconds

// Only words: a message may quote what was sent.
std::string wordAt(json::value const& document, std::string_view pointer) {
  auto word = textOr(document, pointer, "");
  if (auto const number = integerOr(document, pointer, 0); number != 0) word = std::to_string(number);
  bool const good = word.size() <= kLongestCode && std::all_of(word.begin(), word.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             c == '_' || c == '-' || c == '.';
                    });
  return good ? word : std::string();
}

bool holds(std::vector<std::string> const& codes, std::string_view code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

Answer refusal(Provider const& provider, Reply const& reply, std::vector<std::string> const& codes) {
  Answer answer;
  answer.retry_after = reply.retry_after;
  answer.why = "it answered " + std::to_string(reply.status);
  if (!codes.empty()) answer.why += " " + codes.front();
  bool const grant =
      holds(codes, "invalid_grant") || std::any_of(provider.refusals.begin(), provider.refusals.end(),
                                                   [&](auto const& code) { return holds(codes, code); });
  if (grant)
    answer.verdict = Verdict::grantRefused;
  else if (holds(codes, "invalid_client") || holds(codes, "unauthorized_client"))
    answer.verdict = Verdict::clientRefused;
  return answer;
}

// The provider answered "yes", so it may have made a token, and the one that was sent may be used up.
Answer unreadable(Reply const& reply, std::string const& what) {
  Answer answer;
  answer.why = "it answered " + std::to_string(reply.status) + " with " + what;
  answer.in_doubt = true;
  return answer;
}

Answer given(Reply const& reply, json::value const& document) {
  auto access = textOr(document, "/access_token", "");
  auto refresh = textOr(document, "/refresh_token", "");
  if (!isToken(access) || (!refresh.empty() && !isToken(refresh)))
    return unreadable(reply, "a token that no header can carry");
  Answer answer;
  answer.verdict = Verdict::given;
  answer.access = Secret(std::move(access));
  answer.refresh = Secret(std::move(refresh));
  auto const seconds = std::min(numberAt(document, "/expires_in"), kLongestLife);
  if (seconds > 0) answer.life = std::chrono::seconds(seconds);
  return answer;
}

} // namespace

bool isToken(std::string const& text) {
  return !text.empty() && text.size() <= kLongestToken &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::int64_t numberAt(json::value const& document, std::string_view pointer) {
  auto const text = textOr(document, pointer, "");
  std::int64_t number = 0;
  if (text.empty()) return integerOr(document, pointer, 0);
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::vector<std::string> codesOf(json::value const& document) {
  std::vector<std::string> codes;
  for (auto const* place : {"/error", "/error/code", "/error/type", "/error_code", "/code"})
    if (auto word = wordAt(document, place); !word.empty()) codes.push_back(std::move(word));
  return codes;
}

Answer readAnswer(Provider const& provider, Reply const& reply) {
  auto const document = parseJson(reply.body, JsonLimits{std::size_t{256} << 10U, 16});
  auto const codes = document ? codesOf(*document) : std::vector<std::string>();
  bool const good = reply.status >= 200 && reply.status < 300;
  if (good && document && !textOr(*document, "/access_token", "").empty()) return given(reply, *document);
  // A server's own trouble says nothing of the grant, whatever words come with it.
  if (reply.status >= 500 || reply.status == 429) {
    auto answer = refusal(provider, reply, {});
    answer.verdict = Verdict::later;
    answer.in_doubt = reply.status >= 500;
    return answer;
  }
  if (good && codes.empty()) return unreadable(reply, "nothing that is a token");
  return refusal(provider, reply, codes);
}

Answer noAnswer(Error const& error) {
  Answer answer;
  answer.by = "network";
  answer.why = "no answer came";
  if (!error.provider_code.empty()) answer.why += " (" + error.provider_code + ")";
  answer.in_doubt = error.effect != Effect::notApplied;
  answer.retry_after = error.retry_after;
  return answer;
}

Secret textOf(Reply const& reply) {
  json::object out;
  out["status"] = reply.status;
  if (reply.retry_after) out["retry_after"] = reply.retry_after->count();
  out["body"] = hex(reply.body); // any bytes
  Secret text(json::serialize(out));
  auto& body = out["body"].get_string();
  wipe(body.data(), body.size());
  return text;
}

Result<Reply> replyFrom(Secret const& text) {
  TRY(document, parseJson(text.reveal()));
  TRY(body, textAt(document, "/body"));
  TRY(bytes, fromHex(body));
  Reply reply;
  reply.status = static_cast<int>(integerOr(document, "/status", 0));
  if (find(document, "/retry_after") != nullptr)
    reply.retry_after = Milliseconds(integerOr(document, "/retry_after", 0));
  reply.body = std::move(bytes);
  return reply;
}

} // namespace garland::oauth
