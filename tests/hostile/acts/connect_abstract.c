/* Connects to a socket of an abstract name of this machine. */
#include "act.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static int act(void) {
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "garland-hostile-%ld", scene.parent);
  socklen_t const size =
      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address.sun_path + 1));
  int const connection = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connection < 0) return errno;
  return outcome(connect(connection, (struct sockaddr*)&address, size));
}
