#include "certification/provider.h"

#include "certification/escape.h"

#include <algorithm>
#include <cctype>

namespace garland::certification {
namespace {

// A twin asks nothing of the host.
class TwinHost final : public runtime::CallHost {
public:
  explicit TwinHost(Log const& log) : log_(log) {}
  Task<runtime::HttpAnswer> http(runtime::HttpAsk) override { co_return no("send requests"); }
  Task<void> emit(std::string, std::string) override { co_return no("emit records"); }
  Task<void> checkpoint(std::string) override { co_return no("set checkpoints"); }
  Task<runtime::KvEntry> kvGet(std::string) override { co_return no("read stored state"); }
  Task<void> kvPut(std::string, Bytes, std::uint64_t, Milliseconds) override { co_return no("store state"); }
  void log(LogLevel level, std::string message, std::string) override { log_.write(level, message); }
  void progress(std::uint64_t, std::uint64_t, std::string) override {}

private:
  static Error no(std::string_view what) {
    return Error(ErrorKind::unsupported, "a twin stands for a provider: it cannot " + std::string(what));
  }
  Log const& log_;
};

Error failed(std::string_view why) {
  Error error(ErrorKind::pluginBug, "the twin failed: " + std::string(why));
  error.provider_code = "twin_failed";
  return error;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Seconds only: the twins' providers write no other form, and the faults that do bring their own value.
std::optional<Milliseconds> retryAfter(std::string const& value) {
  auto const seconds = parseJson(value);
  if (!seconds || !seconds->is_int64() || seconds->get_int64() < 0) return std::nullopt;
  return Milliseconds(1000 * seconds->get_int64());
}

Effect effectOf(int status) {
  if (status >= 200 && status < 300) return Effect::applied;
  return status >= 400 && status < 500 ? Effect::notApplied : Effect::unknown;
}

Result<runtime::HttpAnswer> answerOf(json::value const& result) {
  auto const kind = textOr(result, "/transport/kind", "");
  if (kind.starts_with("reset") || kind == "no_answer") {
    Error error(ErrorKind::transient, "the connection was lost");
    error.provider_code = kind == "no_answer" ? "timed_out" : "connection_lost";
    return std::move(error).withEffect(Effect::unknown);
  }
  if (kind == "zip_bomb") return Error(ErrorKind::hostLimit, "the answer is larger than allowed");
  runtime::HttpAnswer out;
  out.status = static_cast<int>(integerOr(result, "/status", 500));
  out.effect = effectOf(out.status);
  auto const* const headers = find(result, "/headers");
  if (headers != nullptr && headers->is_array())
    for (auto const& header : headers->get_array()) {
      auto name = lower(textOr(header, "/name", ""));
      auto value = textOr(header, "/value", "");
      if (name == "retry-after") out.retry_after = retryAfter(value);
      out.headers.emplace_back(std::move(name), std::move(value));
    }
  out.body = textOr(result, "/body", "");
  if (auto const packed = textOr(result, "/body_base64", ""); !packed.empty()) {
    TRY(body, fromBase64(packed));
    out.body = std::move(body);
  }
  return out;
}

} // namespace

OwnTwin::OwnTwin(runtime::Supervisor& supervisor, runtime::PluginClock const& clock, Log const& log,
                 runtime::PluginInfo const& twin, std::uint64_t seed, std::int64_t volume)
    : supervisor_(supervisor), clock_(clock), log_(log), twin_(twin) {
  json::object const settings{
      {"seed", static_cast<std::int64_t>(seed)}, {"volume", volume}, {"start", rfc3339(clock.now())}};
  account_ =
      json::serialize(json::object{{"account_id", "twin"}, {"settings", settings}, {"slots", json::array()}});
}

Task<json::value> OwnTwin::ask(ProviderRequest request) {
  json::object input;
  input["method"] = request.method;
  input["target"] = request.target;
  auto& headers = input["headers"].emplace_array();
  for (auto const& [name, value] : request.headers)
    headers.push_back(json::object{{"name", name}, {"value", value}});
  if (!request.body.empty()) input["body_base64"] = base64(request.body);
  input["now"] = rfc3339(clock_.now() + ahead());
  input["origin"] = request.origin;
  runtime::Call call;
  call.operation = "twin.serve/1";
  call.vendor_id = "twin";
  call.account_id = "twin";
  call.account = account_;
  call.input = json::serialize(input);
  call.deadline = Milliseconds(60'000);
  TwinHost host(log_);
  auto running = supervisor_.call(twin_, std::move(call), host);
  auto const text = co_await std::move(running);
  if (!text) co_return failed(text.error().message);
  auto result = parseJson(*text);
  if (!result) co_return failed(result.error().message);
  if (auto const* sent = find(*result, "/webhooks"); sent != nullptr && sent->is_array())
    notices_.insert(notices_.end(), sent->get_array().begin(), sent->get_array().end());
  co_return std::move(*result);
}

Task<runtime::HttpAnswer> OwnTwin::serve(ProviderRequest request) {
  auto asking = ask(std::move(request));
  CO_TRY(result, co_await std::move(asking));
  co_return answerOf(result);
}

Task<json::value> OwnTwin::control(std::string method, std::string path, json::value body) {
  ProviderRequest request;
  request.method = std::move(method);
  request.target = std::move(path);
  request.origin = "https://twin.invalid";
  if (!body.is_null()) request.body = json::serialize(body);
  auto const target = request.target;
  auto asking = ask(std::move(request));
  CO_TRY(result, co_await std::move(asking));
  auto const body_text = textOr(result, "/body", "");
  auto document = parseJson(body_text);
  auto const status = integerOr(result, "/status", 0);
  if (status != 200 || !document)
    co_return failed(target + " answered " + std::to_string(status) + ": " + oneLine(body_text, 200));
  co_return std::move(*document);
}

} // namespace garland::certification
