/* Takes control of the host. */
#include "act.h"

#include <sys/ptrace.h>

static int act(void) { return outcome(ptrace(PTRACE_SEIZE, (pid_t)scene.parent, NULL, NULL)); }
