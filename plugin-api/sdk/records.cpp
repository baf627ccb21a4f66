// How a table of entities is pulled.
#include <garland/sdk/records.hpp>

namespace garland::sdk::records {
namespace {

bool isDeleted(rest::Resource const& resource, json::value const& record) {
  if (resource.deleted.empty()) return false;
  auto const* mark = sdk::find(record, resource.deleted);
  return mark != nullptr &&
         (*mark == json::value(true) || (mark->is_string() && !mark->get_string().empty()));
}

class Translator final : public rest::Receiver {
public:
  Translator(Entity const& entity, fields::Context const& context, Feed& feed)
      : entity_(entity), context_(context), feed_(feed) {}

  void take(json::value const& record) override {
    auto const id = textOr(record, entity_.resource.id);
    auto const failure = attempt([&] { give(record); });
    if (failure) feed_.problem(id, *failure);
  }
  void problem(std::string_view id, Failure const& failure) override { feed_.problem(id, failure); }
  void listing(std::vector<std::string> const& ids, bool last) override { feed_.listing(ids, last); }
  void checkpoint(json::value const& cursor) override { feed_.checkpoint(cursor); }

private:
  void give(json::value const& record) {
    auto const id = idOf(entity_.resource, record);
    if (isDeleted(entity_.resource, record)) return feed_.gone(id);
    feed_.put(id, textOr(record, entity_.resource.version),
              fields::read(mapOf(entity_, record), record, context_));
  }

  Entity const& entity_;
  fields::Context const& context_;
  Feed& feed_;
};

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

Entity const& find(std::span<Entity const> entities, std::string_view name) {
  for (auto const& entity : entities)
    if (entity.name == name) return entity;
  throw Failure(Kind::unsupported, "this connector has no " + std::string(name)).withField("/entity");
}

fields::Map mapOf(Entity const& entity, json::value const& record) {
  auto const kind = entity.kind.empty() ? std::string() : textOr(record, entity.kind);
  for (auto const& variant : entity.variants)
    if (variant.kind == kind) return variant.map;
  return entity.map;
}

std::string idOf(rest::Resource const& resource, json::value const& record) {
  auto id = textOr(record, resource.id);
  if (id.empty())
    throw Failure(Kind::providerBug,
                  "a record of " + std::string(resource.path) + " has no " + std::string(resource.id));
  return id;
}

void pull(Account& account, Entity const& entity, json::value const& cursor, fields::Context const& context) {
  Feed feed(account.call(), entity.name);
  Translator translator(entity, context, feed);
  rest::pull(account, entity.resource, cursor, translator);
}

void get(Account& account, Entity const& entity, std::vector<std::string> const& ids,
         fields::Context const& context) {
  Feed feed(account.call(), entity.name);
  Translator translator(entity, context, feed);
  for (auto const& id : ids) {
    account.call().stopIfCancelled();
    json::value record;
    auto const refused = attempt(
        [&] { rest::patiently(account.call(), [&] { record = rest::get(account, entity.resource, id); }); });
    if (!refused)
      translator.take(record);
    else if (refused->kind == Kind::notFound)
      feed.gone(id);
    else if (refused->kind == Kind::providerBug || refused->kind == Kind::invalidInput)
      feed.problem(id, *refused); // of this one; the others may be well
    else
      throw Failure(*refused);
  }
}

} // namespace garland::sdk::records
