/* Sends everybody a signal; the one that does nothing, for the sake of whoever runs this. */
#include "act.h"

#include <signal.h>

static int act(void) { return outcome(kill(-1, 0)); }
