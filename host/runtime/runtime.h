// Plugins at run time: what is installed (Catalogue) and how it is called (Supervisor).
//
// The daemon never maps plugin code. A Supervisor keeps one sandboxed worker process per plugin
// version; a call goes there, and whatever the plugin asks of the host comes back through CallHost.
#pragma once

#include "host/base/bytes.h"
#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/base/log.h"
#include "host/base/random.h"
#include "host/base/schema.h"
#include "host/base/task.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace garland::runtime {

// ---------------------------------------------------------------- manifest and catalogue

// How the host attaches the secret of one credential slot (connector.json "auth").
struct AuthSlot {
  std::string name;                // "login"
  std::string scheme;              // "basic", "bearer", "header", "query", "address", "oauth1", "sigv4",
                                   // "oauth2"
  std::string parameter;           // header or query name
  std::vector<std::string> fields; // what the vendor types: {"username","password"} or {"token"}
  std::size_t may_lack = 0;        // how many of the last fields need not be typed
  std::string signature;           // oauth1: "HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"
  // sigv4: each a name, or "setting:" and a JSON Pointer to it in the connection's settings.
  std::string region;
  std::string service;
  json::value oauth2; // oauth2: how tokens are asked for, for host/oauth to read
};

// What a provider grants: in no span more than `count` requests, of which `at_once` may come in one moment.
struct RequestLimit {
  std::int64_t count = 1;
  Milliseconds span{1'000};
  std::int64_t at_once = 1;
};

// connector.json, read and checked against plugin-api/schemas/manifest.json.
struct Manifest {
  std::string id;                      // reverse DNS, "garland.caldav"
  std::string name;                    // "CalDAV"
  std::string version;                 // semver
  std::string category;                // "calendar"
  std::vector<std::string> operations; // "calendar.pull/1", ...
  std::vector<AuthSlot> auth;
  // Literal hosts, JSON Pointers into the connection's settings that hold a URL ("setting:/url"), and
  // credentials that are one ("slot:feed"), which egress alone resolves.
  std::vector<std::string> hosts;
  json::value settings_schema;
  Milliseconds poll_every{900'000};
  std::size_t max_body = 16U << 20U;
  // For each connected account, and for all of them that come with one key of the provider's (an app).
  // Nothing: the provider tells when it is too much.
  std::optional<RequestLimit> requests_of_connection;
  std::optional<RequestLimit> requests_of_app;
  json::value webhooks; // as written, for host/webhooks to read; null: none come in
  json::value document; // the whole manifest

  // Hosts that a connection with these settings may reach, settings resolved.
  std::vector<std::string> allowedHosts(json::value const& settings) const;
};

Result<Manifest> parseManifest(std::string_view text);
// The same after the schema has been asked, with the settings' schema looked at, too.
Result<Manifest> checkedManifest(std::string_view text, Schema const& manifest_schema);

// What a plugin's shared object, for any machine that Garland runs on, says of itself.
struct PluginObject {
  std::string architecture;        // "x86_64-linux-gnu"
  std::vector<std::string> needed; // libraries that the loader brings along
};
std::string_view hostArchitecture();
// Reads the bytes without running or mapping them: ELF header, exported symbol, .note.garland equal to
// `manifest_text`. invalidInput with a sentence that goes on from the object's name.
Result<PluginObject> readPluginObject(std::string_view bytes, std::string_view manifest_text);

// Where a build comes from, and who says that it may run.
struct Provenance {
  enum class Kind {
    system,    // a folder that whoever administers this machine has put there
    developer, // not certified, run because the operator said so
    certified, // a package with an attestation
  };
  Kind kind = Kind::system;
  std::string package;     // digest of the package that it was unpacked from; "" of a folder
  std::string level;       // that it was certified at; "" if it was not
  std::string attestation; // the statement itself, for whoever judges it again
  std::optional<TimePoint> expires;
  bool operator==(Provenance const&) const = default;
};
std::string_view name(Provenance::Kind kind); // "certified"
json::value toJson(Provenance const& provenance);
// Of what toJson() made; a developer build if it made something else.
Provenance provenanceFrom(json::value const& value);

struct PluginInfo {
  Manifest manifest;
  std::string path;    // of the shared object
  std::string digest;  // SHA-256 of the shared object, hex
  std::string refusal; // empty if it may be loaded, else one sentence: why not, what to do
  Provenance provenance = {};
};

// Reads <dir>/<id>/connector.json and the shared object beside it for every folder of `dirs`,
// without running code: ELF header, architecture, exported symbol, .note.garland equal to the file.
class Catalogue {
public:
  Catalogue() = default;
  // What is known already, for those who need no disk.
  explicit Catalogue(std::vector<PluginInfo> plugins) : plugins_(std::move(plugins)) {}
  static Catalogue scan(std::vector<std::string> const& dirs, Schema const& manifest_schema);
  // The same for twins (plugins that offer twin.serve/1), which stand in for a provider and which scan()
  // refuses, so that no vendor is ever given one; what is no twin is refused here.
  static Catalogue scanTwins(std::vector<std::string> const& dirs, Schema const& manifest_schema);
  std::vector<PluginInfo> const& plugins() const { return plugins_; }
  // By full id or last part ("caldav"); "-" and "_" may stand for each other. nullptr also if several are
  // meant.
  PluginInfo const* find(std::string_view id) const;
  // What a later scan found counts from now on. What was handed out before stays valid.
  void renew(Catalogue newer);

private:
  static Catalogue scanFor(bool twins, std::vector<std::string> const& dirs, Schema const& manifest_schema);
  std::vector<PluginInfo> plugins_;
  std::vector<std::vector<PluginInfo>> former_;
};

// ---------------------------------------------------------------- calls

struct HttpAsk {
  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string credential_slot; // empty: anonymous
  std::string idempotency_key;
  Milliseconds timeout{0};    // 0: what is left of the call
  std::uint64_t max_body = 0; // 0: manifest limit
};

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<Milliseconds> retry_after;
  Effect effect = Effect::unknown;
};

struct KvEntry {
  Bytes value;
  std::uint64_t version = 0;
};

// What a running call may ask of the host. One object per call; methods run on the loop thread and
// may overlap (an emit may wait while a log line comes in). Errors go back to the plugin as statuses.
class CallHost {
public:
  virtual ~CallHost() = default;
  virtual Task<HttpAnswer> http(HttpAsk ask) = 0;
  // For how long requests of this call have waited for the provider's limit, this very moment included: the
  // call's deadline is later by so much.
  virtual Milliseconds waited() const { return Milliseconds::zero(); }
  virtual Task<void> emit(std::string kind, std::string record_json) = 0;
  // Answers when everything emitted so far is durable together with the cursor.
  virtual Task<void> checkpoint(std::string cursor_json) = 0;
  // The call's worker died and the call is run again; what it asked for before is not asked again.
  virtual void restarted() {}
  virtual Task<KvEntry> kvGet(std::string key) = 0;
  virtual Task<void> kvPut(std::string key, Bytes value, std::uint64_t if_version, Milliseconds ttl) = 0;
  virtual void log(LogLevel level, std::string message, std::string fields_json) = 0;
  virtual void progress(std::uint64_t done, std::uint64_t total, std::string what) = 0;
};

struct Call {
  std::string operation;  // "calendar.pull/1"
  std::string vendor_id;  // whose data it is; decides the worker under Isolation::vendor
  std::string account_id; // connection id: one plugin instance each
  std::string record_id;  // that it writes, for whoever looks for the call later; "" if it is about many
  std::string account;    // JSON: {"account_id","settings","slots":[names]}; never secret values
  std::string input;      // JSON
  Milliseconds deadline{300'000}; // of its own time: what it waits for a provider's limit does not count
};

// ---------------------------------------------------------------- workers

enum class SandboxTier { a, b, c, d };

struct SandboxStatus {
  SandboxTier tier = SandboxTier::d;
  int landlock_abi = 0; // 0: absent
  bool seccomp = false;
  bool user_namespaces = false;
  bool private_root = false;
  bool running_as_root = false;
  std::vector<std::string> notes; // one sentence each: what is missing, what that means, what to do
};

// What this machine offers, found by trying in a child process.
SandboxStatus probeSandbox();
std::string_view name(SandboxTier tier);     // "A".."D"
std::string_view coverage(SandboxTier tier); // one sentence: what it protects from
json::value toJson(SandboxStatus const& status);

// Which call something happened to; "" what is not known.
struct CallPlace {
  std::string operation;
  std::string vendor_id;
  std::string account_id;
  std::string record_id;
};

// What happened to a plugin's workers, told as it happens and kept for a while, also across restarts.
struct SupervisorEvent {
  enum class Kind {
    crashed,
    restarted,
    halfOpen,
    quarantined,
    recovered,
    poisoned,
    refused,
    replaced, // it had used up its memory
  };
  TimePoint time{};
  std::string plugin_id;
  std::string digest;
  std::string vendor_id; // whose worker it was, where vendors have their own; else ""
  Kind kind = Kind::crashed;
  std::string reason; // plain words, going on from the plugin's name; no secrets
  // Of a crash, or of the last one of a poisoned call: the file that `garland dev replay` takes; "" if none
  // was kept.
  std::string capsule;
  std::optional<CallPlace> call; // that ended its worker
  // Refused because of the build itself, so that another one may fare better.
  bool build_at_fault = false;
};
std::string_view name(SupervisorEvent::Kind kind); // "half_open"

struct WorkerStatus {
  std::string plugin_id;
  std::string version;
  std::string vendor_id; // whose calls it takes, where vendors share no worker; else ""
  std::string state;     // "idle", "running", "backing off", "half open", "quarantined", "stopped"
  int pid = 0;
  std::uint64_t restarts = 0;
  std::string last_exit; // "killed by SIGKILL while calendar.pull/1 ran", "" if never
  std::size_t in_flight = 0;
  std::string digest;                  // of the build
  std::optional<TimePoint> last_crash; // last_exit may be an orderly end
  std::size_t memory_limit = 0;        // of each worker, bytes of address space; 0: none
  std::size_t memory = 0;              // used of it now; 0: there is no worker
  std::string quarantine;              // one sentence why no worker of this build is started; "" if not so
  std::string refusal;                 // one sentence why this build can never run; "" if not so
};

// What became of an installed build.
struct Standing {
  std::shared_ptr<PluginInfo const> runs; // takes the plugin's calls: this build or another; null: none does
  std::string refusal;                    // one sentence why this build takes no calls; "" if it does
  std::uint64_t restarts = 0;             // of the plugin's workers after a crash, also in earlier lives
  Provenance provenance = {};             // of what runs, else of what is installed
};

// Who shares a worker process. Inside one worker a plugin could mix up the calls it has in flight.
enum class Isolation {
  plugin,    // every call of a plugin's version
  vendor,    // the calls of one vendor
  operation, // nobody: a fresh worker for each call, ended after it
};
std::string_view name(Isolation isolation);                          // "vendor"
std::optional<Isolation> parseIsolation(std::string_view isolation); // nullopt: no such word

// A time that plugins see instead of the machine's, for certification. It stands still until advance() moves
// it on; a plugin that sleeps moves it on too, and does not wait. It lies in a page that the workers share,
// so what is read there is taken for a time within a century of the start, whoever wrote it. [any thread]
class PluginClock {
public:
  static Result<std::shared_ptr<PluginClock>> create(TimePoint start);
  virtual ~PluginClock() = default;
  virtual TimePoint now() const = 0;
  virtual void advance(Milliseconds span) = 0;
  virtual int page() const = 0; // descriptor of the shared page
};

// A twin may work longer on one request than a connector may on anything: it makes all of its provider's past
// in the first one (sdk-docs/twins.md).
inline constexpr Milliseconds kTwinSlice{3'000};

struct SupervisorOptions {
  std::string worker_path;                    // garland-worker
  bool allow_degraded_sandbox = false;        // tier D
  SandboxTier expected_tier = SandboxTier::d; // probeSandbox()'s; a worker that reaches less is refused
  Milliseconds handshake{2'000};
  Milliseconds drain{2'000};
  Milliseconds restart_base{100};
  Milliseconds restart_cap{30'000};
  std::size_t address_space = 256U << 20U; // of one worker, bytes; 0: unlimited
  // Processor time that a call may hold its worker without giving way.
  Milliseconds slice{200};
  std::map<std::string, Milliseconds> slice_of; // by plugin id; wins over `slice`
  Isolation isolation = Isolation::plugin;
  std::map<std::string, Isolation> isolation_of; // by plugin id; wins over `isolation`
  // A worker without a call for that long is ended, and started again by the next call.
  Milliseconds idle{600'000};       // shared by all vendors
  Milliseconds idle_vendor{60'000}; // of one vendor
  // Where the builds that run are kept, for restarts and to fall back to; "": nowhere.
  std::string builds_dir;
  // Where crash capsules go, and what takes the secrets out of them; without both none is kept.
  std::string capsules_dir;
  Redactor const* redactor = nullptr; // must outlive the supervisor
  // While a connector is being written: another build of the same version replaces the one that runs.
  bool development = false;
  // Whether a build that ran before, and was kept, may run (on): its provenance, judged anew at the start and
  // whenever what is installed is taken over; if not, its calls are cancelled. The error is why. Null: all.
  std::function<Result<void>(Provenance const&)> admits = nullptr;
  std::shared_ptr<PluginClock> plugin_clock;            // null: plugins see the machine's time
  std::function<void(SupervisorEvent const&)> on_event; // told at once; must not call back [loop thread]
};

// What became of one plugin when the supervisor was told what is installed.
struct Adoption {
  enum class Outcome { unchanged, installed, upgraded, downgraded, refused, removed, released };
  std::string plugin_id;
  Outcome outcome = Outcome::unchanged;
  std::string version; // that takes new calls from now on; "" if none does
  std::string words;   // one sentence: what happened, and for `refused` what to do
};
std::string_view name(Adoption::Outcome outcome); // "upgraded"
json::value toJson(Adoption const& adoption);

// [loop thread]
class Supervisor {
public:
  // No call may run any more: shutdown() first, or a call's end would find nobody.
  virtual ~Supervisor() = default;
  static std::unique_ptr<Supervisor> create(asio::any_io_executor executor, Clock& clock, Random& random,
                                            Log const& log, SupervisorOptions options);

  // Runs one operation; its single result, one JSON document as the plugin wrote it, or "" if it gave none.
  // What it means and whether its members are unique is for the caller to see. `host` must outlive the call.
  // A call whose worker dies is run again where that is safe; else it is `transient` "worker_died", effect
  // unknown. One that ends workers by itself is `pluginBug` "poisoned"; a missing operation `unsupported`.
  // It runs in the build that is current for the plugin's id, see build().
  virtual Task<std::string> call(PluginInfo const& plugin, Call call, CallHost& host) = 0;
  // Takes over what is installed now. New calls go to a newer build at once; calls that run end in the
  // worker of the old one, which then hands its instances' state on and is ended. Refused are builds that
  // cannot be loaded and, unless `allow_downgrade`, a lower version than the one that runs.
  // conflict: it is under way already.
  virtual Task<std::vector<Adoption>> adopt(Catalogue catalogue, bool allow_downgrade) = 0;
  // The build that a call for this plugin would run in now: this one, a newer one, or after a quarantine
  // the last good one.
  virtual std::shared_ptr<PluginInfo const> build(PluginInfo const& plugin) = 0;
  // The same for an onlooker: starts and installs nothing.
  virtual Standing standing(PluginInfo const& plugin) const {
    auto runs = plugin.refusal.empty() ? std::make_shared<PluginInfo const>(plugin) : nullptr;
    return {std::move(runs), plugin.refusal, 0, plugin.provenance};
  }
  // Lifts every quarantine of the plugin: its builds get a clean start. conflict: there is none.
  virtual Task<Adoption> release(std::string plugin_id) = 0;
  // Calls of this account that are set aside as "poisoned" may run again, alone: somebody repaired something.
  // How many there were.
  virtual std::size_t retryParked(std::string_view account_id) = 0;
  virtual std::vector<WorkerStatus> workers() const = 0;
  // The newest of all plugins, oldest first; at most 256.
  virtual std::vector<SupervisorEvent> events() const { return {}; }
  // Lets running calls end within the drain time, then ends every worker.
  virtual Task<void> shutdown() = 0;
};

} // namespace garland::runtime
