/* Changes its root directory. */
#include "act.h"

static int act(void) { return outcome(chroot("/usr")); }
