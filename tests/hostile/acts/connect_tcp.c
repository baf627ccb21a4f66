/* Connects to a service of this machine and tells it something. */
#include "act.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int act(void) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)scene.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int const connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connection < 0) return errno;
  if (connect(connection, (struct sockaddr*)&address, sizeof address) != 0) return errno;
  return outcome(write(connection, "hello", 5));
}
