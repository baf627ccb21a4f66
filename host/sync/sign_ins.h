// Slots of scheme oauth2: their tokens are kept by host/oauth; here is what a connection has to do with them.
#pragma once

#include "host/oauth/oauth.h"
#include "host/sync/session.h"

namespace garland::sync {

bool isSignIn(runtime::AuthSlot const& slot);
oauth::Place placeOf(Connection const& connection, std::string_view slot);

// What a request for tokens of this slot needs. `fields`: as somebody typed them.
Result<oauth::Use> useOf(Context const& context, Session const& session, runtime::AuthSlot const& slot,
                         json::value const& fields);
// An access token as the credential of a request.
egress::Credential credentialWith(runtime::AuthSlot const& slot, Secret access);

// Of what was typed: the token that is renewed is not kept among the fields, where it would grow old.
bool isKeptApart(runtime::AuthSlot const& slot, std::string_view field);
// The rows of a connection that is about to be tried, with the tokens that were typed.
Result<store::Unit> firstSignIns(Context& context, runtime::Manifest const& manifest,
                                 Connection const& connection, ConnectRequest const& request);
// Has the code of this slot redeemed, of a connection whose rows are there: it lives for a minute.
Task<void> redeem(Context* context, Session const* session, std::string slot);
// Has another token given now: see oauth::Tokens::renew.
Task<void> renewSignIn(Context* context, Session const* session, std::string slot);
// Has the provider take it back: see oauth::Tokens::revoke.
Task<void> revokeSignIn(Context* context, Session const* session, std::string slot);
// Where the host itself sends the client's secret and tokens, with these settings.
std::vector<std::string> tokenAddresses(runtime::Manifest const& manifest, json::value const& settings);
// How those of a connection stand.
Task<std::vector<SignIn>> signInsOf(Context* context, Connection const* connection);
// The same for many, in one look: those of this vendor, or of all ("").
Task<void> addSignIns(Context* context, std::string vendor_id, std::vector<Connection>* connections);
// What a daemon that ended in the middle of a trial left behind.
Task<void> forgetLeftTrials(Context* context);
// Those that a trial left under `from`, for the unit that makes them those of `to`.
Task<store::Unit> moveSignIns(Context* context, Session const* from, Connection to);

} // namespace garland::sync
