// The HTTP interface under /api/integrations, with /health, /metrics, /openapi.json and /hooks; and twins of
// providers over HTTP (TwinServer), which have nothing to do with a daemon.
#pragma once

#include "host/access/access.h"
#include "host/audit/audit.h"
#include "host/base/carrier.h"
#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/random.h"
#include "host/base/task.h"
#include "host/custody/custody.h"
#include "host/egress/egress.h"
#include "host/notify/notify.h"
#include "host/privacy/privacy.h"
#include "host/realtime/realtime.h"
#include "host/runtime/runtime.h"
#include "host/sync/sync.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::api {

// Of those who follow the changes: /api/integrations/stream.
struct StreamOptions {
  realtime::Limits limits = {};
  Milliseconds ping{20'000};        // a word at least so often, so that proxies keep the connection
  Milliseconds silence{60'000};     // a WebSocket client that says nothing for so long is not there any more
  Milliseconds stall{10'000};       // a client that takes nothing for so long is shed
  Milliseconds ticket_life{60'000}; // of tickets that nobody uses
  std::vector<std::string> origins; // whose pages' EventSource may read: "https://app.example.com"
};

// Of the server's side of TLS, in PEM form.
struct TlsFiles {
  std::string certificate; // with its chain; empty: no TLS
  std::string key;         // without a passphrase
  std::string client_ca;   // whose certificates clients have to show; empty: they need none
};

// What a certificate says of itself.
struct CertificateFacts {
  TimePoint begins, ends;
  std::vector<std::string> names; // of hosts, without addresses
};

// Reads the files as a server does. invalidInput, with the setting: one cannot be used.
Result<CertificateFacts> examineCertificate(TlsFiles const& files);

// What somebody who signs in may do.
struct OidcRole {
  access::Role role = access::Role::auditor;
  std::string vendor_id; // "" unless the role is vendor
  bool operator==(OidcRole const&) const = default;
};

// The OpenID provider at which people sign in.
struct OidcSettings {
  std::string issuer; // "": nobody signs in
  std::string client_id;
  std::string client_secret_file; // read whenever it is shown; "": the client has none
  std::string public_url;         // of this daemon as browsers reach it, without a slash at its end
  std::string scopes = "openid email";
  std::string roles_claim = "groups";    // or "/realm_access/roles"
  std::map<std::string, OidcRole> roles; // by the claim's values
  std::vector<std::string> audiences;    // that may stand in a token besides the client
  bool private_network = false;          // the provider is in one

  std::string callback() const { return public_url + "/sign-in/callback"; }
};

struct Options {
  std::string address = "127.0.0.1"; // any other than a loopback address needs TLS
  TlsFiles tls = {};
  // Instead of TLS: a proxy on a trusted network has it, and nobody else there reaches the address or listens
  // in.
  bool clear_text_to_proxy = false;
  unsigned short port = 0;  // 0: any free port
  std::string api_key_hash; // of the key in the key file: access::hashOf
  std::size_t max_header = 16U << 10U;
  std::size_t max_body = 1U << 20U;
  bool raw_targets = false; // twins take targets that are no URLs by the letter
  // One more takes the place of the client that has rested longest, and is answered 503 if all have a request
  // under way.
  std::size_t max_connections = 256;
  Milliseconds idle_timeout{60'000}; // between two requests of a connection
  Milliseconds header_timeout{
      10'000}; // from a request's first byte to the end of its headers; to that byte, too
  Milliseconds body_timeout{30'000};  // from there to the end of its body
  Milliseconds write_timeout{30'000}; // of one answer
  Milliseconds wait_limit{600'000};   // longest "?wait=1"
  Milliseconds drain{5'000};          // stop() waits this long for answers in the making
  StreamOptions streams = {};
};

// What /metrics tells of the moment, read when it is asked for.
struct Gauges {
  std::vector<runtime::WorkerStatus> workers;
  std::size_t open_connections = 0;
  realtime::Figures streams;
  sync::Load load;
  std::optional<bool> carrier_connected; // none: there is no carrier
};

// Counters since the daemon's start, rendered for Prometheus. [loop thread]
class Metrics {
public:
  virtual ~Metrics() = default;
  static std::unique_ptr<Metrics> create(std::string_view version, std::string_view database_driver);
  // `route`: the pattern, "" for paths that do not exist.
  virtual void requestEnded(std::string_view method, std::string_view route, int status,
                            Milliseconds took) = 0;
  // For sync::Dependencies::on_run_ended.
  virtual void runEnded(sync::Run const& run) = 0;
  // For runtime::SupervisorOptions::on_event.
  virtual void pluginEvent(runtime::SupervisorEvent const& event) = 0;
  // `system`: the connector's id, or "none"; `outcome`: accepted, known, handshake, overload, no_certificate,
  // not_confirmed, or why it was refused.
  virtual void webhookCame(std::string_view system, std::string_view outcome) = 0;
  // For notify::Dependencies::on_outcome.
  virtual void endpointTold(std::string_view outcome) = 0;
  // `kind`: websocket or events; `outcome`: left, slow, gone, silent, refused, key, stopped or lost.
  virtual void streamEnded(std::string_view kind, std::string_view outcome) = 0;
  virtual std::string render(Gauges const& gauges) = 0;
};

// Everything must outlive the server.
struct Dependencies {
  asio::any_io_executor executor;
  Clock& clock;
  Random& random;
  Log const& log;
  sync::Engine& engine;
  runtime::Supervisor& supervisor;
  runtime::Catalogue const& catalogue;
  Metrics& metrics;
  runtime::SandboxStatus sandbox;
  std::string version;
  std::string database_driver;
  // Kind and schema of the records ("calendar.event"): for the OpenAPI document, and what may be followed.
  std::vector<std::pair<std::string, json::value>> record_schemas;
  // Looks again what is installed and takes it over; null: this daemon cannot.
  std::function<Task<std::vector<runtime::Adoption>>(bool allow_downgrade)> rescan = nullptr;
  // Installs the package of this name in the data folder, then does the same; null: this daemon cannot.
  std::function<Task<std::vector<runtime::Adoption>>(std::string file)> install = nullptr;
  // Where the world reaches /hooks/, without a slash at its end; "": at this server's own address.
  std::string public_url = {};
  // Behind the @ of the connections' mail addresses; "": no mail is taken.
  std::string mail_domain = {};
  // Tells vendors' endpoints what has changed; null: this daemon cannot.
  notify::Notifier* notifier = nullptr;
  // Fetches the certificates that webhooks name, and confirms addresses; null: this daemon cannot.
  egress::Client* egress = nullptr;
  std::string extra_ca_file = {}; // as in egress::Policy
  // Between this daemon and others; null: it is alone, or the database does that.
  Carrier const* carrier = nullptr;
  // Moves, exports and imports what is sealed; null: this daemon cannot.
  custody::Custody* custody = nullptr;
  // Where what is asked and refused is told; null: nowhere.
  audit::Book* audit = nullptr;
  // API keys besides the one of the key file; null: there are none.
  access::Keys* keys = nullptr;
  // Exports and erases people and vendors; null: this daemon cannot.
  privacy::Office* privacy = nullptr;
  // Makes a backup of the host under the passphrase: its name in the data folder's "exports". null: this
  // daemon cannot.
  std::function<Task<std::string>(Secret passphrase)> backup = nullptr;
  // Of people who sign in as `oidc` says; null: nobody does.
  access::Sessions* sessions = nullptr;
  OidcSettings oidc = {};
  // This server's own address without its port; Server::start says it.
  std::string own_origin = "http://127.0.0.1";
};

// [loop thread]
class Server {
public:
  virtual ~Server() = default;
  // transient if the address is taken; invalidInput if it would need TLS and has none, or a file of
  // Options::tls cannot be used.
  static Task<std::unique_ptr<Server>> start(Dependencies dependencies, Options options);
  virtual unsigned short port() const = 0;
  virtual std::string address() const = 0;
  // How clients on this machine reach it: "https://localhost:7480", by a name of the certificate.
  virtual std::string url() const = 0;
  // Reads the files of Options::tls again: connections from now on get the new certificate, those that are
  // open go on. invalidInput: a file cannot be used, and the certificate in use stays.
  virtual Result<void> renewCertificate() = 0;
  // Takes no new connections and closes those on which nothing is being answered. At once.
  virtual void refuse() = 0;
  // refuse(), then waits until the answers in the making have gone out or the drain time is over
  // (`transient`: something was still being answered; its connection was closed).
  virtual Task<void> stop() = 0;
};

// ---------------------------------------------------------------- twins

// A notice of a twin as it is about to be sent.
struct TwinNotice {
  std::string scheme;
  std::string secret;
  std::string id;
  std::string url;
  std::string body;
  TimePoint at;
};

struct TwinOptions {
  std::string address = "127.0.0.1"; // loopback only
  unsigned short port = 0;           // 0: any free port
  std::int64_t seed = 1;
  std::int64_t volume = 0;
  std::size_t max_header = 64U << 10U;
  std::size_t max_body = 8U << 20U;
  // The headers that sign a notice; null: notices go out unsigned, and the log says so.
  std::function<Result<std::vector<egress::Header>>(TwinNotice const&)> sign = nullptr;
};

// Everything must outlive the server.
struct TwinDependencies {
  asio::any_io_executor executor;
  Clock& clock;                     // of sockets
  VirtualClock* provider = nullptr; // the provider's clock; null: `clock`
  Random& random;
  Log const& log;
  runtime::Supervisor& supervisor;
  egress::Client& egress; // delivers notices
  runtime::PluginInfo const& twin;
};

// Serves a twin (twin.serve/1) to real HTTP clients until its worker dies or stop() is called. A twin holds
// its state in its worker, so a dead worker is not replaced. [loop thread]
class TwinServer {
public:
  virtual ~TwinServer() = default;
  // Makes one request to the twin first, so that one that cannot start is told here.
  static Task<std::unique_ptr<TwinServer>> start(TwinDependencies dependencies, TwinOptions options);
  virtual std::string url() const = 0; // "http://127.0.0.1:8123"
  // For SupervisorOptions::on_event.
  virtual void workerEvent(runtime::SupervisorEvent const& event) = 0;
  // Ends when the twin has died (pluginBug, with the reason) or stop() was called.
  virtual Task<void> ended() = 0;
  virtual Task<void> stop() = 0;
};

} // namespace garland::api
