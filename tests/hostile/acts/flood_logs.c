/* Logs without end, by the host's table and past it. */
#include "ipc.h"

static int act(void) {
  static char const line[] = "a line of a plugin that never ends to complain about everything it sees";
  garland_json const none = {NULL, 0};
  struct message log = {{0}, 0};
  put_u32(&log, 1);
  put_text(&log, line);
  put_text(&log, "");
  for (;;) {
    if (host != NULL) host->log(host->ctx, running, GARLAND_LOG_ERROR, text_of(line), none);
    int const code = send_as(&log, kLog, running != NULL ? own_call_id() : 0);
    if (code != 0) return code;
  }
}
