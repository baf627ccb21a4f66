// Call: the host's functions with C++ types, failures thrown, suspension guarded.
#include <garland/sdk/call.hpp>
#include <garland/sdk/url.hpp>

#include "fields_texts.h"
#include "span.h"
#include "suspension.h"

#include <algorithm>
#include <array>

namespace garland::sdk {
namespace {

// A status that the host answered; unknown numbers are kept.
[[noreturn]] void refuse(garland_status status, std::string message) {
  throw Failure(static_cast<Kind>(status), std::move(message));
}

bool changesNothing(std::string_view method) {
  constexpr std::array<std::string_view, 6> reading{"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT", "SEARCH"};
  return std::ranges::find(reading, method) != reading.end();
}

garland_http_request requestOf(Request const& request, std::vector<garland_header> const& headers) {
  garland_http_request out{};
  out.size = sizeof out;
  out.header_count = static_cast<std::uint32_t>(headers.size());
  out.method = span(request.method);
  out.url = span(request.url);
  out.headers = headers.data();
  if (!request.body.empty()) out.body = bytesSpan(request.body);
  if (request.slot && !request.slot->empty()) out.credential_slot = span(*request.slot);
  if (!request.idempotency_key.empty()) out.idempotency_key = span(request.idempotency_key);
  out.timeout_ms = request.timeout.count();
  out.max_body = request.max_body;
  return out;
}

Response responseOf(garland_http_response const& answer) {
  Response response;
  response.status = answer.status;
  response.body = view(answer.body);
  response.headers.reserve(answer.header_count);
  for (std::uint32_t i = 0; i < answer.header_count; ++i)
    response.headers.push_back({view(answer.headers[i].name), view(answer.headers[i].value)});
  if (answer.retry_after_ms >= 0) response.retry_after = Milliseconds(answer.retry_after_ms);
  return response;
}

} // namespace

void Call::emit(std::string_view kind, json::value const& record) {
  auto const text = json::serialize(record);
  garland_status status;
  {
    Suspension const guard;
    status = host_.emit(host_.ctx, handle_, span(kind), jsonSpan(text));
  }
  if (status != GARLAND_OK) refuse(status, "the host did not take a record of kind " + std::string(kind));
}

void Call::checkpoint(json::value const& cursor) {
  auto const text = json::serialize(cursor);
  garland_status status;
  {
    Suspension const guard;
    status = host_.checkpoint(host_.ctx, handle_, jsonSpan(text));
  }
  if (status != GARLAND_OK) refuse(status, "the host did not take a checkpoint");
}

void Call::problem(std::string_view place, Failure const& failure) {
  constexpr std::size_t longest = 2000; // emit.garland.problem.json
  json::object record;
  record["id"] = place;
  record["kind"] = name(failure.kind);
  record["message"] =
      failure.message.empty() ? "no reason was given" : fields::shortened(failure.message, longest);
  emit("garland.problem", record);
}

void Call::progress(std::uint64_t done, std::uint64_t total, std::string_view what) {
  host_.progress(host_.ctx, handle_, done, total, span(what));
}

void Call::log(LogLevel level, std::string_view message, json::object const& fields) {
  std::string const text = fields.empty() ? std::string() : json::serialize(fields);
  garland_json const span_of_fields = fields.empty() ? garland_json{} : jsonSpan(text);
  host_.log(host_.ctx, handle_, static_cast<garland_log_level>(level), span(message), span_of_fields);
}

bool Call::cancelled() const { return host_.cancelled(host_.ctx, handle_) != 0; }

void Call::stopIfCancelled() const {
  if (cancelled()) throw Failure(Kind::cancelled, "the host asked to stop");
}

TimePoint Call::now() const { return TimePoint(Milliseconds(host_.now_ms(host_.ctx))); }

std::chrono::nanoseconds Call::remaining() const {
  auto const left = host_.deadline_ns(host_.ctx, handle_) - host_.mono_ns(host_.ctx);
  return std::chrono::nanoseconds(std::max<std::int64_t>(left, 0));
}

void Call::sleep(Milliseconds duration) {
  garland_status status;
  {
    Suspension const guard;
    status = host_.sleep_ms(host_.ctx, handle_, duration.count());
  }
  if (status != GARLAND_OK) refuse(status, "the wait was ended by the host");
}

std::optional<Call::Stored> Call::load(std::string_view key) {
  garland_bytes value{};
  std::uint64_t version = 0;
  garland_status status;
  {
    Suspension const guard;
    status = host_.kv_get(host_.ctx, handle_, span(key), &value, &version);
  }
  if (status == GARLAND_E_NOT_FOUND) return std::nullopt;
  if (status != GARLAND_OK) refuse(status, "the host did not give the value of \"" + std::string(key) + "\"");
  return Stored{std::string(view(value)), version};
}

void Call::store(std::string_view key, std::string_view value, std::uint64_t if_version,
                 Milliseconds keep_for) {
  garland_status status;
  {
    Suspension const guard;
    status = host_.kv_put(host_.ctx, handle_, span(key), bytesSpan(value), if_version, keep_for.count());
  }
  if (status != GARLAND_OK) refuse(status, "the host did not store \"" + std::string(key) + "\"");
}

Response Call::send(Request const& request) {
  std::vector<garland_header> headers;
  headers.reserve(request.headers.size());
  for (auto const& header : request.headers) headers.push_back({span(header.name), span(header.value)});
  auto const asked = requestOf(request, headers);

  garland_http_response answer{};
  answer.size = sizeof answer;
  answer.retry_after_ms = -1;
  bool const writes = request.writes.value_or(!changesNothing(request.method));
  perhaps_before_ = perhaps_;
  garland_status status;
  {
    Suspension const guard;
    status = host_.http(host_.ctx, handle_, &asked, &answer);
  }
  // The host knows more than the status: a refusal after a redirect does not undo the write before it.
  if (writes) noteWrite(static_cast<Effect>(answer.effect));
  if (status == GARLAND_OK) return responseOf(answer);
  auto const why = answer.body.len > 0 ? view(answer.body) : std::string_view("no answer came");
  Failure failure(static_cast<Kind>(status),
                  request.method + " " + shownUrl(request.url) + ": " + std::string(why));
  if (answer.retry_after_ms >= 0) failure.retry_after = Milliseconds(answer.retry_after_ms);
  throw failure;
}

void Call::noteWrite(Effect effect) { perhaps_ = perhaps_ || effect != Effect::notApplied; }

Effect Call::effectSoFar() const { return perhaps_ ? Effect::unknown : Effect::notApplied; }

} // namespace garland::sdk
