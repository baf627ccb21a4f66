/* Writes to where nothing is. */
#include "act.h"

static int act(void) {
  uintptr_t volatile nowhere = 16; /* volatile: neither compiler may see where it points */
  *(int volatile*)nowhere = 1;
  return 0;
}
