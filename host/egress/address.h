// What kind of network an address belongs to. Decided from the bytes a socket is about to connect
// to, never from a name.
#pragma once

#include <sys/socket.h>

#include <string>

namespace garland::egress {

enum class AddressKind {
  outside,  // an ordinary address of the public internet
  inside,   // private, loopback, link-local, carrier-grade NAT, unique local
  unusable, // unspecified, multicast, reserved, documentation, or no IP address at all
};

AddressKind kindOf(sockaddr const& address);
// "10.0.0.5", "::1"; "an unknown address" if it is no IP address.
std::string textOf(sockaddr const& address);

} // namespace garland::egress
