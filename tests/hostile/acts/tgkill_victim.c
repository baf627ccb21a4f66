/* Kills another process by its thread. */
#include "act.h"

#include <signal.h>

static int act(void) {
  return refused_by_filter(syscall(SYS_tgkill, scene.victim, scene.victim, SIGABRT),
                           syscall(SYS_tgkill, getpid(), getpid(), 0));
}
