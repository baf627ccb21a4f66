// CRMs: the base of connectors that sync clients, projects and what belongs to them, and one that is
// written as a table of entities. The contract is plugin-api/schemas/crm.*.json and record.crm.*.json.
#pragma once

#include <garland/sdk/connector.hpp>
#include <garland/sdk/fields.hpp>
#include <garland/sdk/rest.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace garland::sdk::crm {

struct PullRequest {
  std::string entity; // "crm.client"
  json::value cursor; // the last checkpoint's of this entity; null: everything
};
GARLAND_RECORD(PullRequest, entity, cursor)

struct UpsertRequest {
  std::string entity;
  std::string key;                    // repeating the call with the same key does it once
  std::optional<std::string> id;      // absent: create
  std::optional<std::string> version; // absent: in any case
  std::optional<std::string> scope;   // as it was emitted
  json::value data;                   // as record.<entity>.json says
};
GARLAND_RECORD(UpsertRequest, entity, key, id, version, scope, data)

struct StoredRecord {
  std::string entity = {};
  std::string id = {};
  std::string version = {}; // empty: the provider has none
  std::string scope = {};   // the entity's name, as in emitted records
  json::object data = {};   // as read back
};
GARLAND_RECORD(StoredRecord, entity, id, version, scope, data)

struct DeleteRequest {
  std::string entity;
  std::string key;
  std::string id;
  std::optional<std::string> version;
};
GARLAND_RECORD(DeleteRequest, entity, key, id, version)

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

// Derive from it, override what the provider can do, list that in the manifest, and end the file with
// GARLAND_CONNECTOR(YourClass).
class CrmConnector : public Connector {
public:
  virtual HealthReport check(Account& account, Call& call) = 0;
  virtual void pull(Account& account, PullRequest const& request, Call& call) = 0;
  // With a version: Failure(conflict) with detail "current" if the provider's is another.
  virtual StoredRecord upsert(Account& account, UpsertRequest const& request, Call& call);
  // Gone already is success.
  virtual void remove(Account& account, DeleteRequest const& request, Call& call);

  static std::span<OperationEntry const> operations();
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

// A connector that is its table of entities.
class TableConnector : public CrmConnector {
public:
  void pull(Account& account, PullRequest const& request, Call& call) final;
  StoredRecord upsert(Account& account, UpsertRequest const& request, Call& call) final;
  void remove(Account& account, DeleteRequest const& request, Call& call) final;

protected:
  virtual std::span<Entity const> entities() const = 0;
  // Sets the base, and says what the fields of this entity need to know of the account. [suspends]
  virtual fields::Context begin(Account& account, Entity const& entity) = 0;

private:
  Entity const& find(std::string_view name) const;
  Entity const& writable(std::string_view name) const;
};

} // namespace garland::sdk::crm
