/* Sends records without end and without waiting for room. */
#include "ipc.h"

static int act(void) {
  struct message record = {{0}, 0};
  put_text(&record, "test.item");
  put_text(&record,
           "{\"filler\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}");
  for (;;) {
    int const code = send_as(&record, kEmit, own_call_id());
    if (code != 0) return code;
  }
}
