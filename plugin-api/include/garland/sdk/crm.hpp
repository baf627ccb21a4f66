// CRMs: the base of connectors that sync clients, projects and what belongs to them, and one that is
// written as a table of entities. The contract is plugin-api/schemas/crm.*.json and record.crm.*.json.
#pragma once

#include <garland/sdk/connector.hpp>
#include <garland/sdk/records.hpp>
#include <garland/sdk/webhooks.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace garland::sdk::crm {

using records::Entity;
using records::Feed;
using records::PullRequest;
using records::Variant;

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
  // Single records, as a pull would bring them.
  virtual void get(Account& account, records::GetRequest const& request);
  // Which records a verified webhook is about. [nosuspend]
  virtual webhooks::Parsed hints(Account& account, webhooks::Delivery const& delivery);

  static std::span<OperationEntry const> operations();
};

// A connector that is its table of entities.
class TableConnector : public CrmConnector {
public:
  void pull(Account& account, PullRequest const& request, Call& call) final;
  StoredRecord upsert(Account& account, UpsertRequest const& request, Call& call) final;
  void remove(Account& account, DeleteRequest const& request, Call& call) final;
  void get(Account& account, records::GetRequest const& request) final;
  webhooks::Parsed hints(Account& account, webhooks::Delivery const& delivery) final;

protected:
  virtual std::span<Entity const> entities() const = 0;
  virtual webhooks::Table hooks() const { return {}; }
  // Sets the base, and says what the fields of this entity need to know of the account. [suspends]
  virtual fields::Context begin(Account& account, Entity const& entity) = 0;

private:
  Entity const& find(std::string_view name) const;
  Entity const& writable(std::string_view name) const;
};

} // namespace garland::sdk::crm
