/* Changes its root directory. */
#include "act.h"

/* Without the filter the kernel looks for the place before it asks for the right. */
static int act(void) {
  int const looked = chroot("/no/such/place") < 0 && errno == ENOENT;
  return refused_by_filter(chroot("/usr"), looked ? 0 : -1);
}
