/* Asks for each kind of socket there is. */
#include "act.h"

#include <sys/socket.h>

static int act(void) {
  static int const families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK};
  int code = 0;
  for (size_t i = 0; i < sizeof families / sizeof families[0]; ++i) {
    if (socket(families[i], SOCK_DGRAM, 0) >= 0) return 0;
    code = errno;
  }
  return code;
}
