#include "host/sync/context.h"

#include "host/base/schema_prune.h"

#include <garland/schemas.hpp>

#include <algorithm>

namespace garland::sync {
namespace {

// "calendar.pull/1" is described by "calendar.pull.1.in.json".
std::string fileOf(std::string_view operation, std::string_view direction) {
  std::string name(operation);
  std::replace(name.begin(), name.end(), '/', '.');
  return name + "." + std::string(direction) + ".json";
}

bool allows(runtime::Manifest const& manifest, Kind const& kind, std::string_view direction) {
  auto const* entity = find(manifest.document, "/entities/" + kind.name);
  return entity != nullptr && boolOr(*entity, "/" + std::string(direction), false);
}

} // namespace

Result<void> KindEntry::check(json::value const& data) const {
  TRY_VOID(schema.require(data, kind.name));
  return kind.check ? kind.check(data) : Result<void>();
}

std::string KindEntry::identityOf(json::value const& data) const {
  return kind.identity ? kind.identity(data) : std::string();
}

// Of the cause, which may quote the provider, whose doing it is.
static store::Statement signInRow(Context const& context, oauth::Standing const& now) {
  json::object facts{{"by", "host"}, {"slot", now.place.slot}, {"state", now.status.state}};
  if (!now.status.by.empty()) facts["why"] = now.status.by;
  return told(context, "sign_in.state", now.place.vendor_id, now.place.connection_id, "", std::move(facts));
}

Result<std::unique_ptr<Context>> Context::make(Dependencies dependencies) {
  std::unique_ptr<Context> context(new Context(std::move(dependencies)));
  for (auto& kind : context->doors.kinds) {
    TRY(schema, Schema::compile(kind.schema));
    context->kinds_.emplace_back(std::move(kind), std::move(schema));
  }
  context->doors.kinds.clear();
  auto& doors = context->doors;
  auto const told_sign_in = [told_of = context.get()](oauth::Standing const& now, std::string_view condition,
                                                      std::vector<store::Value> values) {
    return audit::onlyIf(signInRow(*told_of, now), condition, std::move(values));
  };
  oauth::Dependencies const with{
      doors.executor,  doors.clock, doors.random, doors.log,
      doors.store,     doors.vault, doors.egress, doors.node ? doors.node->name : "of this host",
      oauth::Limits(), told_sign_in};
  context->tokens = oauth::Tokens::create(with);
  context->devices = std::make_unique<oauth::Devices>(with);
  context->authorizations =
      oauth::Authorizations::create(doors.store, doors.vault, doors.clock, doors.random);
  return context;
}

KindEntry const* Context::kind(std::string_view name) const {
  auto const found = std::find_if(kinds_.begin(), kinds_.end(),
                                  [&](KindEntry const& entry) { return entry.kind.name == name; });
  return found == kinds_.end() ? nullptr : &*found;
}

Result<Context::SchemaFile const*> Context::schemaFile(std::string const& file, std::string_view without) {
  std::pair const key(file, std::string(without));
  auto place = files_.find(key);
  if (place == files_.end()) {
    SchemaFile read;
    if (auto const text = schemas::schemaText(file); !text.empty()) {
      TRY(document, parseJson(text));
      if (!without.empty()) document = withoutMember(std::move(document), without);
      TRY(schema, Schema::compile(document));
      read.document = std::move(document);
      read.compiled.emplace(std::move(schema));
    }
    place = files_.emplace(key, std::move(read)).first;
  }
  return &place->second;
}

Result<void> Context::requireFile(std::string const& file, json::value const& value, std::string_view what) {
  TRY(schema, schemaFile(file));
  if (!schema->compiled) return Result<void>();
  return schema->compiled->require(value, what);
}

json::value Context::knownOfFile(std::string const& file, json::value const& value) {
  auto const schema = schemaFile(file);
  return schema ? withoutUnknownMembers((*schema)->document, value) : value;
}

json::value Context::knownOfEmitted(std::string_view kind, json::value const& record) {
  return knownOfFile("emit." + std::string(kind) + ".json", record);
}

json::value Context::knownOfRecord(std::string_view kind, json::value const& data) {
  return knownOfFile("record." + std::string(kind) + ".json", data);
}

json::value Context::knownOfOutput(std::string_view operation, json::value const& output) {
  return knownOfFile(fileOf(operation, "out"), output);
}

Result<void> Context::requireEmitted(std::string_view kind, json::value const& record) {
  return requireFile("emit." + std::string(kind) + ".json", record, kind);
}

Result<void> Context::requireInput(std::string_view operation, json::value const& input) {
  return requireFile(fileOf(operation, "in"), input, "input of " + std::string(operation));
}

Result<void> Context::requireActionInput(std::string_view operation, json::value const& input) {
  TRY(schema, schemaFile(fileOf(operation, "in"), kKeyMember));
  if (!schema->compiled) return Result<void>();
  return schema->compiled->require(input, "input of " + std::string(operation));
}

Result<void> Context::requireOutput(std::string_view operation, json::value const& output) {
  return requireFile(fileOf(operation, "out"), output, "result of " + std::string(operation));
}

RequestRates Context::requestsOf(runtime::Manifest const& manifest) const {
  RequestRates rates{manifest.requests_of_connection, manifest.requests_of_app};
  auto const given = doors.requests.find(manifest.id);
  if (given == doors.requests.end()) return rates;
  if (given->second.connection) rates.connection = given->second.connection;
  if (given->second.app) rates.app = given->second.app;
  return rates;
}

store::Statement told(Context const& context, std::string act, std::string vendor_id,
                      std::string connection_id, std::string subject, json::object facts) {
  audit::Event event;
  event.kind = audit::Kind::change;
  event.act = std::move(act);
  event.vendor_id = std::move(vendor_id);
  event.connection_id = std::move(connection_id);
  event.subject = std::move(subject);
  event.facts = std::move(facts);
  return context.doors.audit.row(std::move(event));
}

void tellFeedListeners(Context const& context, std::string const& vendor_id) {
  auto const listeners = context.feed_listeners; // one may leave while it is told
  for (auto const& [who, listener] : listeners) listener(vendor_id);
}

bool offers(runtime::Manifest const& manifest, std::string_view operation) {
  return std::find(manifest.operations.begin(), manifest.operations.end(), operation) !=
         manifest.operations.end();
}

bool brings(runtime::Manifest const& manifest, Kind const& kind) {
  return offers(manifest, kind.pull_operation) && allows(manifest, kind, "read");
}

bool arrives(runtime::Manifest const& manifest, Kind const& kind) {
  return offers(manifest, kIntakeOperation) && allows(manifest, kind, "read");
}

bool writes(runtime::Manifest const& manifest, Kind const& kind, std::string_view operation) {
  return offers(manifest, operation) && allows(manifest, kind, "write");
}

std::set<std::string> onlyRead(runtime::Manifest const& manifest, Kind const& kind) {
  std::set<std::string> members;
  auto const* list = find(manifest.document, "/entities/" + kind.name + "/read_only");
  if (list == nullptr || !list->is_array()) return members;
  for (auto const& member : list->get_array())
    if (member.is_string()) members.emplace(member.get_string());
  return members;
}

} // namespace garland::sync
