// Records as people see and edit them, and the conflicts. Edits are written to the
// providers by the next sync of each connection that holds the record.
#pragma once

#include "host/sync/context.h"
#include "host/sync/session.h"
#include "host/sync/vendors.h"

#include <memory>
#include <vector>

namespace garland::sync {

class Records {
public:
  Records(Context& context, Vendors& vendors) : context_(context), vendors_(vendors) {}

  Task<std::vector<Record>> list(RecordQuery query);
  Task<Record> one(std::string vendor_id, std::string id); // tombstones too
  Task<Record> put(std::string vendor_id, std::string id, json::value data, std::int64_t if_version);
  Task<Record> add(std::string vendor_id, std::string kind, json::value data, std::optional<Session> at);
  Task<void> remove(std::string vendor_id, std::string id, std::int64_t if_version);
  Task<Record> retry(std::string vendor_id, std::string id);

  Task<std::vector<Conflict>> conflicts(std::string vendor_id, int limit);

private:
  Task<Record> read(std::string vendor_id, std::string id);                   // its own row
  Task<void> addWaiting(std::string vendor_id, std::vector<Record>* records); // in the order of their ids
  Task<void> addLinks(std::string vendor_id, std::vector<Record>* records);   // the same
  Task<bool> mayTake(std::string vendor_id, std::string plugin_id, std::string kind_name);
  Task<Record> whole(Record record); // with what waits, and where it is
  Task<void> refuseDouble(std::string vendor_id, std::string kind, std::string identity);
  // The connectors of the connections that hold it. None: one of them cannot be used now, so nobody knows.
  using Holders = std::vector<std::shared_ptr<runtime::PluginInfo const>>;
  Task<Holders> holders(Record const* record);
  Task<Record> edit(Record before, KindEntry const* kind, json::value data, bool deleted);
  Result<KindEntry const*> kindOf(std::string const& name) const;

  Context& context_;
  Vendors& vendors_;
};

} // namespace garland::sync
