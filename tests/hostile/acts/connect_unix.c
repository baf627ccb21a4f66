/* Connects to a socket in the file system of this machine. */
#include "act.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static int act(void) {
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", in_scene("socket"));
  socklen_t const size = sizeof address;
  int const connection = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connection < 0) return errno;
  return outcome(connect(connection, (struct sockaddr*)&address, size));
}
