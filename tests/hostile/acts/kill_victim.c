/* Kills another process of the same user. */
#include "act.h"

#include <signal.h>

static int act(void) { return refused_by_filter(kill((pid_t)scene.victim, SIGKILL), kill(getpid(), 0)); }
