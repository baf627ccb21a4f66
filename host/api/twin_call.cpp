#include "host/api/twin_call.h"

#include "host/base/bytes.h"
#include "host/base/utf8.h"

namespace garland::api {
namespace {

Error notForTwins(std::string_view what) {
  return Error(ErrorKind::unsupported, "a twin stands for a provider: it cannot " + std::string(what));
}

// HTTP says nothing of a header's bytes above 127; each is taken for a character of Latin-1.
std::string headerText(std::string const& value) {
  if (isUtf8(value)) return value;
  std::string out;
  for (char const c : value) {
    auto const byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0U | byte >> 6U);
      out += static_cast<char>(0x80U | (byte & 0x3FU));
    }
  }
  return out;
}

Result<std::string> bodyAt(json::value const& document) {
  auto const packed = textOr(document, "/body_base64", "");
  if (!packed.empty()) return fromBase64(packed);
  return textOr(document, "/body", "");
}

Result<std::vector<Header>> headersAt(json::value const& document) {
  std::vector<Header> out;
  auto const* const list = find(document, "/headers");
  if (list == nullptr || !list->is_array()) return out;
  for (auto const& entry : list->get_array()) {
    TRY(name, textAt(entry, "/name"));
    TRY(value, textAt(entry, "/value"));
    if ((name + value).find_first_of(std::string("\r\n\0", 3)) != std::string::npos || name.empty())
      return Error(ErrorKind::pluginBug, "the header \"" + name + "\" has a line break in it");
    out.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

Result<TwinWebhook> webhookOf(json::value const& entry) {
  TwinWebhook out;
  TRY(id, textAt(entry, "/id"));
  TRY(url, textAt(entry, "/url"));
  TRY(headers, headersAt(entry));
  TRY(body, bodyAt(entry));
  out.id = std::move(id);
  out.url = std::move(url);
  out.headers = std::move(headers);
  out.body = std::move(body);
  out.scheme = textOr(entry, "/scheme", "");
  out.secret = textOr(entry, "/secret", "");
  out.delay = Milliseconds(integerOr(entry, "/delay_ms", 0));
  return out;
}

} // namespace

json::value twinInput(Request const& request, TimePoint now, std::string const& fallback_origin) {
  json::object input;
  input["method"] = request.method;
  input["target"] = request.target;
  auto& headers = input["headers"].emplace_array();
  for (auto const& header : request.headers)
    headers.push_back(json::object{{"name", header.name}, {"value", headerText(header.value)}});
  if (isUtf8(request.body))
    input["body"] = request.body;
  else
    input["body_base64"] = base64(request.body);
  input["now"] = rfc3339(now);
  auto const* const host = request.header("host");
  bool const usable = host != nullptr && !host->empty() && host->size() < 256 && isUtf8(*host);
  input["origin"] = usable ? "http://" + *host : fallback_origin;
  return input;
}

Result<TwinResult> readTwinResult(json::value const& result) {
  TwinResult out;
  auto const status = integerOr(result, "/status", 0);
  if (status < 200 || status > 599)
    return Error(ErrorKind::pluginBug,
                 "the status must be between 200 and 599, not " + std::to_string(status));
  TRY(headers, headersAt(result));
  TRY(body, bodyAt(result));
  out.answer.status = static_cast<int>(status);
  out.answer.headers = std::move(headers);
  out.answer.body = std::move(body);
  out.transport.kind = textOr(result, "/transport/kind", "");
  out.transport.bytes =
      static_cast<std::size_t>(std::max<std::int64_t>(0, integerOr(result, "/transport/bytes", 0)));
  out.transport.delay = Milliseconds(integerOr(result, "/transport/delay_ms", 0));
  auto const* const webhooks = find(result, "/webhooks");
  if (webhooks == nullptr || !webhooks->is_array()) return out;
  for (auto const& entry : webhooks->get_array()) {
    TRY(webhook, webhookOf(entry));
    out.webhooks.push_back(std::move(webhook));
  }
  return out;
}

Task<runtime::HttpAnswer> TwinCallHost::http(runtime::HttpAsk) { co_return notForTwins("send requests"); }
Task<void> TwinCallHost::emit(std::string, std::string) { co_return notForTwins("emit records"); }
Task<void> TwinCallHost::checkpoint(std::string) { co_return notForTwins("set checkpoints"); }
Task<runtime::KvEntry> TwinCallHost::kvGet(std::string) { co_return notForTwins("read stored state"); }
Task<void> TwinCallHost::kvPut(std::string, Bytes, std::uint64_t, Milliseconds) {
  co_return notForTwins("store state");
}
void TwinCallHost::log(LogLevel level, std::string message, std::string) { log_.write(level, message); }
void TwinCallHost::progress(std::uint64_t, std::uint64_t, std::string) {}

} // namespace garland::api
