/* Sends the host a signal; one that is ignored by default, for the sake of whoever runs this. */
#include "act.h"

#include <signal.h>

static int act(void) { return outcome(kill((pid_t)scene.parent, SIGURG)); }
