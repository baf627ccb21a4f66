/* Greets the host in the worker's name. */
#include "ipc.h"

static int act(void) {
  struct message hello = {{0}, 0};
  uint16_t const abi[2] = {GARLAND_ABI_MAJOR, GARLAND_ABI_MINOR};
  put_u32(&hello, 1);
  put(&hello, abi, sizeof abi);
  put_text(&hello, GARLAND_CONNECTOR_ID);
  put_text(&hello, GARLAND_CONNECTOR_VERSION);
  put_text(&hello, "");
  put_u32(&hello, 0);
  return send_as(&hello, kHello, 0);
}
