/* Never gives way. */
#include "act.h"

static int act(void) {
  unsigned volatile turns = 1;
  while (turns) turns |= 2;
  return 0;
}
