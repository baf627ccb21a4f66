/* Never gives way. */
#include "act.h"

static int act(void) {
  for (unsigned volatile turns = 0;; ++turns) continue;
}
