// What every part of the engine shares: the doors it was given, the kinds, the schemas. No state of
// any vendor lives here.
#pragma once

#include "host/base/ids.h"
#include "host/oauth/oauth.h"
#include "host/sync/lanes.h"
#include "host/sync/limits.h"
#include "host/sync/run_places.h"
#include "host/sync/sync.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sync {

inline constexpr std::string_view kIntakeOperation = "intake.parse/1";
inline constexpr std::string_view kWebhookOperation = "webhooks.parse/1";

struct KindEntry {
  KindEntry(Kind kind_in, Schema schema_in) : kind(std::move(kind_in)), schema(std::move(schema_in)) {}
  Kind kind;
  Schema schema; // of a record's data

  // Schema and meaning together: invalidInput with the field.
  Result<void> check(json::value const& data) const;
  std::string identityOf(json::value const& data) const;
};

class Leases;

class Context {
public:
  static Result<std::unique_ptr<Context>> make(Dependencies dependencies);

  Dependencies doors;

  KindEntry const* kind(std::string_view name) const;
  std::vector<KindEntry> const& kinds() const { return kinds_; }

  // The schemas of plugin-api/schemas; what has none there passes.
  Result<void> requireEmitted(std::string_view kind, json::value const& record);
  Result<void> requireInput(std::string_view operation, json::value const& input);
  // The input of an action as its caller gives it: the key stands beside it.
  Result<void> requireActionInput(std::string_view operation, json::value const& input);
  Result<void> requireOutput(std::string_view operation, json::value const& output);
  // What a connector says, without members that those schemas do not know: it may be newer than this host.
  json::value knownOfEmitted(std::string_view kind, json::value const& record);
  json::value knownOfRecord(std::string_view kind, json::value const& data);
  json::value knownOfOutput(std::string_view operation, json::value const& output);

  // What the manifest says, unless whoever operates the daemon said otherwise.
  RequestRates requestsOf(runtime::Manifest const& manifest) const;

  TimePoint now() const { return doors.clock.now(); }
  std::string newId(std::string_view prefix) { return garland::newId(prefix, doors.clock, doors.random); }
  std::string scrub(std::string_view text) const { return doors.redactor.scrub(text); }

  // Set once by stop(): runs end at their next checkpoint.
  bool stopping = false;

  std::shared_ptr<Lanes> const lanes;
  std::shared_ptr<oauth::Tokens> tokens; // of slots that sign in by OAuth 2
  std::unique_ptr<oauth::Authorizations> authorizations;
  std::unique_ptr<oauth::Devices> devices;
  // Whose the connections are; null: this daemon is alone on its database, and all are its own.
  std::shared_ptr<Leases> leases;
  Limits limits;
  RunPlaces run_places;
  // Vendors with a wedding today; see Weddings.
  std::set<std::string> weddings;
  // Beside other vendors' work: what is not much goes first for a vendor with a wedding today.
  Priority amongAll(std::string const& vendor_id, Priority priority) const {
    return priority != Priority::bulk && weddings.contains(vendor_id) ? Priority::weddingDay : priority;
  }
  // Engine::onChange. Called with the vendor whose feed has grown.
  std::map<void const*, std::function<void(std::string const& vendor_id)>> feed_listeners;

private:
  explicit Context(Dependencies dependencies)
      : doors(std::move(dependencies)), lanes(std::make_shared<Lanes>(doors.executor)),
        limits(doors.executor, doors.clock), run_places(doors.executor, doors.runs) {}
  struct SchemaFile {
    json::value document; // null: there is none of that name
    std::optional<Schema> compiled;
  };
  Result<SchemaFile const*> schemaFile(std::string const& file, std::string_view without = {});
  Result<void> requireFile(std::string const& file, json::value const& value, std::string_view what);
  json::value knownOfFile(std::string const& file, json::value const& value);

  std::vector<KindEntry> kinds_;
  std::map<std::pair<std::string, std::string>, SchemaFile> files_; // and without what; compiled at first use
};

// A row of the audit chain that tells of a change: for the unit of that change.
store::Statement told(Context const& context, std::string act, std::string vendor_id,
                      std::string connection_id = {}, std::string subject = {}, json::object facts = {});

// The vendor's feed has grown by what is durable now.
void tellFeedListeners(Context const& context, std::string const& vendor_id);

// Reads records by their ids.
inline constexpr std::string_view kGetOperation = "records.get/1";

bool offers(runtime::Manifest const& manifest, std::string_view operation);
// One operation serves many kinds: what a plugin does with each of them stands under "entities".
bool brings(runtime::Manifest const& manifest, Kind const& kind);
// ... by intake.parse/1 instead of by a pull.
bool arrives(runtime::Manifest const& manifest, Kind const& kind);
bool writes(runtime::Manifest const& manifest, Kind const& kind, std::string_view operation);
// Members of its records that it brings in and never writes, as pointers.
std::set<std::string> onlyRead(runtime::Manifest const& manifest, Kind const& kind);

} // namespace garland::sync
