/* Writes to where nothing is. */
#include "act.h"

static int act(void) {
  *(int volatile*)16 = 1;
  return 0;
}
