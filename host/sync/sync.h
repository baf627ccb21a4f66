// The engine: vendors, connections, records, links and the change feed; pull, push and their truth.
//
// Pull: plugin emits remote items -> validated -> three-way merge with the link's base -> one unit
// with the cursor -> change feed. Push: a local edit -> `*.upsert/1` with the base version -> read
// back -> new base. An item that comes back equal to the base is an echo and is dropped.
#pragma once

#include "host/audit/audit.h"
#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/base/log.h"
#include "host/base/personal_data.h"
#include "host/base/random.h"
#include "host/base/schema.h"
#include "host/base/secret.h"
#include "host/base/task.h"
#include "host/custody/custody.h"
#include "host/egress/egress.h"
#include "host/oauth/oauth.h"
#include "host/runtime/runtime.h"
#include "host/store/store.h"
#include "host/sync/actions.h"
#include "host/sync/intake.h"
#include "host/sync/mailboxes.h"
#include "host/sync/webhooks.h"
#include "host/vault/vault.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace garland::sync {

// The tables of this room, for Store::open.
std::vector<store::Migration> migrations();
// Those with secrets, and what an export of the vault has besides.
std::vector<custody::Table> secretTables();
// What they hold of people: all of them.
std::vector<PersonalTable> personalData();

// What a person did, for the audit trail.
struct PersonAct {
  std::string vendor_id;
  std::string connection_id; // "": it is about none
  std::string who;           // a name or an address; "": whoever has the API key
  std::string act;           // "endpoint.change"
  std::string subject;       // id of what it was done to
  std::string detail;        // one sentence, without a secret, a person or what somebody typed; or ""
};
// To be committed in the unit of the act.
store::Statement auditOf(PersonAct act, audit::Book& book);

// What an area teaches the engine about one kind of record ("calendar.event").
struct Kind {
  std::string name;           // "calendar.event": also the kind a plugin emits
  std::string pull_operation; // "calendar.pull/1"
  std::string upsert_operation;
  std::string delete_operation;
  json::value schema; // of a record's data
  // The mapped fields only, normalised: equal projections mean nothing changed for us.
  std::function<json::value(json::value const& data)> project;
  // Meaning that a schema cannot say (end before start, unknown zone). invalidInput with the field.
  std::function<Result<void>(json::value const& data)> check;
  // Members that the input of all three operations has ({"entity":"crm.project"}), and those that only a
  // pull has, made of the connection's settings. Optional.
  json::object input;
  std::function<json::object(json::value const& settings)> pull_context;
  // Extra members for the upsert input (calendar: VTIMEZONE texts of the zones used). Optional.
  std::function<json::object(json::value const& data)> push_context;
  // Groups of top-level members that change together ({"start","end","recurrence"}).
  std::vector<std::vector<std::string>> atomic_groups;
  // What the same thing is called wherever it is copied (calendar: the uid); "" = nothing known.
  // Optional. With it an account that is connected again finds its records instead of doubling them.
  std::function<std::string(json::value const& data)> identity;
  std::string identity_member; // ... and the pointer to the member that holds it ("/uid")
  // What ties records of a vendor into one wedding (or other job): a project is one, and the others name it
  // by the provider's id in this member ("/project"). Optional.
  bool is_wedding = false;
  std::string wedding_member;
  // Of people. When one is erased whom a record of this kind names, does it go? Else it stays, with a
  // pseudonym in their place: it is of others as well, or the law asks for it.
  bool goes_with_person = false;
  // Members where a person is reached ("/email"). A record that has some goes only if it is the person's own:
  // if they are named by one of these, or by /name.
  std::vector<std::string> contact_members;
  // Members that name a person by the provider's id of their record ("/client").
  std::vector<std::string> person_members;
  // Of a wedding, the member with its day, where it takes place ("/event_date"): on that day its vendor's
  // work goes first. Optional.
  std::string day_member;
};

// A kind that shares its area's operations with others: "crm.project" comes by crm.pull/1 with the input
// {"entity": "crm.project"}. All members of record.crm.project.json count.
Kind entityKind(std::string_view name);

struct Vendor {
  std::string id;
  std::string name;
  TimePoint created;
};

// What a plugin makes this installation keep for one connection, or how much that may be. What was deleted
// there counts as long as it is remembered here.
struct Storage {
  std::int64_t records = 0;
  std::int64_t record_bytes = 0;
  std::int64_t values = 0; // kv_put
  std::int64_t value_bytes = 0;
  std::int64_t items = 0; // that came in by themselves: see Intake
  std::int64_t item_bytes = 0;
};
inline constexpr Storage kDefaultLimits{1'000'000, 1 << 30, 10'000, 16 << 20, 100'000, 256 << 20};

// Syncs under way in this daemon; who waits for a provider lends its place to others (decision 0052).
struct RunsAtOnce {
  std::size_t all = 128;
  std::size_t of_connector = 64;
  // ... those included that lent theirs: a worker takes 256 calls at once, and not only those of syncs.
  std::size_t begun_of_connector = 192;
};

// How fast a connector's provider may be asked: of each account, and of all that come with one key of the
// provider's. Nothing: as the connector's manifest says.
struct RequestRates {
  std::optional<runtime::RequestLimit> connection;
  std::optional<runtime::RequestLimit> app;
};

// How a slot stands whose access tokens the host renews.
struct SignIn {
  std::string slot;
  std::string state; // "connected", "retrying", "reconnect needed"
  std::string cause; // one sentence; "" when connected
  std::string by;    // whose doing it is: "provider", "network", "host"; ""
  TimePoint since;
  std::optional<TimePoint> next_try; // retrying
};

// How a connection stands, in the words of whoever looks after it.
struct Condition {
  std::string state; // "connected", "degraded", "retrying", "reconnect needed", "paused", "revoked"
  std::string why;   // one sentence; "" when connected
  std::string by;    // whose doing it is, as in SignIn, or the id of a key or session; "": nobody knows
  std::optional<TimePoint> until; // retrying, or degraded: when it is tried again
};

// state: "connected", "syncing" is not one (see runs), "reconnect needed", "paused", "failing", "revoked"
struct Connection {
  std::string id;
  std::string vendor_id;
  std::string plugin_id;
  std::string account_name; // what the provider calls the account
  json::value settings;
  bool allow_private_network = false;
  std::string state;
  std::string paused_from;  // paused: the state that it has beneath
  std::string paused_by;    // paused: the id of the key or session that asked for it; "" if nobody knows
  std::string revoked_by;   // revoked: the same
  std::string state_reason; // one sentence, "" when connected and sure of it
  TimePoint created;
  std::optional<TimePoint> last_success;
  TimePoint next_due; // by the schedule, which skips those that wait for a person
  // Of Engine::connection() only.
  std::optional<Storage> stored;
  Storage may_store;
  std::vector<SignIn> sign_ins; // by OAuth 2
};

// Of what is known of the connection; with its sign_ins it is more.
Condition conditionOf(Connection const& connection);

// What came of trying an account.
struct Trial {
  bool ok = false;
  std::string account;        // what the provider calls it now
  std::optional<Error> error; // why it is not ok
};

// An edit made here that one connection has not taken yet.
struct WaitingWrite {
  std::string connection_id;
  std::string state;  // "waiting": the next sync writes it; "set aside": not before an edit or a retry
  std::string reason; // why it was set aside
};

// Where a connected account has a record.
struct RecordLink {
  std::string connection_id;
  std::string external_id; // the provider's
};

struct Record {
  std::string id;
  std::string vendor_id;
  std::string kind;
  json::value data;
  std::int64_t version = 0; // grows by one with each change
  bool deleted = false;
  TimePoint updated;
  std::vector<WaitingWrite> waiting; // empty: no sync will write anything of it
  std::vector<RecordLink> links;     // empty: it is in Garland only
};

// What was a record before a person was erased.
struct ErasedRecord {
  bool existed = false;
  std::vector<RecordLink> links; // where its providers still have it
};
// Answers with the same value without the person.
using Rewriter = std::function<json::value(json::value const&)>;

// One item that could not be taken or written: everything else went on.
struct ItemProblem {
  std::string place; // the provider's id, e.g. the event's URL
  std::string kind;  // error kind name
  std::string message;
};

struct Counts {
  std::int64_t created = 0, updated = 0, deleted = 0, unchanged = 0, failed = 0;
};

// One sync of one connection: push what waits, then pull.
struct Run {
  std::string id;
  std::string connection_id;
  // "queued", "running", "done", "failed" (see error; stopped ones are `cancelled`), "partly failed": kinds
  // that `error` names were not synced, the others were.
  std::string state;
  Counts pulled;                    // what came in
  Counts pushed;                    // what was written to the provider
  std::int64_t echoes = 0;          // own writes that came back and were dropped (within unchanged)
  std::int64_t worker_restarts = 0; // the worker died and the run went on from its checkpoint
  std::int64_t held_deletions = 0;  // not applied because they are too many: see Engine::confirmDeletes
  std::int64_t conflicts = 0;       // decided for the provider: see Engine::conflicts
  std::int64_t set_aside = 0;       // writes that no run tries again by itself: see Engine::retryRecord
  std::uint64_t progress_done = 0, progress_total = 0; // total 0: not known
  std::vector<ItemProblem> problems;                   // the first 100
  std::optional<Error> error;                          // of a failed or partly failed run
  TimePoint started;
  std::optional<TimePoint> finished;
};

// What a provider told: look at this record again.
struct Hint {
  std::string kind;        // "crm.project"
  std::string external_id; // the provider's
};

// slot name -> field name -> what the vendor typed; sealed at once
using Credentials = std::vector<std::pair<std::string, std::vector<std::pair<std::string, Secret>>>>;

struct ConnectRequest {
  std::string vendor_id;
  std::string plugin_id;
  json::value settings;
  Credentials credentials;
  bool allow_private_network = false;
  // The slot whose token comes of a sign-in at the provider's own page and is not typed; "": none.
  std::string signs_in;
  oauth::Code code; // ... that somebody came back with from there
  // ... or what was given already, after a sign-in on another device; and what says so, for the unit that
  // keeps it.
  std::optional<oauth::Given> given;
  store::Unit takes;
};

// Who comes back from a provider's own page.
struct SignInReturn {
  std::string ticket;  // that went through the provider
  std::string browser; // the secret that it was shown the way with
  Secret code;
  std::string refusal; // the provider's "error"; "" if it gave a code
};

struct Connected {
  Connection connection;
  bool again = false; // it was connected before: its credential was replaced, all else was kept
};

struct Change {
  std::int64_t sequence = 0; // per vendor, ascending without gaps; seen in the order of commit
  std::string vendor_id;
  std::string record_id;
  std::string kind;
  std::string action; // "created", "updated", "deleted"
  std::int64_t record_version = 0;
  std::string origin;  // connection id, or "local"
  std::string wedding; // id of the project's record that it belongs to now, or is; "": of none
  TimePoint at;
};

// What a vendor's feed holds: the changes from `first` to `last`, every one. None if first is last + 1.
struct FeedSpan {
  std::string vendor_id;
  std::int64_t first = 1;
  std::int64_t last = 0;
};

// Two sides changed the same thing differently: what was decided, and the value that lost.
struct Conflict {
  std::string id;
  std::string vendor_id;
  std::string record_id;
  std::string connection_id;
  std::vector<std::string> members; // top-level members of the record; empty: the whole record
  std::string decision;             // "remote": the provider's value was kept
  json::value base;                 // what both had before; null if there was nothing in common
  json::value local;                // Garland's value, which was overwritten
  json::value remote;               // the provider's; null if it was deleted there
  TimePoint at;
};

// For how long is kept what work does not need any more; 0: for ever.
struct KeptFor {
  Milliseconds changes{90LL * 86'400'000};    // of the feeds: who resumes from further back is told
  Milliseconds conflicts{400LL * 86'400'000}; // with what lost in them
  Milliseconds items{400LL * 86'400'000};     // that came in, with their keys, after their end
  Milliseconds deleted{400LL * 86'400'000};   // records, with what their connections had of them
  Milliseconds old_trails{90LL * 86'400'000}; // requests and acts of people, of before the audit chain
};

// What a daemon that shares a database is called.
struct NodeName {
  std::string name; // of one daemon at a time: its host and data folder
  std::string version;
};

// A daemon that serves the database, or did of late.
struct Node {
  std::string id; // of one process
  std::string name;
  std::string version;
  TimePoint started, last_beat; // by the database's clock
  bool lives = false;
  bool is_this = false;
  std::int64_t connections = 0; // that are its own to run
};

struct RecordQuery {
  std::string vendor_id;
  std::string kind; // "" = all; invalidInput if there is none of this name
  bool include_deleted = false;
  std::string after_id; // page cursor: records with id > after_id
  int limit = 100;      // 1..1000
};

// What the engine is busy with at this moment, and since its start.
struct Load {
  std::size_t runs = 0;               // under way, or waiting for their place
  std::size_t runs_waiting = 0;       // of those, the latter
  std::size_t lanes = 0;              // connections that are called, or wait for it
  std::size_t turns_waiting = 0;      // calls that wait for their connection
  std::size_t requests_waiting = 0;   // requests that wait for the provider's limit
  std::size_t paces = 0;              // connections and apps whose requests are counted
  std::uint64_t requests_held = 0;    // requests that could not go at once, ever
  std::uint64_t requests_refused = 0; // ... and those that were given up for that
  std::uint64_t wake_ups = 0;         // of the schedule, ever
};

struct Dependencies {
  asio::any_io_executor executor;
  Clock& clock;
  Random& random;
  Log const& log;
  Redactor& redactor;
  store::Store& store;
  vault::Vault& vault;
  audit::Book& audit;
  egress::Client& egress;
  runtime::Supervisor& supervisor;
  runtime::Catalogue const& catalogue;
  std::vector<Kind> kinds;
  std::string extra_ca_file;
  // Called once for every run that ends, done or failed, with its final counts (for metrics).
  std::function<void(Run const&)> on_run_ended = nullptr;
  Storage limits = kDefaultLimits; // of each connection
  Milliseconds actions_kept = kActionsKept;
  // Set, if other daemons may be on the same PostgreSQL database; else this one is alone on it.
  std::optional<NodeName> node = std::nullopt;
  RunsAtOnce runs = RunsAtOnce();
  std::map<std::string, RequestRates> requests = {}; // by plugin id: instead of the manifest's
  KeptFor kept_for = {};
  WebhookRoom webhook_room = {};
};

// What a database needs that was put back from a backup, before an engine begins on it: nothing that may have
// been done since is done again unseen, no number of a feed is given out twice, no lease of before counts.
// `made`: all that was durable then is in the database, and perhaps more.
store::Unit afterRestore(TimePoint made, TimePoint now);

// Whether anything in the database can only be read with the master key that it was sealed with.
Task<bool> holdsCredentials(store::Store& store);

// [loop thread] Errors: notFound (unknown id), invalidInput (with field), conflict (record changed
// meanwhile, something would be lost), forbidden (plugin not enabled), and what the plugin reports.
class Engine {
public:
  virtual ~Engine() = default;
  static Task<std::unique_ptr<Engine>> create(Dependencies dependencies);

  virtual Task<Vendor> addVendor(std::string name) = 0;
  virtual Task<std::vector<Vendor>> vendors() = 0;

  virtual Task<void> enablePlugin(std::string vendor_id, std::string plugin_id) = 0;
  virtual Task<void> disablePlugin(std::string vendor_id, std::string plugin_id) = 0;
  virtual Task<std::vector<std::string>> enabledPlugins(std::string vendor_id) = 0;

  // Checks settings and account (health.check/1, read-only) before anything is kept.
  // The account of an existing connection, with the same settings, gets its credential replaced:
  // links, cursors and waiting writes stay. With other settings it is a conflict: see changeSettings.
  virtual Task<Connected> connect(ConnectRequest request) = 0;
  // The same by a sign-in at the provider's own page, from where people are sent to `redirect_uri`:
  // `request` is checked as far as it goes, and kept. unsupported if the connector's provider has no such
  // page. `session`: of the person who asks, "" for a program. Errors of visit and return: see
  // oauth::Authorizations.
  virtual Task<oauth::Authorizations::Begun> beginSignIn(ConnectRequest request, std::string redirect_uri,
                                                         std::string session);
  virtual Task<oauth::Authorizations::Visit> visitSignIn(std::string ticket, std::string browser,
                                                         std::string session);
  virtual Task<Connected> endSignIn(SignInReturn back);
  // The same by a sign-in on another device (RFC 8628): somebody types a code at the provider. What came of
  // it is known by signIn(). unsupported if the connector's provider offers none.
  virtual Task<oauth::DeviceSignIn> beginDeviceSignIn(ConnectRequest request);
  virtual Task<oauth::Authorization> signIn(std::string id);
  virtual Task<std::vector<Connection>> connections(std::string vendor_id) = 0; // "" = all
  virtual Task<Connection> connection(std::string id) = 0;
  // Members of `changes` replace those of the settings, null removes one. Tried like connecting; the next run
  // brings everything in anew, into the same records. `conflict` if it were another account with them,
  // `invalidInput` if the credential were sent to another host. With `credentials`, which replace it, the
  // connection may move to another host: whoever gives them knows them. That goes into the audit trail.
  virtual Task<Connection> changeSettings(std::string id, json::object changes,
                                          Credentials credentials = Credentials());
  // Asks the provider, read-only, whether the account can be reached and is the one that was connected.
  // Nothing is changed; `conflict` if it is paused or was revoked.
  virtual Task<Trial> test(std::string id);
  // Another token in the place of that which there is, now. unsupported if the account signs in with what was
  // typed.
  virtual Task<Connection> rotate(std::string id);
  // Takes the sign-in back: at the provider, as far as it can be asked, and here, where the credential is
  // forgotten in any case. Records, links and waiting writes stay; connecting the account again goes on with
  // them. The reason says whether the provider was told.
  virtual Task<Connection> revoke(std::string id, std::string by = std::string());
  // Nothing of the connection is begun any more until it is resumed, over restarts too; what comes in for it
  // is kept. Answers when nothing of it is under way: a sync ends at its next checkpoint, a call is waited
  // for.
  virtual Task<Connection> pause(std::string id, std::string by = std::string());
  // What waited meanwhile goes on; a connection that is not paused stays as it is.
  virtual Task<Connection> resume(std::string id);
  // Forgets how far syncs came and starts one, which brings everything in anew, into the same records. A sync
  // that is under way ends first. `conflict` if it is paused.
  virtual Task<Run> resync(std::string id);
  // Forgets credential, links and cursor; records stay with the vendor. `conflict` if edits made here
  // were not written there yet, actions have no end yet, or items wait to be read, unless all that is to
  // be discarded.
  virtual Task<void> disconnect(std::string id, bool discard) = 0;

  // Starts a run, or joins the one in flight on this connection.
  virtual Task<Run> startSync(std::string connection_id) = 0;
  // Fetches only these records (records.get/1), by a run of its own or at the end of the one in flight; a
  // connector without that pulls the kind. `invalidInput`: the connection's plugin does not bring that kind.
  virtual Task<Run> syncHinted(std::string connection_id, std::vector<Hint> hints);
  virtual Task<Run> run(std::string run_id) = 0;
  // Of everything, or the one in flight; one that only followed hints if there is no other.
  virtual Task<std::optional<Run>> lastRun(std::string connection_id) = 0;
  // Answers when the run has ended.
  virtual Task<Run> waitForRun(std::string run_id) = 0;

  virtual Task<std::vector<Record>> records(RecordQuery query) = 0;
  virtual Task<Record> record(std::string vendor_id, std::string id) = 0;
  // Local edits; they are pushed by the next sync of each connection that holds the record.
  // `if_version` 0: whatever it is now. `conflict` if it is another, or if the vendor has a record of
  // the same identity already; an identity itself cannot be edited. `unsupported` if its connections only
  // bring it in.
  virtual Task<Record> putRecord(std::string vendor_id, std::string id, json::value data,
                                 std::int64_t if_version) = 0;
  virtual Task<Record> addRecord(std::string vendor_id, std::string kind, json::value data,
                                 std::string connection_id) = 0; // to be created at that connection
  virtual Task<void> deleteRecord(std::string vendor_id, std::string id, std::int64_t if_version) = 0;
  // Nothing stays of the record but its id, which the feed tells to be deleted; nor of its conflicts and
  // writes. Nothing is deleted at the providers, but what they have of it does not come in any more. A record
  // that is not there, or was deleted before, is as good. conflict while a write of it is under way, whose
  // end would bring it back.
  virtual Task<ErasedRecord> eraseRecord(std::string vendor_id, std::string id);
  // The record, and what its providers had of it, through the rewriter. False: there was nothing to be
  // changed. conflict as above.
  virtual Task<bool> rewriteRecord(std::string vendor_id, std::string id, Rewriter rewriter);
  // Lets the next sync try the record's writes that were set aside; `conflict` if there are none.
  virtual Task<Record> retryRecord(std::string vendor_id, std::string id) = 0;
  // The same for everything that was set aside at a connection, its pull too; how much that was.
  virtual Task<std::int64_t> retryConnection(std::string id) = 0;

  virtual Task<std::vector<Change>> changes(std::string vendor_id, std::int64_t after, int limit) = 0;
  // Of those of the vendors that exist, in no order.
  virtual Task<std::vector<FeedSpan>> feedSpans(std::vector<std::string> vendor_ids);
  // Called on the loop after a commit by which the vendor's feed has grown, of this daemon or of another one
  // that has told of it. One listener for each `who`; an empty one ends it. What others tell may be lost on
  // its way, so whoever follows a feed looks for itself as well.
  virtual void onChange(void const* who, std::function<void(std::string const& vendor_id)> listener);

  // Newest first. limit 1..1000.
  virtual Task<std::vector<Conflict>> conflicts(std::string vendor_id, int limit);

  virtual Load load() const { return {}; }

  // What is to be done once, such as a payment.
  virtual Actions& actions() = 0;
  // What comes in by itself, such as a hook or a mail.
  virtual Intake& intake() = 0;
  // Vendors' own mailboxes, which are visited for what comes in there.
  virtual Mailboxes& mailboxes() = 0;
  // What providers tell by themselves.
  virtual Webhooks& webhooks() = 0;

  // Deletions were held because they are too many (Run::held_deletions): the next run applies them.
  virtual Task<void> confirmDeletes(std::string connection_id);

  // The daemons on the database; none if this one is alone.
  virtual Task<std::vector<Node>> nodes();
  // Of what needs one daemon only, and does no harm if for a moment two do it: whether it is this one.
  virtual bool caresFor(std::string_view) const { return true; }

  // Starts the poll schedule (each connection every manifest.poll_every) and resumes what a crash left.
  virtual Task<void> start() = 0;
  // Ends running syncs at their next checkpoint.
  virtual Task<void> stop() = 0;
};

} // namespace garland::sync
