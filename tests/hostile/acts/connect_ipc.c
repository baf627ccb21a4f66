/* Turns the connection to the host into one to somebody else. */
#include "act.h"

#include <sys/socket.h>
#include <sys/un.h>

static int act(void) {
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  struct sockaddr nothing;
  memset(&nothing, 0, sizeof nothing);
  nothing.sa_family = AF_UNSPEC;
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", in_scene("socket"));
  connect(3, &nothing, sizeof nothing);
  return outcome(connect(3, (struct sockaddr*)&address, sizeof address));
}
