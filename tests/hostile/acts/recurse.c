/* Recurses without end on the stack that the host gave it. */
#include "act.h"

__attribute__((noinline)) static int deeper(int volatile depth) {
  char volatile frame[512];
  frame[0] = (char)depth;
  if (depth < 0) return 0; /* never: memory ends sooner */
  return deeper(depth + 1) + frame[0];
}

static int act(void) { return deeper(0); }
