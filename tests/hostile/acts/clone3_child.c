/* Makes a child process by clone3(), whose arguments a filter cannot read. */
#include "act.h"

#include <signal.h>
#include <stdint.h>

static int act(void) {
  uint64_t arguments[11] = {0};
  arguments[4] = SIGCHLD;
  long const child = syscall(435, arguments, sizeof arguments);
  if (child == 0) {
    sleep(3600);
    _exit(0);
  }
  return outcome(child);
}
