// One attempt on its way: the request that is made of a delivery, and what its answer means.
#pragma once

#include "host/notify/deliveries.h"
#include "host/notify/endpoints.h"

#include <string>
#include <vector>

namespace garland::notify {

// Signed with each of the secrets: "webhook-id", "webhook-timestamp", "webhook-signature". The address goes
// with the credential (addressOf), because it may be as good as a password.
Result<egress::Request> requestFor(Endpoint const& endpoint, Due const& due,
                                   std::vector<Secret> const& secrets, TimePoint at, Milliseconds timeout);
egress::Credential addressOf(Endpoint const& endpoint);
// No redirect is followed: whoever moves says so with a new address for the endpoint.
egress::Policy policyFor(Endpoint const& endpoint, std::string const& extra_ca_file);

Outcome outcomeOf(Result<egress::Response> const& answer);

} // namespace garland::notify
