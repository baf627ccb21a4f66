// How clients may call this server: its address in the Host header, which a page of another origin that has
// turned its own name to our address cannot give.
#pragma once

#include "host/api/api.h"
#include "host/api/http.h"
#include "host/api/router.h"
#include "host/api/tls.h"

#include <string>

namespace garland::api {

// "https://garland.example.com": how clients on this machine reach what listens so, without the port.
// invalidInput: a file of Options::tls cannot be used.
Result<std::string> ownOrigin(Options const& options);

// The guard for this request. Beyond loopback and the address that is listened on, a client may use any name
// of the certificate, and, where a server is reached from elsewhere, any address: a page cannot turn an
// address to another machine as it can a name. Ports may have been translated on the way, so none is wrong.
Guard guardFor(Request const& request, Guard const& guard, TlsIdentity const* identity);

} // namespace garland::api
