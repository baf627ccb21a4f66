// Records as connectors bring them: an entity as data, where its records go, and how it is pulled.
// What CRMs and payment providers share; the contract is plugin-api/schemas/emit.<entity>.json.
#pragma once

#include <garland/sdk/call.hpp>
#include <garland/sdk/fields.hpp>
#include <garland/sdk/rest.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sdk::records {

// Input of <area>.pull/1.
struct PullRequest {
  std::string entity; // "crm.client"
  json::value cursor; // the last checkpoint's of this entity; null: everything
};
GARLAND_RECORD(PullRequest, entity, cursor)

// Input of records.get/1.
struct GetRequest {
  std::string entity;
  std::vector<std::string> ids;
};
GARLAND_RECORD(GetRequest, entity, ids)

// What a pull brings. All [suspends].
class Feed {
public:
  Feed(Call& call, std::string_view entity) : call_(call), entity_(entity) {}

  void put(std::string_view id, std::string_view version, json::object data);
  void gone(std::string_view id);
  // One record cannot be read; the rest goes on.
  void problem(std::string_view id, Failure const& failure) { call_.problem(id, failure); }
  // All ids that exist, in parts: at the checkpoint after the last the host drops its others.
  void listing(std::vector<std::string> const& ids, bool last);
  void checkpoint(json::value const& cursor) { call_.checkpoint(cursor); }
  std::string const& entity() const { return entity_; }
  Call& call() { return call_; }

private:
  Call& call_;
  std::string entity_;
};

// One entity as data. Where the records of a list differ in kind, each kind has a map of its own.
struct Variant {
  std::string_view kind; // the text at Entity::kind of our record
  fields::Map map;
};
struct Entity {
  std::string_view name; // "crm.client"
  rest::Resource const& resource;
  fields::Map map = {};
  fields::Way way = fields::Way::in; // both: may be created, changed and deleted
  std::string_view kind = {};        // the same pointer in ours and in theirs
  std::span<Variant const> variants = {};
};

// The entity of that name; Failure(unsupported) if there is none.
Entity const& find(std::span<Entity const> entities, std::string_view name);
// The map for this record, by its kind.
fields::Map mapOf(Entity const& entity, json::value const& record);
// Failure(providerBug) if it has none.
std::string idOf(rest::Resource const& resource, json::value const& record);

// What changed since the cursor, into the feed: the whole of <area>.pull/1. [suspends]
void pull(Account& account, Entity const& entity, json::value const& cursor, fields::Context const& context);
// These records as they are now, gone ones too: the whole of records.get/1. [suspends]
void get(Account& account, Entity const& entity, std::vector<std::string> const& ids,
         fields::Context const& context);

} // namespace garland::sdk::records
