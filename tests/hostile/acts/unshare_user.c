/* Becomes root of a user namespace of its own. */
#include "act.h"

#include <sched.h>

static int act(void) { return outcome(unshare(CLONE_NEWUSER | CLONE_NEWNS)); }
