/* Reads another process's memory. */
#include "act.h"

#include <sys/uio.h>

static int act(void) {
  char bytes[64];
  struct iovec here = {bytes, sizeof bytes};
  struct iovec there = {(void*)scene.victim_secret, sizeof bytes};
  ssize_t const got = process_vm_readv((pid_t)scene.victim, &here, 1, &there, 1, 0);
  if (got > 0) take(bytes, (size_t)got);
  return outcome(got);
}
