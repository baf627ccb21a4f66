/* Becomes root. */
#include "act.h"

#include <sys/prctl.h>

static int act(void) {
  if (setgid(0) == 0 && setuid(0) == 0 && getuid() == 0) return 0;
  return refused_by_filter(-1, setgid(getgid())); /* which everybody may */
}
