/* Kills another process by a descriptor of it. */
#include "act.h"

#include <signal.h>

static int act(void) {
  long const handle = syscall(SYS_pidfd_open, scene.victim, 0);
  if (handle < 0) return errno;
  return outcome(syscall(SYS_pidfd_send_signal, handle, SIGKILL, NULL, 0));
}
