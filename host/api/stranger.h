// What hooks and webhooks have in common: requests of strangers as the webhook room sees them, and what
// strangers are told.
#pragma once

#include "host/api/api.h"
#include "host/api/http.h"
#include "host/base/result.h"
#include "host/webhooks/webhooks.h"

#include <string>

namespace garland::api {

// Where this server is as providers are told, and as they sign it: its public URL, or else its own address.
std::string outsideOf(Dependencies const& with, unsigned short port);

// `outside`: what stands before the target when the provider signs the URL. The body moves into it.
webhooks::Request signedRequest(Request& request, std::string const& outside);

// What is answered to a provider that tries an address out.
Response answerOf(webhooks::Response handshake);

// What a stranger may know of why it was not kept: whether to send it again.
Error forStrangers(Error const& error);

// A text that may become a key of a table: as it is if it is short and printable, else its digest.
std::string keyOf(std::string id);

} // namespace garland::api
