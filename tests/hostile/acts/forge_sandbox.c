/* Tells the host how good its sandbox is. */
#include "ipc.h"

static int act(void) {
  struct message closed = {{0}, 0};
  put(&closed, "", 1); /* tier A */
  put_u32(&closed, 0); /* no notes */
  return send_as(&closed, kClosed, 0);
}
