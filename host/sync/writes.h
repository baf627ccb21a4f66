// One unit of work in the making: records, links, pushes, conflicts and the change feed together.
//
// The feed's numbers come from a counter row of the vendor that is raised in the same unit. On
// PostgreSQL its row lock makes units of one vendor commit in the order of their numbers, so whoever
// reads "after N" can never miss a smaller number that appears later (a SERIAL gives no such
// promise), and there are no gaps. Vendors do not wait for each other.
#pragma once

#include "host/sync/context.h"
#include "host/sync/merge.h"
#include "host/sync/sql.h"

#include <optional>
#include <string>
#include <string_view>

namespace garland::sync {

// How one record is known at one connection.
struct Link {
  std::string connection_id;
  std::string kind;
  std::string remote_id;
  std::string record_id;
  std::string scope;
  std::string base; // what the provider had, projected
  std::string base_hash;
  std::string remote_version;
  std::string state = "live"; // "live", "held" (deletion awaits approval), "deleted"
  std::string pushed_run;     // the run that wrote it; "" once the provider has shown it to us
  // What the provider makes us keep for it; nothing: as much as before.
  std::optional<std::int64_t> bytes;
  std::int64_t bytes_before = 0; // of a link that is known already
};

struct RecordWrite {
  std::string id;
  std::string kind;
  std::string identity;
  json::value data;
  std::int64_t old_version = 0;
  bool deleted = false;
  std::string action; // of the change: "created", "updated", "deleted"
};

// The origin of what people edit, or whoever calls the API.
inline constexpr std::string_view kLocal = "local";

class Writes {
public:
  Writes(Context& context, std::string vendor_id, std::string origin);

  // Returns the new record's id; its version is 1.
  std::string insertRecord(std::string_view kind, std::string_view identity, json::value const& data);
  // The unit fails with `conflict` unless the record still has old_version.
  void updateRecord(RecordWrite const& write);
  // Nothing to write, but what was decided holds only for this version.
  void requireVersion(std::string_view record_id, std::int64_t version);
  // ... and only if no other record of the vendor is known by this.
  void requireOnly(std::string_view kind, std::string_view identity);
  void insertLink(Link const& link);
  void updateLink(Link const& link);

  // A local edit waits for one connection.
  void addPush(std::string_view connection_id, std::string_view record_id, std::string_view kind,
               std::int64_t record_version);
  // ... for each connection that holds the record, but `except` (may be "").
  void flow(std::string_view record_id, std::string_view kind, std::int64_t record_version,
            std::string_view except);
  // Edits younger than the version stay.
  void dropPush(std::string_view connection_id, std::string_view record_id, std::int64_t up_to_version);
  // An operation of which the provider has shown more than was known; it may still arrive there.
  void reopenPush(std::string_view connection_id, std::string_view record_id);
  // An operation that has taken place, of a record that is younger by now: the next one is another, and what
  // was written is nobody's write in flight any more.
  void beginPushAnew(std::string_view connection_id, std::string_view record_id);

  void addConflict(Conflict const& conflict);
  void saveCursor(std::string_view connection_id, std::string_view kind, std::string_view cursor_json);
  void add(store::Statement statement);

  // The unit fails with `conflict` if the connection, whose plugin caused it, would store more.
  void boundBy(Storage const& most) { most_ = most; }
  Storage const& growth() const { return growth_; } // of records

  bool empty() const;
  bool changesSomething() const { return !changes_.empty(); } // the feed grows by it
  std::string const& vendor() const { return vendor_id_; }
  std::string const& origin() const { return origin_; }
  store::Unit take() &&;

private:
  void addChange(std::string_view record_id, std::string_view kind, std::string_view action,
                 std::int64_t version);
  store::Statement tellOfChanges() const;

  Context& context_;
  std::string vendor_id_;
  std::string origin_; // connection id, or "local"
  std::int64_t now_;
  BulkInsert records_;
  BulkInsert links_;
  store::Unit others_;
  store::Unit after_; // what reads rows of this unit
  std::vector<Values> changes_;
  std::optional<Storage> most_;
  Storage growth_;
};

// Once it is durable, whoever follows the feed is told that it has grown. What a connection is the origin of
// is kept only if that is this daemon's own (`cancelled` if not).
Task<void> commitWrites(Context* context, Writes writes);

} // namespace garland::sync
