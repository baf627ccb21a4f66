// Error answers by table.
#include <garland/sdk/errors.hpp>
#include <garland/sdk/pointer.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace garland::sdk::errors {
namespace {

constexpr std::size_t longest_message = 500; // of the provider's own words, in bytes

// The body as JSON; null if it is none.
json::value bodyOf(Response const& response) {
  json::value body;
  static_cast<void>(attempt([&] { body = parse(response.body); }));
  return body;
}

std::string messageIn(json::value const& body, std::string_view pointer) {
  if (pointer.empty()) return {};
  auto text = textOr(body, pointer);
  auto const* value = find(body, pointer);
  if (text.empty() && value != nullptr && (value->is_object() || value->is_array()))
    text = json::serialize(*value);
  return text;
}

// Whatever the kind was before: the provider knows whether sending it again is of use.
void heedRetry(std::string_view said, Failure& failure) {
  bool const repeats = failure.kind == Kind::transient || failure.kind == Kind::rateLimited;
  if (said == "true" && !repeats) failure.kind = Kind::transient;
  if (said == "false" && repeats) failure.kind = Kind::providerBug;
}

void shorten(std::string& text) {
  if (text.size() <= longest_message) return;
  auto end = longest_message;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
}

// "Sat, 21 Nov 2026 15:04:05 GMT" (RFC 9110).
std::optional<TimePoint> parseHttpDate(std::string_view text) {
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  auto const month = std::ranges::find(months, text.substr(8, 3));
  if (month == months.end()) return std::nullopt;
  auto const number = std::to_string(101 + (month - months.begin())).substr(1);
  auto const part = [&](std::size_t from, std::size_t count) {
    return std::string(text.substr(from, count));
  };
  return parseRfc3339(part(12, 4) + "-" + number + "-" + part(5, 2) + "T" + part(17, 8) + "Z");
}

std::optional<double> numberIn(std::string_view text) {
  double number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  constexpr double most = 1e11; // seconds; beyond it, milliseconds would not fit
  if (error != std::errc() || end != text.data() + text.size() || !(number >= 0 && number <= most))
    return std::nullopt;
  return number;
}

} // namespace

std::optional<Milliseconds> delayOf(std::string_view text, DelayHeader::Form form, TimePoint now) {
  using Form = DelayHeader::Form;
  std::optional<TimePoint> moment;
  if (form == Form::date) {
    moment = parseRfc3339(text);
    if (!moment) moment = parseHttpDate(text);
    if (!moment) return std::nullopt;
    return std::max(*moment - now, Milliseconds(0));
  }
  auto const number = numberIn(text);
  if (!number) return std::nullopt;
  auto const whole = static_cast<std::int64_t>(form == Form::milliseconds ? *number : *number * 1000);
  if (form != Form::unixSeconds) return Milliseconds(whole);
  return std::max(TimePoint(Milliseconds(whole)) - now, Milliseconds(0));
}

std::optional<Milliseconds> pauseAfter(Mapper const& mapper, Response const& response, TimePoint now) {
  if (mapper.left.empty() || response.header(mapper.left) != "0") return std::nullopt;
  for (auto const& header : mapper.delays)
    if (auto const delay = delayOf(response.header(header.name), header.form, now)) return delay;
  return std::nullopt;
}

Failure failureOf(Mapper const& mapper, Request const& request, Response const& response, TimePoint now) {
  auto failure = sdk::failureOf(request, response);
  auto const body = bodyOf(response);
  if (!mapper.code.empty()) failure.provider_code = textOr(body, mapper.code);
  if (failure.provider_code.empty() && !mapper.type.empty())
    failure.provider_code = textOr(body, mapper.type);
  auto const said = messageIn(body, mapper.message);
  for (auto const& row : mapper.meanings) {
    bool const fits = (row.status == 0 || row.status == response.status) &&
                      (row.code.empty() || row.code == failure.provider_code);
    if (!fits) continue;
    failure.kind = row.kind;
    failure.effect = row.effect;
    if (row.shown) failure.user_message = said;
    break;
  }
  if (!mapper.retry.empty()) heedRetry(response.header(mapper.retry), failure);
  for (auto const& header : mapper.delays) {
    if (failure.retry_after) break;
    failure.retry_after = delayOf(response.header(header.name), header.form, now);
  }
  if (!said.empty()) failure.message += ": " + said;
  shorten(failure.message);
  if (!mapper.field.empty())
    if (auto const field = textOr(body, mapper.field); !field.empty()) failure.detail["parameter"] = field;
  for (auto const& detail : mapper.details)
    if (auto const text = textOr(body, detail.at); !text.empty()) failure.detail[detail.member] = text;
  return failure;
}

void expectSuccess(Mapper const& mapper, Request const& request, Response const& response, TimePoint now) {
  if (!response.ok()) throw failureOf(mapper, request, response, now);
  if (mapper.success.empty()) return;
  auto const body = bodyOf(response);
  auto const* success = find(body, mapper.success);
  if (success == nullptr || *success != json::value(true)) throw failureOf(mapper, request, response, now);
}

} // namespace garland::sdk::errors
