// A port for a server that a test starts.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace garland {

// A loopback address that no other process of this machine uses: a port of it stays free between two starts
// of a server, which one of 127.0.0.1 does not, as every connection on its way out takes one.
inline std::string loopbackOfThisProcess() {
  auto const pid = static_cast<unsigned>(::getpid());
  auto const part = [pid](unsigned shift, unsigned mask) {
    return "." + std::to_string((pid >> shift) & mask);
  };
  return "127" + part(16, 0x3f) + part(8, 0xff) + part(0, 0xff);
}

// Free at this moment: somebody else may take it before it is used. 0: there is none.
inline int freePort(std::string const& at = "127.0.0.1") {
  int const probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::inet_addr(at.c_str());
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  bool const good = ::bind(probe, generic, length) == 0 && ::getsockname(probe, generic, &length) == 0;
  ::close(probe);
  return good ? ntohs(address.sin_port) : 0;
}

} // namespace garland
