/* Handles its own page faults, by which a kernel can be held up in the middle of a copy. */
#include "act.h"

static int act(void) {
  enum { kUserModeOnly = 1 };
  if (syscall(SYS_userfaultfd, 0) >= 0) return 0;
  return outcome(syscall(SYS_userfaultfd, kUserModeOnly));
}
