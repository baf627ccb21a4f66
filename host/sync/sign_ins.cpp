#include "host/sync/sign_ins.h"

#include "host/sync/sql.h"

#include <algorithm>
#include <map>

namespace garland::sync {
namespace {

// In the order of a slot's fields.
enum Field : std::size_t { clientId, clientSecret, renewed };

std::string at(runtime::AuthSlot const& slot, std::size_t field, json::value const& fields) {
  return field < slot.fields.size() ? textOr(fields, "/" + slot.fields[field], "") : std::string();
}

// "": it signs in by its client alone.
Secret typedToken(runtime::AuthSlot const& slot, std::vector<std::pair<std::string, Secret>> const& fields) {
  for (auto const& [name, secret] : fields)
    if (isKeptApart(slot, name)) return secret.clone();
  return Secret();
}

// With what is kept of it.
Result<oauth::Use> useOfSealed(Context const& context, Session const& session, std::string const& name) {
  auto const slot = std::ranges::find(session.plugin->manifest.auth, name, &runtime::AuthSlot::name);
  TRY(opened, context.doors.vault.open(session.sealed.at(name), credentialContext(session.connection, name)));
  TRY(fields, parseJson(opened.reveal()));
  auto use = useOf(context, session, *slot, fields);
  wipeTexts(fields);
  return use;
}

} // namespace

bool isSignIn(runtime::AuthSlot const& slot) { return slot.scheme == "oauth2"; }

oauth::Place placeOf(Connection const& connection, std::string_view slot) {
  return oauth::Place{connection.vendor_id, connection.id, std::string(slot)};
}

Result<oauth::Use> useOf(Context const& context, Session const& session, runtime::AuthSlot const& slot,
                         json::value const& fields) {
  auto const& connection = session.connection;
  TRY(provider, oauth::readProvider(slot.oauth2, connection.settings));
  oauth::Use use;
  use.place = placeOf(connection, slot.name);
  use.app = session.plugin->manifest.id;
  use.provider = std::move(provider);
  use.client_id = at(slot, clientId, fields);
  use.client_secret = Secret(at(slot, clientSecret, fields));
  use.policy.allow_private_network = connection.allow_private_network;
  use.policy.extra_ca_file = context.doors.extra_ca_file;
  return use;
}

egress::Credential credentialWith(runtime::AuthSlot const& slot, Secret access) {
  using Scheme = egress::Credential::Scheme;
  egress::Credential credential;
  credential.scheme = slot.parameter.empty() ? Scheme::bearer : Scheme::query;
  credential.name = slot.parameter;
  credential.secret = std::move(access);
  return credential;
}

bool isKeptApart(runtime::AuthSlot const& slot, std::string_view field) {
  return isSignIn(slot) && slot.fields.size() > renewed && slot.fields[renewed] == field;
}

Result<store::Unit> firstSignIns(Context& context, runtime::Manifest const& manifest,
                                 Connection const& connection, ConnectRequest const& request) {
  store::Unit unit;
  for (auto const& slot : manifest.auth) {
    auto const typed = std::ranges::find(request.credentials, slot.name, &Credentials::value_type::first);
    if (!isSignIn(slot) || typed == request.credentials.end()) continue;
    // What the settings leave out is told before anything is kept.
    TRY(provider, oauth::readProvider(slot.oauth2, connection.settings));
    auto const place = placeOf(connection, slot.name);
    bool const signs_in = slot.name == request.signs_in;
    if (signs_in && request.given) {
      TRY(rows, context.tokens->first(place, provider, *request.given));
      for (auto& row : rows) unit.push_back(std::move(row));
      continue;
    }
    TRY(row, signs_in ? context.tokens->first(place, request.code)
                      : context.tokens->first(place, typedToken(slot, typed->second)));
    unit.push_back(std::move(row));
  }
  return unit;
}

Task<void> redeem(Context* context, Session const* session, std::string slot) {
  CO_TRY(use, useOfSealed(*context, *session, slot));
  auto const access = co_await context->tokens->fresh(std::move(use));
  if (!access) co_return access.error();
  co_return Result<void>();
}

Task<void> renewSignIn(Context* context, Session const* session, std::string slot) {
  CO_TRY(use, useOfSealed(*context, *session, slot));
  co_return co_await context->tokens->renew(std::move(use));
}

Task<void> revokeSignIn(Context* context, Session const* session, std::string slot) {
  CO_TRY(use, useOfSealed(*context, *session, slot));
  co_return co_await context->tokens->revoke(std::move(use));
}

std::vector<std::string> tokenAddresses(runtime::Manifest const& manifest, json::value const& settings) {
  std::vector<std::string> all;
  for (auto const& slot : manifest.auth) {
    if (!isSignIn(slot)) continue;
    auto const provider = oauth::readProvider(slot.oauth2, settings);
    all.push_back(provider ? provider->token_url + " " + provider->revoke_url : std::string());
  }
  return all;
}

namespace {

SignIn signInFrom(oauth::Standing standing) {
  SignIn out;
  out.slot = std::move(standing.place.slot);
  out.state = std::move(standing.status.state);
  out.cause = std::move(standing.status.cause);
  out.by = std::move(standing.status.by);
  out.since = standing.status.since;
  out.next_try = standing.status.next_try;
  return out;
}

} // namespace

Task<std::vector<SignIn>> signInsOf(Context* context, Connection const* connection) {
  CO_TRY(all, co_await context->tokens->all(connection->vendor_id, connection->id));
  std::vector<SignIn> out;
  for (auto& one : all) out.push_back(signInFrom(std::move(one)));
  co_return out;
}

Task<void> addSignIns(Context* context, std::string vendor_id, std::vector<Connection>* connections) {
  CO_TRY(all, co_await context->tokens->all(std::move(vendor_id), std::string()));
  std::map<std::string, std::vector<SignIn>, std::less<>> of; // by connection
  for (auto& one : all) {
    auto connection = one.place.connection_id;
    of[std::move(connection)].push_back(signInFrom(std::move(one)));
  }
  for (auto& connection : *connections)
    if (auto const found = of.find(connection.id); found != of.end())
      connection.sign_ins = std::move(found->second);
  co_return Result<void>();
}

// A trial takes minutes; after a day nobody has it in hand.
Task<void> forgetLeftTrials(Context* context) {
  store::Statement query(
      "SELECT g.vendor_id, g.connection_id FROM oauth_grants g WHERE g.since<$1 AND NOT EXISTS "
      "(SELECT 1 FROM connections c WHERE c.vendor_id=g.vendor_id AND "
      "c.connection_id=g.connection_id)",
      {toMillis(context->now() - std::chrono::hours(24))});
  CO_TRY(left, co_await context->doors.store.read(std::move(query)));
  store::Unit unit;
  for (auto const& row : left.rows)
    for (auto& one : oauth::Tokens::forget(row.text(0), row.text(1))) unit.push_back(std::move(one));
  if (!unit.empty()) {
    CO_TRY_VOID(co_await context->doors.store.commit(std::move(unit)));
  }
  co_return Result<void>();
}

Task<store::Unit> moveSignIns(Context* context, Session const* from, Connection to) {
  store::Unit unit;
  for (auto const& slot : from->plugin->manifest.auth) {
    if (!isSignIn(slot) || !from->sealed.contains(slot.name)) continue;
    CO_TRY(moved,
           co_await context->tokens->move(placeOf(from->connection, slot.name), placeOf(to, slot.name)));
    for (auto& one : moved) unit.push_back(std::move(one));
  }
  co_return unit;
}

} // namespace garland::sync
