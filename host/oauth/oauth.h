// OAuth 2 by the host alone: tokens asked for as a manifest says, kept sealed, and renewed.
//
// A refresh token may be good for one use, and a provider that sees it twice may take back all that came of
// it. So a grant is renewed by one daemon at a time, whoever shares the database; that it is under way is
// durable before the request leaves; the answer is kept, sealed and as it came, before anything is made of
// it; and it counts if the grant still stands on the refresh token that was sent, whoever sent it. See
// decision 0054.
#pragma once

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/base/log.h"
#include "host/base/personal_data.h"
#include "host/base/random.h"
#include "host/base/secret.h"
#include "host/base/task.h"
#include "host/egress/egress.h"
#include "host/store/store.h"
#include "host/vault/vault.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::oauth {

// The tables of this room, for Store::open.
std::vector<store::Migration> migrations();
// What they hold of people.
std::vector<PersonalTable> personalData();
// For the unit that settles a database which was put back from a backup of `made`: what was renewed since is
// lost, and if a provider refuses a token, that is why.
store::Unit afterRestore(TimePoint made);
// What waits here for a time of day, for whoever brings that forward when the time is set back.
std::vector<store::Waiting> waits();

// How a provider gives tokens, as a manifest describes it.
struct Provider {
  enum class ClientAuth { basic, body, none };
  // refresh: by the refresh token. access: by the access token itself, which is exchanged for one that lives
  // longer, as Meta does. client: by the client's id and secret alone. assertion: by a JWT that the client
  // signs; its secret is the private key.
  enum class RenewBy { refresh, access, client, assertion };

  std::string token_url;
  ClientAuth client_auth = ClientAuth::basic;
  RenewBy renew_by = RenewBy::refresh;
  std::string grant_type = "refresh_token";
  std::string token_parameter = "refresh_token"; // what the token is called in the request; "" by client
  bool by_get = false;                           // the request's members are its query
  std::string scope;                             // of the client alone; "" if none is sent
  std::vector<std::pair<std::string, std::string>> parameters; // sent besides
  std::vector<std::pair<std::string, std::string>> claims;     // of an assertion, besides those of every one
  std::optional<Milliseconds> life;     // of an access token, where the answer does not say
  std::optional<Milliseconds> at_least; // it is renewed so often, lest the grant lapses unused
  std::vector<std::string> refusals;    // codes that mean what invalid_grant means
  std::string authorize_url;            // the page where people sign in; "": it has none
  bool pkce = true;                     // by S256
  std::string device_url;               // where a sign-in on another device begins (RFC 8628); "": nowhere
  std::string revoke_url;               // RFC 7009; "": tokens are taken back by hand
  std::vector<std::pair<std::string, std::string>> authorize_parameters; // of that page, besides
};

// `described`: what stands under "oauth2" of a slot; `settings`: of the connection, which may name the token
// URL. invalidInput with the place.
Result<Provider> readProvider(json::value const& described, json::value const& settings);

// What somebody came back with from a provider's own page, in the place of a token: good for one request, and
// for a minute or so.
struct Code {
  Secret code;
  Secret verifier; // of PKCE; "" without
  std::string redirect_uri;
};

// What a provider gave for a sign-in on another device.
struct Given {
  Secret access;
  Secret refresh; // "": none
  std::optional<Milliseconds> life;
  TimePoint asked; // tokens live from then at the latest
};

// Which tokens: those of a connection's slot.
struct Place {
  std::string vendor_id;
  std::string connection_id;
  std::string slot;
};

// All that a request for tokens needs.
struct Use {
  Place place;
  std::string app; // the connector's id: a client that is refused is refused to all of its connections
  Provider provider;
  std::string client_id;
  Secret client_secret;
  egress::Policy policy; // its hosts do not count: the request goes to the token URL, and nowhere else
};

// What a person is told of a grant.
struct Status {
  std::string state; // "connected", "retrying", "reconnect needed"
  std::string cause; // one sentence; "" when connected
  std::string by;    // whose doing it is: "provider", "network", "host"; ""
  TimePoint since;
  std::optional<TimePoint> next_try;
};

struct Standing {
  Place place;
  Status status;
};

struct Limits {
  Milliseconds answer_within{30'000}; // a request for tokens
  // Between the last moment of such a request and when another daemon may begin one: clocks differ, and what
  // a process sent that was killed may arrive after its end.
  Milliseconds margin{15'000};
  Milliseconds patience{50'000}; // of who needs a token
};

// A row of the audit chain that tells how a sign-in stands now, if the condition (SQL, with a "?" for each of
// the values) holds when its unit comes to it.
using Told = std::function<store::Statement(Standing const& now, std::string_view condition,
                                            std::vector<store::Value> values)>;

// Everything must outlive it.
struct Dependencies {
  asio::any_io_executor executor;
  Clock& clock;
  Random& random;
  Log const& log;
  store::Store& store;
  vault::Vault& vault;
  egress::Client& egress;
  std::string node; // this daemon, for people
  Limits limits = {};
  Told told = nullptr; // of what becomes of a sign-in by itself; null: nobody is told
};

// [loop thread]
class Tokens {
public:
  static std::shared_ptr<Tokens> create(Dependencies dependencies);
  virtual ~Tokens() = default;

  // An access token that is valid; it is renewed first if it is due. What is valid yet is given even where
  // that failed. authExpired: a person has to connect the account again, and the message says why; transient
  // and rateLimited: later, see retry_after; forbidden: the provider refuses the connector's client;
  // notFound. Whoever waits may be cancelled; a renewal that has begun comes to its end.
  virtual Task<Secret> fresh(Use use) = 0;
  // The provider took this access token no more: fresh() renews it, unless that has happened. False: another
  // one of this slot was refused within the last minute, and this one took its place: a third is not asked
  // for.
  virtual Task<bool> refused(Place place, Secret access) = 0;
  virtual Task<Status> status(Place place) = 0; // notFound
  // Of all slots, by their names, of a connection, of a vendor ("" for the connection) or of all ("" for
  // both); one look at the database, and no secret is opened.
  virtual Task<std::vector<Standing>> all(std::string vendor_id, std::string connection_id) = 0;

  // Renews now, whatever is valid yet. Errors as of fresh(); what was valid before such an error stays so.
  virtual Task<void> renew(Use use) = 0;
  // Asks the provider to take the sign-in back (RFC 7009), whatever is under way. unsupported if it cannot be
  // asked; transient and others if it did not say that it did. What is kept here stays: see forget.
  virtual Task<void> revoke(Use use) = 0;

  // For the unit that connects an account: `token` is what it is renewed by, none if that is the client
  // alone. It is in the place of an earlier grant.
  virtual Result<store::Statement> first(Place const& place, Secret const& token) = 0;
  // The same, where a code is what tokens are asked for with first.
  virtual Result<store::Statement> first(Place const& place, Code const& code) = 0;
  // The same, where tokens were given already.
  virtual Result<store::Unit> first(Place const& place, Provider const& provider, Given const& given) = 0;
  // For the unit that makes a trial's tokens those of another connection, in the place of what it has there.
  virtual Task<store::Unit> move(Place from, Place to) = 0;
  // For the unit that forgets a connection.
  static store::Unit forget(std::string const& vendor_id, std::string const& connection_id);
  // Answers that were kept when their connection was forgotten already, by a daemon that ended before it saw
  // that: nobody looks for them any more.
  static Task<void> forgetStrayReplies(store::Store* store);

  // Begins nothing more, and lets what is under way come to its end.
  virtual Task<void> stop() = 0;
};

// A sign-in at a provider's own page, from when somebody is sent there until it has come to a connection.
struct Authorization {
  std::string id; // "aut_..."
  std::string vendor_id;
  std::string plugin_id;
  std::string state;         // "open", "redeeming", "connected", "failed", "expired"
  std::string cause;         // one sentence; "" unless failed
  std::string connection_id; // connected
  TimePoint expires;         // who has not come back by then begins anew
};

// Where somebody is to be sent.
struct SendOff {
  std::string vendor_id;
  std::string plugin_id;
  Provider provider;
  std::string client_id;
  std::string redirect_uri;
  Secret errand;       // for the caller: it comes back with the code
  std::string session; // of the person who begins it: only they are shown the way; "": whoever has the ticket
};

// A ticket is what a provider hands through as "state"; only its hash is kept, and it is good for one code.
// Who comes back with it must be the browser that the way to the provider was shown to: that one is given a
// secret of its own, so that nobody can be led to connect an account to another's vendor unseen.
class Authorizations {
public:
  struct Begun {
    Authorization authorization;
    Secret ticket;
  };
  struct Visit {
    Authorization authorization;
    std::string address; // at the provider
    Secret browser;
  };
  struct Taken {
    Authorization authorization;
    Secret errand;
    Code code; // but for the code itself
  };

  // Everything must outlive it.
  static std::unique_ptr<Authorizations> create(store::Store& store, vault::Vault& vault, Clock& clock,
                                                Random& random);
  virtual ~Authorizations() = default;

  virtual Task<Begun> begin(SendOff send_off) = 0;
  // notFound for a ticket that is not known, was used or has run out; forbidden in another session than that
  // which it was begun in, which changes nothing. `browser`: the secret that it has already, or "".
  // `session`: that the browser shows, if that one counts, or "".
  virtual Task<Visit> visit(std::string ticket, std::string browser, std::string session) = 0;
  // Once. notFound; forbidden to another browser, which uses nothing up.
  virtual Task<Taken> take(std::string ticket, std::string browser) = 0;
  // What came of it: a connection, or why there is none.
  virtual Task<void> end(Authorization authorization, std::string connection_id, std::string cause) = 0;
  virtual Task<Authorization> one(std::string id) = 0; // notFound
};

// A sign-in on another device, begun: what somebody needs who is to let it in.
struct DeviceSignIn {
  Authorization authorization;
  std::string user_code;                 // to be typed
  std::string verification_uri;          // there
  std::string verification_uri_complete; // with the code in it; "" if the provider gives none
};

// Those that wait for somebody to type the code. The provider is asked about each by one daemon at a time,
// which is durable before the request leaves; what a daemon was asking that ended goes on with another one.
class Devices {
public:
  // One that this daemon is to ask about now.
  struct Due {
    Authorization authorization;
    Secret errand; // of begin()
    Secret code;   // the device's
    Milliseconds pause;
    std::string doubt; // why tokens that were given may be lost; "" if none can be
    TimePoint until;   // nobody else asks before
  };

  explicit Devices(Dependencies dependencies) : with_(std::move(dependencies)) {}

  // Asks the provider for codes. `use.place`: of the vendor, no connection yet. `errand`: for whoever
  // connects the account in the end. forbidden: the provider does not let the client do that; transient;
  // providerBug.
  Task<DeviceSignIn> begin(Use use, Secret errand);
  // Ends those that ran out, or whose daemon ended when their tokens had come.
  Task<std::vector<Due>> due();
  // Nothing if they have not been given; what follows from that is kept.
  Task<std::optional<Given>> ask(Due const* due, Use use);
  // For the unit that keeps what was given: no answer counts twice.
  store::Unit takes(Due const& due) const;
  // What came of it: a connection, or why there is none.
  Task<void> end(Authorization authorization, std::string connection_id, std::string cause);

private:
  Task<bool> claim(Authorization const* one, TimePoint was, TimePoint until);
  Task<void> askAgain(Due const* due, Milliseconds pause, Milliseconds wait, bool in_doubt);

  Dependencies with_;
};

} // namespace garland::oauth
