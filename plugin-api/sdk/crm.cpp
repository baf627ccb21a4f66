// What CRM connectors share: the operations, the feed, and how a table of entities is worked off.
#include <garland/sdk/crm.hpp>

namespace garland::sdk::crm {
namespace {

fields::Map mapFor(Entity const& entity, json::value const& record) {
  auto const kind = entity.kind.empty() ? std::string() : textOr(record, entity.kind);
  for (auto const& variant : entity.variants)
    if (variant.kind == kind) return variant.map;
  return entity.map;
}

bool isDeleted(rest::Resource const& resource, json::value const& record) {
  if (resource.deleted.empty()) return false;
  auto const* mark = find(record, resource.deleted);
  return mark != nullptr &&
         (*mark == json::value(true) || (mark->is_string() && !mark->get_string().empty()));
}

std::string idOf(rest::Resource const& resource, json::value const& record) {
  auto id = textOr(record, resource.id);
  if (id.empty())
    throw Failure(Kind::providerBug,
                  "a record of " + std::string(resource.path) + " has no " + std::string(resource.id));
  return id;
}

class Translator final : public rest::Receiver {
public:
  Translator(Entity const& entity, fields::Context const& context, Feed& feed)
      : entity_(entity), context_(context), feed_(feed) {}

  void take(json::value const& record) override {
    auto const id = textOr(record, entity_.resource.id);
    auto const failure = attempt([&] { give(record); });
    if (failure) feed_.problem(id.empty() ? entity_.resource.path : id, *failure);
  }
  void listing(std::vector<std::string> const& ids, bool last) override { feed_.listing(ids, last); }
  void checkpoint(json::value const& cursor) override { feed_.checkpoint(cursor); }

private:
  void give(json::value const& record) {
    auto const id = idOf(entity_.resource, record);
    if (isDeleted(entity_.resource, record)) return feed_.gone(id);
    feed_.put(id, textOr(record, entity_.resource.version),
              fields::read(mapFor(entity_, record), record, context_));
  }

  Entity const& entity_;
  fields::Context const& context_;
  Feed& feed_;
};

StoredRecord stored(Entity const& entity, fields::Context const& context, json::value const& record) {
  return {std::string(entity.name), idOf(entity.resource, record), textOr(record, entity.resource.version),
          std::string(entity.name), fields::read(mapFor(entity, record), record, context)};
}

// Nothing was written.
[[noreturn]] void conflict(std::string const& current) {
  throw Failure(Kind::conflict, "the record was changed at the provider meanwhile")
      .withDetail("current", json::value(current))
      .withEffect(Effect::notApplied);
}

void requireVersion(Entity const& entity, std::optional<std::string> const& version,
                    json::value const& record) {
  auto const current = textOr(record, entity.resource.version);
  if (version && !version->empty() && *version != current) conflict(current);
}

} // namespace

void Feed::put(std::string_view id, std::string_view version, json::object data) {
  json::object record{{"id", id}, {"version", version}, {"scope", entity_}, {"deleted", false}};
  record["data"] = std::move(data);
  call_.emit(entity_, record);
}

void Feed::gone(std::string_view id) {
  call_.emit(entity_,
             {{"id", id}, {"version", ""}, {"scope", entity_}, {"deleted", true}, {"data", nullptr}});
}

void Feed::listing(std::vector<std::string> const& ids, bool last) {
  json::object record{{"scope", entity_}, {"last", last}};
  record["ids"] = json::array(ids.begin(), ids.end());
  call_.emit("garland.listing", record);
}

StoredRecord CrmConnector::upsert(Account&, UpsertRequest const& request, Call&) {
  throw Failure(Kind::unsupported, request.entity + " can only be read here");
}

void CrmConnector::remove(Account&, DeleteRequest const& request, Call&) {
  throw Failure(Kind::unsupported, request.entity + " can only be read here");
}

std::span<OperationEntry const> CrmConnector::operations() {
  static constexpr OperationEntry table[] = {
      operation<&CrmConnector::check>("health.check/1"),
      operation<&CrmConnector::pull>("crm.pull/1"),
      operation<&CrmConnector::upsert>("crm.upsert/1"),
      operation<&CrmConnector::remove>("crm.delete/1"),
  };
  return table;
}

Entity const& TableConnector::find(std::string_view name) const {
  for (auto const& entity : entities())
    if (entity.name == name) return entity;
  throw Failure(Kind::unsupported, "this connector has no " + std::string(name)).withField("/entity");
}

Entity const& TableConnector::writable(std::string_view name) const {
  auto const& entity = find(name);
  if (entity.way == fields::Way::in)
    throw Failure(Kind::unsupported, std::string(name) + " can only be read here").withField("/entity");
  return entity;
}

void TableConnector::pull(Account& account, PullRequest const& request, Call& call) {
  auto const& entity = find(request.entity);
  auto const context = begin(account, entity);
  Feed feed(call, entity.name);
  Translator translator(entity, context, feed);
  rest::pull(account, entity.resource, request.cursor, translator);
}

StoredRecord TableConnector::upsert(Account& account, UpsertRequest const& request, Call&) {
  auto const& entity = writable(request.entity);
  auto const context = begin(account, entity);
  auto const& resource = entity.resource;
  auto const map = mapFor(entity, request.data);
  if (!request.id) {
    auto const made =
        rest::create(account, resource, fields::write(map, request.data, {}, context), request.key);
    return stored(entity, context, rest::get(account, resource, idOf(resource, made)));
  }
  auto const before = rest::get(account, resource, *request.id);
  requireVersion(entity, request.version, before);
  auto const after = fields::write(map, request.data, before, context);
  if (json::value(after) == before) return stored(entity, context, before);
  rest::update(account, resource, *request.id, before, after, request.key);
  return stored(entity, context, rest::get(account, resource, *request.id));
}

void TableConnector::remove(Account& account, DeleteRequest const& request, Call&) {
  auto const& entity = writable(request.entity);
  begin(account, entity);
  if (request.version && !request.version->empty()) {
    json::value record;
    auto failure = attempt([&] { record = rest::get(account, entity.resource, request.id); });
    if (failure && failure->kind == Kind::notFound) return;
    if (failure) throw std::move(*failure);
    requireVersion(entity, request.version, record);
  }
  rest::remove(account, entity.resource, request.id);
}

} // namespace garland::sdk::crm
