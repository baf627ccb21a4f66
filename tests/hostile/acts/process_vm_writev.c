/* Changes another process's memory. */
#include "act.h"

#include <sys/uio.h>

static int act(void) {
  char bytes[] = "overwritten";
  struct iovec here = {bytes, sizeof bytes};
  struct iovec there = {(void*)scene.victim_secret, sizeof bytes};
  return outcome(process_vm_writev((pid_t)scene.victim, &here, 1, &there, 1, 0));
}
