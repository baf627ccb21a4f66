/* Kills another process of the same user. */
#include "act.h"

#include <signal.h>

static int act(void) { return outcome(kill((pid_t)scene.victim, SIGKILL)); }
