// What CRM connectors share: the operations, and how a table of entities is written.
#include <garland/sdk/crm.hpp>

namespace garland::sdk::crm {
namespace {

StoredRecord stored(Entity const& entity, fields::Context const& context, json::value const& record) {
  return {std::string(entity.name), records::idOf(entity.resource, record),
          textOr(record, entity.resource.version), std::string(entity.name),
          fields::read(records::mapOf(entity, record), record, context)};
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

StoredRecord CrmConnector::upsert(Account&, UpsertRequest const& request, Call&) {
  throw Failure(Kind::unsupported, request.entity + " can only be read here");
}

void CrmConnector::remove(Account&, DeleteRequest const& request, Call&) {
  throw Failure(Kind::unsupported, request.entity + " can only be read here");
}

void CrmConnector::get(Account&, records::GetRequest const& request) {
  throw Failure(Kind::unsupported, "single records of " + request.entity + " cannot be read here");
}

webhooks::Parsed CrmConnector::hints(Account&, webhooks::Delivery const&) {
  throw Failure(Kind::unsupported, "this connector takes no webhooks");
}

std::span<OperationEntry const> CrmConnector::operations() {
  static constexpr OperationEntry table[] = {
      operation<&CrmConnector::check>("health.check/1"), operation<&CrmConnector::pull>("crm.pull/1"),
      operation<&CrmConnector::upsert>("crm.upsert/1"),  operation<&CrmConnector::remove>("crm.delete/1"),
      operation<&CrmConnector::get>("records.get/1"),    operation<&CrmConnector::hints>("webhooks.parse/1"),
  };
  return table;
}

Entity const& TableConnector::find(std::string_view name) const { return records::find(entities(), name); }

Entity const& TableConnector::writable(std::string_view name) const {
  auto const& entity = find(name);
  if (entity.way == fields::Way::in)
    throw Failure(Kind::unsupported, std::string(name) + " can only be read here").withField("/entity");
  return entity;
}

void TableConnector::pull(Account& account, PullRequest const& request, Call&) {
  auto const& entity = find(request.entity);
  records::pull(account, entity, request.cursor, begin(account, entity));
}

void TableConnector::get(Account& account, records::GetRequest const& request) {
  auto const& entity = find(request.entity);
  records::get(account, entity, request.ids, begin(account, entity));
}

webhooks::Parsed TableConnector::hints(Account&, webhooks::Delivery const& delivery) {
  return webhooks::parse(hooks(), delivery);
}

StoredRecord TableConnector::upsert(Account& account, UpsertRequest const& request, Call&) {
  auto const& entity = writable(request.entity);
  auto const context = begin(account, entity);
  auto const& resource = entity.resource;
  auto const map = records::mapOf(entity, request.data);
  if (!request.id) {
    auto const made =
        rest::create(account, resource, fields::write(map, request.data, {}, context), request.key);
    return stored(entity, context, rest::get(account, resource, records::idOf(resource, made)));
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
