// Reads connector.json into a Manifest. Whether the document has the right shape is the schema's
// business (Catalogue checks it first); here a wrong type is still an error and never a crash.
#include "host/runtime/runtime.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

namespace garland::runtime {
namespace {

constexpr std::size_t kMaxManifest = 1U << 20U;
constexpr std::string_view kFromSettings = "setting:";
constexpr std::string_view kFromSlot = "slot:";

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

// How many fields each scheme has, and what they are.
struct SlotShape {
  std::string_view scheme;
  std::vector<std::size_t> counts;
  std::string_view fields;
};

std::vector<SlotShape> const& slotShapes() {
  static std::vector<SlotShape> const shapes{
      {"basic", {2}, "the user name and the password"},
      {"bearer", {1}, "the token"},
      {"header", {1}, "the secret"},
      {"query", {1}, "the secret"},
      {"address", {1}, "the address"},
      {"oauth1", {2, 4}, "the consumer key and its secret, or these, the token and its secret"},
      {"sigv4", {2, 3}, "the access key id, the secret access key and, if it takes one, the session token"},
      {"oauth2", {2, 3}, "the client's id, its secret and, unless it signs in for itself, the token"}};
  return shapes;
}

Error badSlot(std::string const& place, std::string const& message) {
  return Error(ErrorKind::invalidInput, place + ": " + message, place);
}

Result<void> checkFields(AuthSlot const& slot) {
  auto const& shapes = slotShapes();
  auto const shape = std::find_if(shapes.begin(), shapes.end(),
                                  [&](SlotShape const& known) { return known.scheme == slot.scheme; });
  if (shape == shapes.end())
    return badSlot("/scheme", "must be basic, bearer, header, query, address, oauth1, oauth2 or sigv4");
  if (std::find(shape->counts.begin(), shape->counts.end(), slot.fields.size()) == shape->counts.end())
    return badSlot("/fields",
                   "must be those of " + slot.scheme + ", in this order: " + std::string(shape->fields));
  return {};
}

// What a signature needs to know besides the credential.
Result<void> checkSigning(AuthSlot const& slot) {
  if (slot.scheme == "oauth1" && slot.signature != "HMAC-SHA1" && slot.signature != "HMAC-SHA256" &&
      slot.signature != "PLAINTEXT")
    return badSlot("/signature", "must be HMAC-SHA1, HMAC-SHA256 or PLAINTEXT; no other is known");
  for (auto const& [name, value] : {std::pair("/region", slot.region), std::pair("/service", slot.service)})
    if (slot.scheme == "sigv4" && (value.empty() || value == kFromSettings))
      return badSlot(name, "must name it, such as eu-west-1 or ses, or say where the settings do: "
                           "\"setting:/region\"");
  return {};
}

// What it says is for host/oauth to read; here only that the fields are those of its way.
Result<void> checkOauth2(AuthSlot const& slot) {
  bool const is_oauth2 = slot.scheme == "oauth2";
  if (is_oauth2 != slot.oauth2.is_object())
    return badSlot("/oauth2",
                   is_oauth2 ? "must say how tokens are asked for" : "is for the scheme oauth2 only");
  auto const renew_by = textOr(slot.oauth2, "/renew_by", "");
  bool const by_client = renew_by == "client" || renew_by == "assertion";
  if (is_oauth2 && by_client != (slot.fields.size() == 2))
    return badSlot("/fields",
                   by_client ? "must be the client's id and its secret only, by which tokens are asked for"
                             : "must be the client's id, its secret and the token that is renewed");
  return {};
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
  slot.signature = textOr(entry, "/signature", "");
  slot.region = textOr(entry, "/region", "");
  slot.service = textOr(entry, "/service", "");
  if (auto const* oauth2 = find(entry, "/oauth2")) slot.oauth2 = *oauth2;
  TRY_VOID(checkFields(slot));
  TRY_VOID(checkSigning(slot));
  TRY_VOID(checkOauth2(slot));
  if (slot.scheme == "sigv4") slot.may_lack = slot.fields.size() - 2;
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

Error badAction(std::string const& place, std::string const& what) {
  return Error(ErrorKind::invalidInput, place + ": " + what, place);
}

// "payments.create/1" as a part of a JSON Pointer.
std::string asPointer(std::string_view operation) {
  std::string out = "/actions/";
  for (char const c : operation) {
    if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

Result<void> checkAction(json::value const& action, std::string const& place,
                         std::vector<std::string> const& operations) {
  constexpr std::int64_t kLongest = 31LL * 86'400;
  if (!action.is_object()) return badAction(place, "must be an object, which may be empty");
  auto const* lookup = find(action, "/lookup");
  auto const* repeat = find(action, "/repeat");
  if (lookup && repeat) return badAction(place, "must have \"lookup\" or \"repeat\", not both");
  if (lookup) {
    TRY(name, textAt(action, "/lookup"));
    if (std::find(operations.begin(), operations.end(), name) == operations.end())
      return badAction(place + "/lookup", "must be one of \"operations\"");
  }
  if (repeat) {
    if (textOr(action, "/repeat", "") != "same_key")
      return badAction(place + "/repeat", "must be \"same_key\"");
    auto const seconds = integerOr(action, "/repeat_for", 0);
    if (seconds <= 0 || seconds > kLongest)
      return badAction(place + "/repeat_for", "must be between 1 and 2678400 seconds");
  }
  return {};
}

// They are read where they are run; here they must make sense with the rest.
Result<void> checkActions(json::value const& document, std::vector<std::string> const& operations) {
  auto const* actions = find(document, "/actions");
  if (!actions) return {};
  if (!actions->is_object()) return badAction("/actions", "must be an object");
  for (auto const& [operation, action] : actions->get_object()) {
    auto const place = asPointer(operation);
    if (std::find(operations.begin(), operations.end(), operation) == operations.end())
      return badAction(place, "must be one of \"operations\"");
    TRY_VOID(checkAction(action, place, operations));
  }
  return {};
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

// A tenth of what a span grants may come at once, unless the manifest says otherwise.
Result<std::optional<RequestLimit>> requestLimit(json::value const& document, std::string const& of) {
  constexpr std::int64_t kMostRequests = 1'000'000;
  constexpr std::int64_t kLongestSpan = 86'400;
  auto const at = "/limits/requests/" + of;
  std::optional<RequestLimit> none;
  if (find(document, at) == nullptr) return none;
  auto const count = integerOr(document, at + "/count", 0);
  auto const span = integerOr(document, at + "/seconds", 0);
  auto const at_once = integerOr(document, at + "/at_once", std::max<std::int64_t>(1, count / 10));
  if (count < 1 || count > kMostRequests)
    return Error(ErrorKind::invalidInput, at + "/count: must be between 1 and 1000000", at + "/count");
  if (span < 1 || span > kLongestSpan)
    return Error(ErrorKind::invalidInput, at + "/seconds: must be between 1 and 86400", at + "/seconds");
  if (at_once < 1 || at_once > count)
    return Error(ErrorKind::invalidInput, at + "/at_once: must be between 1 and \"count\"", at + "/at_once");
  return std::optional(RequestLimit{count, std::chrono::seconds(span), at_once});
}

} // namespace

std::vector<std::string> Manifest::allowedHosts(json::value const& settings) const {
  std::vector<std::string> out;
  for (auto const& entry : hosts) {
    if (entry.starts_with(kFromSlot)) continue;
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
  TRY_VOID(checkActions(document, operations));
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
  TRY(of_connection, requestLimit(document, "connection"));
  TRY(of_app, requestLimit(document, "app"));
  manifest.requests_of_connection = of_connection;
  manifest.requests_of_app = of_app;
  manifest.max_body = static_cast<std::size_t>(body);
  manifest.poll_every = std::chrono::seconds(poll);
  manifest.document = std::move(document);
  return manifest;
}

} // namespace garland::runtime
