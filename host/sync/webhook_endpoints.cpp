#include "host/sync/webhook_endpoints.h"

#include "host/sync/commits.h"

#include <algorithm>
#include <set>

namespace garland::sync {
namespace {

constexpr std::size_t kMostSecrets = 2;
constexpr std::size_t kMostName = 100;

std::string placeOf(WebhookEndpoint const& endpoint) {
  return endpoint.vendor_id + "/" + endpoint.connection_id + "/webhook";
}

constexpr char const* kColumns =
    "SELECT vendor_id, connection_id, plugin_id, name, created, revision FROM webhook_endpoints";

std::shared_ptr<WebhookEndpoint const> endpointFrom(store::Row const& row) {
  auto endpoint = std::make_shared<WebhookEndpoint>();
  endpoint->vendor_id = row.text(0);
  endpoint->connection_id = row.text(1);
  endpoint->plugin_id = row.text(2);
  endpoint->name = row.text(3);
  endpoint->created = fromMillis(row.integer(4));
  endpoint->revision = row.integer(5);
  return endpoint;
}

Result<void> checkName(std::string const& name) {
  bool const plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
  if (plain && name.size() <= kMostName && name != "." && name != "..") return {};
  return Error(ErrorKind::invalidInput,
               "the name of a webhook is 1 to 100 letters, digits, _, - and ., such as acct_1Nv0FGQ9RKHgCVdK",
               "/name");
}

Result<void> checkReads(runtime::Manifest const& manifest) {
  if (offers(manifest, kWebhookOperation) && !manifest.webhooks.is_null()) return {};
  return Error(ErrorKind::invalidInput, manifest.name + " reads no webhooks");
}

void wipeAll(json::value& kept) {
  auto* list = kept.as_object().if_contains("secrets");
  if (list == nullptr || !list->is_array()) return;
  for (auto& one : list->get_array())
    if (auto* object = one.if_object())
      if (auto* text = object->if_contains("secret"); text != nullptr && text->is_string())
        wipe(text->get_string().data(), text->get_string().size());
}

} // namespace

Task<void> WebhookEndpoints::load() {
  CO_TRY(rows, co_await context_.doors.store.read(store::Statement(kColumns)));
  for (auto const& row : rows.rows) keep(endpointFrom(row));
  co_return Result<void>();
}

Task<void> WebhookEndpoints::renew(std::string connection_id) {
  std::set<std::string> gone; // of those known before the rows are read
  for (auto const& [id, endpoint] : by_connection_)
    if (connection_id.empty() || id == connection_id) gone.insert(id);
  std::string sql = kColumns;
  Values args;
  if (!connection_id.empty()) {
    sql += " WHERE connection_id=$1";
    args.emplace_back(std::move(connection_id));
  }
  store::Statement query(std::move(sql), std::move(args));
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  for (auto const& row : rows.rows) {
    auto endpoint = endpointFrom(row);
    gone.erase(endpoint->connection_id);
    keep(std::move(endpoint));
  }
  for (auto const& id : gone) forget(id);
  co_return Result<void>();
}

Task<void> WebhookEndpoints::reread(std::string connection_id) {
  store::Statement query(std::string(kColumns) + " WHERE connection_id=$1", {std::move(connection_id)});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  for (auto const& row : rows.rows) keep(endpointFrom(row));
  co_return Result<void>();
}

// What was read earlier and comes later puts nothing back.
void WebhookEndpoints::keep(Shared endpoint) {
  auto const known = of(endpoint->connection_id);
  if (known && known->revision >= endpoint->revision) return;
  remove(endpoint->connection_id);
  by_connection_[endpoint->connection_id] = endpoint;
  by_name_[endpoint->plugin_id][endpoint->name] = std::move(endpoint);
}

WebhookEndpoints::Shared WebhookEndpoints::find(std::string_view plugin_id, std::string_view name) const {
  auto const plugin = by_name_.find(plugin_id);
  if (plugin == by_name_.end()) return nullptr;
  auto const found = plugin->second.find(name);
  return found == plugin->second.end() ? nullptr : found->second;
}

WebhookEndpoints::Shared WebhookEndpoints::of(std::string_view connection_id) const {
  auto const found = by_connection_.find(connection_id);
  return found == by_connection_.end() ? nullptr : found->second;
}

void WebhookEndpoints::forget(std::string const& connection_id) {
  if (remove(connection_id) && gone_) gone_(connection_id);
}

bool WebhookEndpoints::remove(std::string const& connection_id) {
  auto const found = by_connection_.find(connection_id);
  if (found == by_connection_.end()) return false;
  // Another connection may have the name by now.
  auto& names = by_name_[found->second->plugin_id];
  auto const named = names.find(found->second->name);
  if (named != names.end() && named->second == found->second) names.erase(named);
  by_connection_.erase(found);
  return true;
}

Result<WebhookEndpoints::Kept> WebhookEndpoints::opened(std::string const& sealed,
                                                        WebhookEndpoint const& endpoint) const {
  TRY(text, context_.doors.vault.open(sealed, placeOf(endpoint)));
  auto document = readJson(text.reveal());
  Kept kept;
  if (auto const* list = garland::find(document, "/secrets"); list != nullptr && list->is_array())
    for (auto const& one : list->get_array()) {
      Kept::One secret;
      secret.secret = Secret(textOr(one, "/secret", ""));
      if (auto const until = integerOr(one, "/until", 0); until != 0) secret.until = fromMillis(until);
      kept.secrets.push_back(std::move(secret));
    }
  if (auto const* values = garland::find(document, "/parameters"); values != nullptr && values->is_object())
    for (auto const& member : values->get_object())
      if (auto const* value = member.value().if_string())
        kept.parameters[std::string(member.key())] = std::string(*value);
  if (document.is_object()) wipeAll(document);
  return kept;
}

Result<std::string> WebhookEndpoints::sealedText(Kept const& kept, WebhookEndpoint const& endpoint) const {
  json::array secrets;
  for (auto const& one : kept.secrets) {
    json::object secret{{"secret", one.secret.reveal()}};
    if (one.until) secret["until"] = toMillis(*one.until);
    secrets.push_back(std::move(secret));
  }
  json::object parameters;
  for (auto const& [name, value] : kept.parameters) parameters[name] = value;
  json::value document{{"secrets", std::move(secrets)}, {"parameters", std::move(parameters)}};
  Secret const text(json::serialize(document));
  wipeAll(document);
  return context_.doors.vault.seal(text, placeOf(endpoint));
}

Task<std::string> WebhookEndpoints::sealedOf(Shared endpoint) {
  store::Statement query("SELECT sealed FROM webhook_endpoints WHERE vendor_id=$1 AND connection_id=$2",
                         {endpoint->vendor_id, endpoint->connection_id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty())
    co_return Error(ErrorKind::notFound,
                    "connection " + endpoint->connection_id + " has no webhook any more");
  co_return rows.rows[0].text(0);
}

Task<WebhookKeys> WebhookEndpoints::keysOf(Shared endpoint) {
  CO_TRY(sealed, co_await sealedOf(endpoint));
  CO_TRY(kept, opened(sealed, *endpoint));
  WebhookKeys keys;
  auto const now = context_.now();
  for (auto& one : kept.secrets) {
    if (one.until && *one.until <= now) continue;
    if (one.until && (!keys.until || *one.until < *keys.until)) keys.until = one.until;
    keys.secrets.push_back(std::move(one.secret));
  }
  keys.parameters = std::move(kept.parameters);
  co_return keys;
}

// The one before stays for a while if it is rotated out; a third one never does.
void WebhookEndpoints::change(Kept& kept, WebhookSetup& setup) const {
  if (setup.parameters) kept.parameters = std::move(*setup.parameters);
  if (!setup.secret) return;
  if (!setup.rotate) kept.secrets.clear();
  if (kept.secrets.size() >= kMostSecrets) kept.secrets.resize(kMostSecrets - 1);
  for (auto& one : kept.secrets) one.until = context_.now() + setup.overlap;
  Kept::One newest;
  newest.secret = std::move(*setup.secret);
  kept.secrets.insert(kept.secrets.begin(), std::move(newest));
}

Task<WebhookEndpoints::Shared> WebhookEndpoints::setUp(WebhookSetup setup) {
  CO_TRY(session, co_await connections_.open(setup.connection_id));
  CO_TRY_VOID(checkReads(session.plugin->manifest));
  CO_TRY_VOID(checkName(setup.name));
  auto const known = of(setup.connection_id);
  WebhookEndpoint endpoint;
  Kept kept;
  if (known) {
    endpoint = *known;
    CO_TRY(sealed, co_await sealedOf(known));
    CO_TRY(there, opened(sealed, endpoint));
    kept = std::move(there);
  } else {
    endpoint.vendor_id = session.connection.vendor_id;
    endpoint.connection_id = session.connection.id;
    endpoint.plugin_id = session.connection.plugin_id;
    endpoint.name = context_.newId("whe");
    endpoint.created = context_.now();
  }
  bool const same =
      known && !setup.secret && !setup.parameters && (setup.name.empty() || setup.name == known->name);
  if (same) co_return known;
  if (!setup.name.empty()) endpoint.name = setup.name;
  change(kept, setup);
  CO_TRY(sealed, sealedText(kept, endpoint));
  auto const saved = co_await save(endpoint, std::move(sealed));
  // After an error, too: it may be there, and the next change goes on from what is there.
  auto const read = co_await reread(setup.connection_id);
  if (!saved) co_return saved.error();
  if (!read) co_return read.error();
  auto made = of(setup.connection_id);
  if (!made) co_return Error(ErrorKind::notFound, "connection " + setup.connection_id + " is gone");
  co_return made;
}

Task<void> WebhookEndpoints::save(WebhookEndpoint endpoint, std::string sealed) {
  store::Unit unit;
  unit.push_back(store::Statement(
                     "INSERT INTO webhook_endpoints (vendor_id,connection_id,plugin_id,name,created,sealed,"
                     "revision) VALUES ($1,$2,$3,$4,$5,$6,1) ON CONFLICT (vendor_id,connection_id) DO UPDATE "
                     "SET name=excluded.name, sealed=excluded.sealed, revision=webhook_endpoints.revision+1 "
                     "WHERE webhook_endpoints.revision=$7",
                     {endpoint.vendor_id, endpoint.connection_id, endpoint.plugin_id, endpoint.name,
                      toMillis(endpoint.created), std::move(sealed), endpoint.revision})
                     .expecting(1));
  unit.push_back(told(context_, "webhook.set_up", endpoint.vendor_id, endpoint.connection_id));
  std::vector<News> news;
  news.emplace_back(NewsKind::known, endpoint.vendor_id, endpoint.connection_id);
  auto const saved = co_await commitTelling(&context_, std::move(unit), std::move(news));
  if (saved) co_return Result<void>();
  if (saved.error().kind != ErrorKind::conflict) co_return saved.error();
  auto const other = find(endpoint.plugin_id, endpoint.name);
  if (other && other->connection_id != endpoint.connection_id)
    co_return Error(ErrorKind::conflict, "another connection has the webhook \"" + endpoint.name + "\"",
                    "/name");
  co_return Error(ErrorKind::conflict, "the webhook was changed this very moment; try again");
}

} // namespace garland::sync
