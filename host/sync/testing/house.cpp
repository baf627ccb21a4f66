#include "host/sync/testing/house.h"

#include "host/egress/url.h"
#include "host/oauth/oauth.h"

#include <garland/schemas.hpp>

#include <algorithm>
#include <stdexcept>

namespace garland::sync::testing {
namespace {

constexpr char const* kManifest = R"({
  "manifest": 1, "id": "test.calendar.fake", "name": "Fake calendar", "version": "1.0.0", "category": "calendar",
  "summary": "A calendar for tests.",
  "operations": ["health.check/1", "calendar.pull/1", "calendar.upsert/1", "calendar.delete/1",
                 "test.charge/1", "test.find/1", "test.send/1", "test.post/1", "payments.refund/1"],
  "actions": {"test.charge/1": {"lookup": "test.find/1"},
              "test.send/1": {"repeat": "same_key", "repeat_for": 86400},
              "test.post/1": {},
              "payments.refund/1": {}},
  "entities": {"calendar.event": {"read": true, "write": true}},
  "auth": [{"slot": "login", "scheme": "basic", "fields": ["username", "password"]}],
  "hosts": ["calendar.example"],
  "settings": {"type": "object", "additionalProperties": false, "required": ["provider"],
               "properties": {"provider": {"type": "string"},
                              "calendars": {"type": "array", "items": {"type": "string"}}}},
  "poll": {"every_seconds": 900}
})";

constexpr char const* kSharingManifest = R"({
  "manifest": 1, "id": "test.crm.studio", "name": "Fake CRM", "version": "1.0.0", "category": "crm",
  "summary": "A CRM for tests: one operation brings several kinds of records.",
  "operations": ["health.check/1", "crm.pull/1", "crm.upsert/1", "crm.delete/1", "records.get/1", "webhooks.parse/1"],
  "entities": {"crm.client": {"read": true, "write": true}, "crm.project": {"read": true, "write": true, "read_only": ["/revenue"]}},
  "auth": [{"slot": "login", "scheme": "basic", "fields": ["username", "password"]}],
  "hosts": ["crm.example"],
  "webhooks": {"signature": "svix"},
  "settings": {"type": "object", "additionalProperties": false, "required": ["provider"],
               "properties": {"provider": {"type": "string"}}},
  "poll": {"every_seconds": 900}
})";

constexpr char const* kFormManifest = R"({
  "manifest": 1, "id": "test.crm.form", "name": "Fake form", "version": "1.0.0", "category": "crm",
  "summary": "A form for tests: what is typed into it comes in by itself.",
  "operations": ["health.check/1", "intake.parse/1"],
  "entities": {"crm.client": {"read": true, "write": false}, "crm.project": {"read": true, "write": false}},
  "intake": {"hook": {}, "csv": {}},
  "auth": [], "hosts": [],
  "settings": {"type": "object", "additionalProperties": false, "required": ["provider"],
               "properties": {"provider": {"type": "string"}}},
  "poll": {"every_seconds": 604800}
})";

constexpr char const* kFeedManifest = R"({
  "manifest": 1, "id": "test.calendar.feed", "name": "Fake feed", "version": "1.0.0", "category": "calendar",
  "summary": "A calendar for tests that is only read.",
  "operations": ["health.check/1", "calendar.pull/1"],
  "entities": {"calendar.event": {"read": true, "write": false}},
  "auth": [], "hosts": [],
  "settings": {"type": "object", "additionalProperties": false, "required": ["provider"],
               "properties": {"provider": {"type": "string"}}},
  "poll": {"every_seconds": 900}
})";

constexpr char const* kSigningManifest = R"({
  "manifest": 1, "id": "test.calendar.signed", "name": "Fake account", "version": "1.0.0", "category": "calendar",
  "summary": "A calendar for tests that is signed in to by OAuth 2.",
  "operations": ["health.check/1", "calendar.pull/1"],
  "entities": {"calendar.event": {"read": true, "write": false}},
  "auth": [{"slot": "account", "scheme": "oauth2", "fields": ["client_id", "client_secret", "refresh_token"],
            "oauth2": {"token_url": "https://id.example/token", "authorize_url": "https://id.example/authorize",
                       "device_url": "https://id.example/device", "revoke_url": "https://id.example/revoke"}}],
  "hosts": ["calendar.example"],
  "settings": {"type": "object", "additionalProperties": false, "required": ["provider"],
               "properties": {"provider": {"type": "string"}}},
  "poll": {"every_seconds": 900}
})";

// The same, where the settings name the address that tokens are asked for at.
std::string placedManifest() {
  std::string text = kSigningManifest;
  using Change = std::pair<std::string, std::string>;
  for (auto const& [from, to] :
       {Change("test.calendar.signed", "test.calendar.placed"),
        Change("https://id.example/token", "setting:/token_url"),
        Change(R"("properties": {)", R"("properties": {"token_url": {"type": "string"}, )")})
    text.replace(text.find(from), from.size(), to);
  return text;
}

runtime::PluginInfo pluginOf(std::string const& manifest) {
  runtime::PluginInfo plugin;
  plugin.manifest = runtime::parseManifest(manifest).value();
  return plugin;
}

Kind sharingKind(std::string const& name) {
  Kind kind;
  kind.name = name;
  kind.pull_operation = "crm.pull/1";
  kind.upsert_operation = "crm.upsert/1";
  kind.delete_operation = "crm.delete/1";
  kind.input = json::object{{"entity", name}};
  kind.schema = parseJson(schemas::schemaText("record." + name + ".json")).value();
  kind.project = [](json::value const& data) { return data; };
  return kind;
}

} // namespace

Task<std::string> FakeSupervisor::call(runtime::PluginInfo const&, runtime::Call call,
                                       runtime::CallHost& host) {
  calls.push_back(call);
  auto name = textOr(parseJson(call.account).value(), "/settings/provider", "");
  auto const entity = textOr(parseJson(call.input).value(), "/entity", "");
  if (!entity.empty()) name += "/" + entity;
  auto& provider = providers[name];
  if (provider.account.empty()) provider.account = "ada of " + name;
  CO_TRY(output, co_await provider.call(std::move(call), &host));
  co_return json::serialize(output);
}

Task<egress::Response> FakeEgress::fetch(egress::Request request, egress::Policy policy,
                                         egress::Credential credential) {
  requests.push_back(request);
  policies.push_back(std::move(policy));
  secrets.emplace_back(credential.secret.reveal());
  usernames.push_back(credential.username);
  schemes.push_back(credential.scheme);
  urls.push_back(request.url);
  if (credential.scheme == egress::Credential::Scheme::query)
    urls.back() =
        egress::Url::parse(request.url).value().withParameter(credential.name, secrets.back()).text();
  Result<egress::Response> result = egress::Response();
  if (answer) result = answer(request);
  egress::AuditEntry entry;
  entry.subject = request.audit_subject;
  entry.method = request.method;
  entry.scheme_host_port = "https://calendar.example:443";
  entry.path = "/";
  entry.outcome = "ok";
  entry.credential_used = credential.scheme != egress::Credential::Scheme::none;
  if (result)
    entry.status = result->status;
  else
    entry.outcome = name(result.error().kind);
  if (sink_) sink_(entry);
  co_return result;
}

Task<store::Rows> CutStore::read(store::Statement statement) {
  if (dead) co_return Error(ErrorKind::cancelled, "the store is gone");
  if (on_read) on_read(statement);
  ++under_way;
  auto rows = co_await real_.read(std::move(statement));
  --under_way;
  co_return rows;
}

Task<std::vector<store::Rows>> CutStore::commit(store::Unit unit) {
  if (dead) co_return Error(ErrorKind::cancelled, "the store is gone");
  if (before_commit) {
    auto const hook = std::exchange(before_commit, nullptr);
    CO_TRY_VOID(co_await hook());
  }
  if (no_space_for && std::ranges::any_of(unit, no_space_for))
    co_return Error(ErrorKind::hostLimit, "the disk is full");
  bool const last = ++commits == cut_at;
  if (last) dead = true;
  if (last && !applied_first) co_return Error(ErrorKind::cancelled, "the store is gone");
  ++under_way;
  auto done = co_await real_.commit(std::move(unit));
  --under_way;
  if (last) co_return Error(ErrorKind::cancelled, "the store is gone");
  co_return done;
}

void CutStore::listen(store::Listener listener) {
  if (!listener) return real_.listen(nullptr);
  real_.listen([this, listener](std::string const& text) {
    ++heard;
    if (!dead) listener(text);
  });
}

Task<void> putMember(Engine* engine, std::string vendor_id, std::string uid, std::string member,
                     std::string text) {
  RecordQuery query;
  query.vendor_id = vendor_id;
  CO_TRY(records, co_await engine->records(query));
  for (auto const& record : records) {
    if (textOr(record.data, "/uid", "") != uid) continue;
    auto data = record.data;
    data.as_object()[member] = text;
    CO_TRY_VOID(co_await engine->putRecord(vendor_id, record.id, data, 0));
  }
  co_return Result<void>();
}

Task<void> nothing() { co_return Result<void>(); }

json::object event(std::string const& uid, std::string const& title, std::string const& day) {
  return json::object{{"uid", uid},
                      {"title", title},
                      {"status", "confirmed"},
                      {"busy", true},
                      {"start", {{"utc", day + "T12:00:00Z"}}},
                      {"end", {{"utc", day + "T13:00:00Z"}}}};
}

Kind eventKind() {
  Kind kind;
  kind.name = "calendar.event";
  kind.pull_operation = "calendar.pull/1";
  kind.upsert_operation = "calendar.upsert/1";
  kind.delete_operation = "calendar.delete/1";
  kind.schema = parseJson(schemas::schemaText("record.calendar.event.json")).value();
  kind.project = [](json::value const& data) { return data; };
  kind.check = [](json::value const& data) -> Result<void> {
    if (textOr(data, "/end/utc", "9") < textOr(data, "/start/utc", ""))
      return Error(ErrorKind::invalidInput, "it ends before it starts", "/end");
    return Result<void>();
  };
  kind.atomic_groups = {{"start", "end", "recurrence"}};
  kind.identity = [](json::value const& data) { return textOr(data, "/uid", ""); };
  kind.identity_member = "/uid";
  kind.pull_context = [](json::value const& settings) {
    auto const* calendars = find(settings, "/calendars");
    return json::object{{"calendars", calendars ? *calendars : json::value(json::array())}};
  };
  return kind;
}

std::vector<Kind> sharingKinds() {
  std::vector<Kind> kinds{sharingKind("crm.client"), sharingKind("crm.project")};
  kinds[0].wedding_member = "/company"; // no client says which project it belongs to: any member will do
  kinds[1].is_wedding = true;
  kinds[1].day_member = "/event_date";
  return kinds;
}

DatabaseUrl& databaseUrl() {
  static DatabaseUrl url = [](std::string const& folder) { return "sqlite:" + folder + "/garland.db"; };
  return url;
}

std::vector<store::Migration> allMigrations() {
  auto all = migrations();
  for (auto& one : audit::migrations()) all.push_back(std::move(one));
  for (auto& one : oauth::migrations()) all.push_back(std::move(one));
  std::ranges::sort(all, {}, &store::Migration::version);
  return all;
}

std::unique_ptr<audit::Book> openBook(House& house, store::Store& store) {
  audit::Dependencies with{
      house.loop.get_executor(), house.clock, house.audit_random, house.log, store, *house.vault};
  return house.run(audit::Book::open(with, audit::Options())).value();
}

House::House() : House(std::make_unique<TestFolder const>()) {}

House::House(std::unique_ptr<TestFolder const> own) : House(own->path()) { own_folder_ = std::move(own); }

House::House(std::string folder) : folder_(std::move(folder)) {
  std::vector<runtime::PluginInfo> plugins{pluginOf(kManifest),        pluginOf(kSharingManifest),
                                           pluginOf(kFormManifest),    pluginOf(kFeedManifest),
                                           pluginOf(kSigningManifest), pluginOf(placedManifest())};
  catalogue = runtime::Catalogue(std::move(plugins));
  vault = std::move(vault::Vault::open(folder_ + "/master.key", true, random)).value();
  store::Options options;
  options.url = url = databaseUrl()(folder_);
  options.sha256 = vault::sha256;
  store = run(store::Store::open(loop.get_executor(), options, allMigrations())).value();
  book = openBook(*this, *store);
  open();
}

House::~House() {
  stop();
  if (!stopped_well_) {
    [[maybe_unused]] auto* left = engine.release(); // its tasks still run
    return;
  }
  try {
    engine.reset();
    run(store->close()).value();
    store.reset();
  } catch (std::exception const& error) {
    ADD_FAILURE() << "the house does not close: " << error.what();
  }
}

void House::stop() {
  if (std::exchange(stopped_, true)) return;
  if (cut) cut->dead = true;
  try {
    run(engine->stop()).value();
    stopped_well_ = true;
  } catch (std::exception const& error) {
    // What threw may be on its way to the test already: two of them would end the program without a word.
    ADD_FAILURE() << "the house does not stop: " << error.what();
  }
}

void House::open() {
  stopped_ = stopped_well_ = false;
  cut = std::make_unique<CutStore>(*store);
  auto kinds = sharingKinds();
  kinds.push_back(eventKind());
  Dependencies dependencies{
      loop.get_executor(), clock,     random,           log, redactor, *cut, *vault, *book, egress,
      supervisor,          catalogue, std::move(kinds), ""};
  dependencies.limits = limits;
  dependencies.runs = runs;
  dependencies.requests = requests;
  dependencies.webhook_room = webhook_room;
  engine = run(Engine::create(std::move(dependencies))).value();
}

void House::restart() {
  cut->dead = true;
  run(engine->stop()).value();
  engine.reset();
  auto const old = std::move(cut);
  open();
  run(engine->start()).value();
}

void House::drive(std::function<bool()> done) {
  using namespace std::chrono;
  auto const give_up = steady_clock::now() + kPatience;
  while (!done()) {
    loop.run_one_for(seconds(1));
    if (steady_clock::now() > give_up) throw std::runtime_error("the test hangs");
  }
}

std::string House::vendor() {
  auto const vendor = run(engine->addVendor("Ada's photographs")).value();
  for (auto const* plugin : {"test.calendar.fake", "test.crm.studio", "test.crm.form", "test.calendar.feed"})
    run(engine->enablePlugin(vendor.id, plugin)).value();
  return vendor.id;
}

std::string House::connect(std::string const& vendor_id, std::string const& provider_name,
                           std::string const& plugin) {
  ConnectRequest request;
  request.vendor_id = vendor_id;
  request.plugin_id = plugin;
  request.settings = json::object{{"provider", provider_name}};
  if (!catalogue.find(plugin)->manifest.auth.empty()) {
    std::vector<std::pair<std::string, Secret>> fields;
    fields.emplace_back("username", Secret("ada"));
    fields.emplace_back("password", Secret("correct horse"));
    request.credentials.emplace_back("login", std::move(fields));
  }
  return run(engine->connect(std::move(request))).value().connection.id;
}

Run House::sync(std::string const& connection_id) {
  clock.advance(Milliseconds(1000));
  auto const started = run(engine->startSync(connection_id)).value();
  return run(engine->waitForRun(started.id)).value();
}

std::vector<Record> House::records(std::string const& vendor_id, bool deleted) {
  RecordQuery query;
  query.vendor_id = vendor_id;
  query.include_deleted = deleted;
  query.limit = 1000;
  return run(engine->records(query)).value();
}

Record House::recordOf(std::string const& vendor_id, std::string const& uid) {
  for (auto& record : records(vendor_id, true))
    if (textOr(record.data, "/uid", "") == uid) return record;
  throw std::runtime_error("no record of " + uid);
}

std::vector<store::Row> House::rows(std::string sql) {
  return run(store->read(store::Statement(std::move(sql)))).value().rows;
}

std::vector<json::value> House::told(std::string_view kind, std::string_view act) {
  std::vector<json::value> entries;
  for (auto const& row : rows("SELECT entry FROM audit_rows ORDER BY chain_id, number")) {
    auto const& bytes = row.bytes(0);
    auto entry = parseJson(std::string(bytes.begin(), bytes.end())).value();
    bool const wanted = act.empty() || textOr(entry, "/act", "") == act;
    if (wanted && textOr(entry, "/kind", "") == kind) entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<std::int64_t> House::forgotten(std::string_view what) {
  std::vector<std::int64_t> counts;
  for (auto const& entry : told("change", "retention.forget"))
    if (textOr(entry, "/subject", "") == what) counts.push_back(integerOr(entry, "/facts/count", 0));
  return counts;
}

audit::Verdict House::verdict() {
  run(book->seal()).value();
  auto const state = book->state();
  audit::Verifier verifier({state.key}, state.last);
  for (auto const& one : run(book->checkpoints(0, 1'000'000)).value())
    verifier.take(audit::lineOf(one)).value();
  for (auto const& one : run(book->rows("", -1, 1'000'000)).value())
    verifier.take(audit::lineOf(one)).value();
  return verifier.finish();
}

void House::write(std::string sql) {
  store::Unit unit;
  unit.emplace_back(std::move(sql));
  run(store->commit(std::move(unit))).value();
}

} // namespace garland::sync::testing
