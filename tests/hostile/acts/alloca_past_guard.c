/* Steps over whatever guards the stack that the host gave it, built without stack probes. */
#include "act.h"

#include <alloca.h>

static int act(void) {
  static size_t const volatile far_away = 400 << 10;
  char volatile* const frame = (char volatile*)alloca(far_away);
  frame[0] = 1;
  return 0;
}
