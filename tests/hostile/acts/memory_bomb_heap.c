/* Takes memory from the heap until there is none, as a connector with a leak does. */
#include "act.h"

static int act(void) {
  enum { kStep = 256 << 10 };
  for (;;) {
    char* const block = (char*)malloc(kStep);
    if (block == NULL) return ENOMEM;
    memset(block, 1, kStep);
    __asm__ volatile("" : : "r"(block) : "memory");
  }
}
