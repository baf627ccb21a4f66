/* Sends half a message and ends. */
#include "ipc.h"

static int act(void) {
  struct message half = {{0}, 0};
  put_header(&half, 1000, kDone, running != NULL ? own_call_id() : 1);
  put_text(&half, "{\"forged\":true}");
  if (write(kIpc, half.bytes, half.size) < 0) return errno;
  _exit(0);
}
