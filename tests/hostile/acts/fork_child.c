/* Makes a child process that stays. */
#include "act.h"

static int act(void) {
  pid_t const child = fork();
  if (child == 0) {
    sleep(3600);
    _exit(0);
  }
  return outcome(child);
}
