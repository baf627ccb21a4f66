/* Kills another process by its thread. */
#include "act.h"

#include <signal.h>

static int act(void) { return outcome(syscall(SYS_tgkill, scene.victim, scene.victim, SIGABRT)); }
