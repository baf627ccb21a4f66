/* Sleeps without telling the host, so that nothing else runs in its worker. */
#include "act.h"

#include <time.h>

static int act(void) {
  struct timespec const hour = {3600, 0};
  return outcome(nanosleep(&hour, NULL));
}
