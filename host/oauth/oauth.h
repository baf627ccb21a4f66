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
};

// `described`: what stands under "oauth2" of a slot; `settings`: of the connection, which may name the token
// URL. invalidInput with the place.
Result<Provider> readProvider(json::value const& described, json::value const& settings);

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

struct Limits {
  Milliseconds answer_within{30'000}; // a request for tokens
  // Between the last moment of such a request and when another daemon may begin one: clocks differ, and what
  // a process sent that was killed may arrive after its end.
  Milliseconds margin{15'000};
  Milliseconds patience{50'000}; // of who needs a token
};

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
  // The provider took this access token no more: fresh() renews it, unless that has happened.
  virtual Task<void> refused(Place place, Secret access) = 0;
  virtual Task<Status> status(Place place) = 0; // notFound
  // Of all slots of a connection, by their names; no secret is opened.
  virtual Task<std::vector<std::pair<std::string, Status>>> all(std::string vendor_id,
                                                                std::string connection_id) = 0;

  // For the unit that connects an account: `token` is what it is renewed by, none if that is the client
  // alone. It is in the place of an earlier grant.
  virtual Result<store::Statement> first(Place const& place, Secret const& token) = 0;
  // For the unit that makes a trial's tokens those of another connection, in the place of what it has there.
  virtual Task<store::Unit> move(Place from, Place to) = 0;
  // For the unit that forgets a connection.
  static store::Unit forget(std::string const& vendor_id, std::string const& connection_id);

  // Begins nothing more, and lets what is under way come to its end.
  virtual Task<void> stop() = 0;
};

} // namespace garland::oauth
