// Reads connector.json into a Manifest. Whether the document has the right shape is the schema's
// business (Catalogue checks it first); here a wrong type is still an error and never a crash.
#include "host/runtime/runtime.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace garland::runtime {
namespace {

constexpr std::size_t kMaxManifest = 1U << 20U;
constexpr std::string_view kFromSettings = "setting:";

Result<std::vector<std::string>> texts(json::value const& document, std::string_view pointer) {
  std::vector<std::string> out;
  auto const* list = find(document, pointer);
  if (!list) return out;
  if (!list->is_array())
    return Error(ErrorKind::invalidInput, std::string(pointer) + ": must be a list of texts",
                 std::string(pointer));
  for (auto const& item : list->get_array()) {
    if (!item.is_string())
      return Error(ErrorKind::invalidInput, std::string(pointer) + ": must hold texts only",
                   std::string(pointer));
    out.emplace_back(item.get_string());
  }
  return out;
}

Result<AuthSlot> authSlot(json::value const& entry) {
  AuthSlot slot;
  TRY(name, textAt(entry, "/slot"));
  TRY(scheme, textAt(entry, "/scheme"));
  TRY(fields, texts(entry, "/fields"));
  slot.name = std::move(name);
  slot.scheme = std::move(scheme);
  slot.parameter = textOr(entry, "/parameter", "");
  slot.fields = std::move(fields);
  return slot;
}

Result<std::vector<AuthSlot>> authSlots(json::value const& document) {
  std::vector<AuthSlot> out;
  auto const* list = find(document, "/auth");
  if (!list) return out;
  if (!list->is_array()) return Error(ErrorKind::invalidInput, "/auth: must be a list", "/auth");
  for (std::size_t i = 0; i < list->get_array().size(); ++i) {
    auto slot = authSlot(list->get_array()[i]);
    if (!slot) return std::move(slot).error().within("/auth/" + std::to_string(i));
    out.push_back(std::move(*slot));
  }
  return out;
}

// Whether they can be used is for host/webhooks to say; here only that somebody may try.
Result<json::value> webhooks(json::value const& document) {
  auto const* found = find(document, "/webhooks");
  if (!found) return json::value();
  auto const* signature = find(*found, "/signature");
  if (!signature || (!signature->is_string() && !signature->is_object()))
    return Error(
        ErrorKind::invalidInput,
        "/webhooks/signature: must name a scheme or describe one; garland webhooks schemes lists them",
        "/webhooks/signature");
  return *found;
}

// The host and explicit port of the URL that the settings hold at `pointer`; nothing if there is none.
std::optional<std::string> hostFromSettings(json::value const& settings, std::string_view pointer) {
  auto const text = textOr(settings, pointer, "");
  auto const url = boost::urls::parse_uri(text);
  if (!url || url->encoded_host().empty()) return std::nullopt;
  std::string host(url->encoded_host());
  if (url->has_port() && !url->port().empty()) host += ":" + std::string(url->port());
  return host;
}

} // namespace

std::vector<std::string> Manifest::allowedHosts(json::value const& settings) const {
  std::vector<std::string> out;
  for (auto const& entry : hosts) {
    if (!entry.starts_with(kFromSettings)) {
      out.push_back(entry);
    } else if (auto host = hostFromSettings(settings, std::string_view(entry).substr(kFromSettings.size()))) {
      out.push_back(std::move(*host));
    }
  }
  return out;
}

Result<Manifest> parseManifest(std::string_view text) {
  TRY(document, parseJson(text, JsonLimits{kMaxManifest, 32}));
  Manifest manifest;
  TRY(id, textAt(document, "/id"));
  TRY(version, textAt(document, "/version"));
  TRY(operations, texts(document, "/operations"));
  TRY(auth, authSlots(document));
  TRY(hosts, texts(document, "/hosts"));
  TRY(hooks, webhooks(document));
  manifest.id = std::move(id);
  manifest.version = std::move(version);
  manifest.name = textOr(document, "/name", manifest.id);
  manifest.category = textOr(document, "/category", "");
  manifest.operations = std::move(operations);
  manifest.auth = std::move(auth);
  manifest.hosts = std::move(hosts);
  manifest.webhooks = std::move(hooks);
  if (auto const* settings = find(document, "/settings")) manifest.settings_schema = *settings;
  auto const body = integerOr(document, "/limits/max_body", static_cast<std::int64_t>(manifest.max_body));
  auto const poll = integerOr(document, "/poll/every_seconds", manifest.poll_every.count() / 1000);
  if (body <= 0)
    return Error(ErrorKind::invalidInput, "/limits/max_body: must be above zero", "/limits/max_body");
  if (poll <= 0 || poll > 366LL * 86'400)
    return Error(ErrorKind::invalidInput, "/poll/every_seconds: must be between 1 and 31622400",
                 "/poll/every_seconds");
  manifest.max_body = static_cast<std::size_t>(body);
  manifest.poll_every = std::chrono::seconds(poll);
  manifest.document = std::move(document);
  return manifest;
}

} // namespace garland::runtime
