/* Prints without end. */
#include "act.h"

static int act(void) {
  for (;;) {
    fputs("a line of a plugin that prints and prints and prints and prints and prints\n", stderr);
    if (write(STDOUT_FILENO, "no end of it\n", 13) < 0 && errno != EAGAIN) return errno;
  }
}
