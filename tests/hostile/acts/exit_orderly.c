/* Ends the process in an orderly way, with everything that it has registered for then. */
#include "act.h"

static int act(void) { exit(0); }
